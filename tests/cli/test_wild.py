"""Cases of real users, read from the collection where it is: what they should have got."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from tests.conftest import ROOT, shared_path
from tests.reviews import patch_of


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "webhook", *arguments],
        cwd=ROOT, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip


def case(name: str) -> str:
    return str(shared_path("corpus", "wild", name))


def test_g03_a_template_that_names_a_node_is_told_and_left() -> None:
    policy, file = case("policy-shop.yaml"), case("nodename-deployment.yaml")
    patched = run("patch", "--policy", policy, file)
    explained = run("explain", "--policy", policy, file)

    assert patched.stdout == Path(file).read_text()
    assert explained.returncode == 0
    assert "HG108 bound to node " in explained.stdout
    assert "patch      none: its pods are bound to a node by name" in explained.stdout


def test_g04_at_admission_it_is_let_in_with_a_warning() -> None:
    review = case("nodename-create-review.json")
    done = run("review", "--policy", case("policy-shop.yaml"), "--hook", "mutate", review)
    answer = json.loads(done.stdout)

    assert done.returncode == 0
    assert not patch_of(answer)
    assert answer["response"]["warnings"][0].startswith("HG108 ")


def test_g05_owned_and_bound_objects_of_a_dump_stay_byte_for_byte() -> None:
    file = case("dump-with-owned.yaml")
    done = run("patch", "--policy", case("policy-shop.yaml"), file)

    assert done.returncode == 0
    assert done.stdout == Path(file).read_text()
