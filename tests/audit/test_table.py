"""The table: worst first, as wide as the terminal, in colour only where it is read."""

from __future__ import annotations

import click
import pytest

from tests.audit.rendering import rendered
from webhook.audit.report import Report
from webhook.findings import Finding, Level, Location, ObjectRef

NAME = "a-daemon-set-with-a-long-name"
WORDS = "can land on cloud nodes: term 2 lets them in, since it says nothing of the key " * 2


def found(rule: str, level: Level) -> Finding:
    ref = ObjectRef(api_version="apps/v1", kind="DaemonSet", namespace="kube-system", name=NAME)
    place = Location(file="manifests/network/cni.yaml", line=12, column=3)
    return Finding(
        rule=rule, level=level, message=WORDS.strip(), fix="add it", object=ref, location=place
    )


REPORT = Report(
    findings=[found("HG105", Level.NOTE), found("HG101", Level.ERROR)], workloads=1, other=2
)


def test_the_worst_comes_first_and_the_sum_last() -> None:
    lines = rendered("table", (), REPORT).splitlines()

    heads = [line.split()[:2] for line in lines if line.startswith(("error", "note"))]
    assert heads == [["error", "HG101"], ["note", "HG105"]]
    assert lines[0].endswith(f"DaemonSet/kube-system/{NAME}  manifests/network/cni.yaml:12:3")
    assert lines[-1] == "1 workload, 2 other objects: 1 error, 0 warnings, 1 note"


@pytest.mark.parametrize("width", [40, 72, 80, 120])
def test_lines_fit_the_terminal_and_no_name_is_cut(width: int) -> None:
    lines = rendered("table", (), REPORT, width=width).splitlines()[:-1]

    names = {f"DaemonSet/kube-system/{NAME}", "manifests/network/cni.yaml:12:3"}
    assert all(len(line) <= width or names & set(line.split()) for line in lines)
    said = [
        line.strip() for line in lines if line.startswith(" " * 17) and line.strip() not in names
    ]
    assert " ".join(said) == f"{WORDS.strip()} fix: add it {WORDS.strip()} fix: add it"


def test_colours_change_nothing_but_colour() -> None:
    plain = rendered("table", (), REPORT, width=60)
    painted = rendered(
        "table",
        (),
        REPORT,
        width=60,
        paint=lambda words, colour: (
            click.style(words, bold=True) if colour == "bold" else click.style(words, fg=colour)
        ),
    )

    assert painted != plain
    assert click.unstyle(painted) == plain


@pytest.mark.parametrize(
    ("place", "shown"),
    [
        (Location(file="a.yaml", line=3, column=5, pointer="/data"), "a.yaml:3:5"),
        (Location(file="a.yaml"), "a.yaml"),
        (Location(line=3, column=5, pointer="/data/eni_conf"), "/data/eni_conf:3:5"),
        (Location(pointer="/spec"), ""),
    ],
)
def test_a_place_is_in_a_file_or_in_the_object_itself(place: Location, shown: str) -> None:
    assert str(place) == shown
