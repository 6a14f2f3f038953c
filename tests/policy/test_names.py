"""Globs for names, against fnmatch itself: each name that a prefix can become is tried."""

from __future__ import annotations

import itertools
from fnmatch import fnmatchcase

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.policy.growth import growth
from tests.policy.test_evaluate import judge, workload
from webhook.admission import review as wire
from webhook.policy import catalogue, names
from webhook.policy.names import Names
from webhook.policy.registries import hindrance
from webhook.policy.words import Placement
from webhook.workloads import name_in

REDUCED = "bc2"
globs = st.lists(
    st.lists(st.sampled_from([*"bc2j-*?[]!", "[b-c]", "[!2]", "**", "[c2]"]), max_size=8).map("".join),
    min_size=1,
    max_size=4,
)  # fmt: skip


@given(globs, st.text("bc2j-", max_size=4))
def test_a_name_to_be_made_is_meant_as_each_that_it_can_become(
    patterns: list[str], prefix: str
) -> None:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(names, "SUFFIX_CHARACTERS", REDUCED)
        found = Names(tuple(patterns))
        some, every = found.fits(f"{prefix}*"), found.fits(f"{prefix}*", surely=True)

    made = map("".join, itertools.product(REDUCED, repeat=5))
    matched = [any(fnmatchcase(prefix + suffix, glob) for glob in patterns) for suffix in made]
    assert (some, every) == (any(matched), all(matched))


@given(globs, st.text("bc2j-[]!", max_size=6))
def test_a_name_that_exists_is_meant_as_fnmatch_says(patterns: list[str], name: str) -> None:
    expected = any(fnmatchcase(name, glob) for glob in patterns)

    assert Names(tuple(patterns)).fits(name) is expected
    assert Names(tuple(patterns)).fits(name, surely=True) is expected


@pytest.mark.parametrize(
    ("patterns", "prefix", "some", "every"),
    [
        (["job-*"], "job-", True, True),
        (["job-?????"], "job-", True, True),
        (["job-????"], "job-", False, False),
        (["job-[b-z2-9]*"], "job-", True, True),
        (["job-[a-m]*"], "job-", True, False),
        (["job-[a-m]*", "job-[!a-m]*"], "job-", True, True),
        (["job-[aeiouy013]*"], "job-", False, False),  # no such character is ever chosen
        (["job-node*", "job-*-*"], "job-", False, False),
        (["job-bcdfg"], "job-", True, False),
        (["j*"], "job-", True, True),
        (["other-*"], "job-", False, False),
        (["job-\\*"], "job-", False, False),
        (["x" * 58 + "?????"], "x" * 80, True, True),  # cut to 58, and five more
        (["x" * 59 + "*"], "x" * 80, True, False),
    ],
)
def test_what_the_api_server_appends_is_five_of_its_own_characters(
    patterns: list[str],
    prefix: str,
    some: bool,  # noqa: FBT001  # a table's column
    every: bool,  # noqa: FBT001
) -> None:
    found = Names(tuple(patterns))

    assert (found.fits(f"{prefix}*"), found.fits(f"{prefix}*", surely=True)) == (some, every)


RULES = """
rules:
  - {name: spared, match: {names: ["job-[b-d]*"]}, placement: any}
  - {name: home, match: {names: ["job-[b-m]*"]}, placement: on-prem}
"""


@pytest.mark.parametrize(
    ("name", "rule"),
    [
        ({"name": "job-b2222"}, "spared"),
        ({"name": "job-f2222"}, "home"),
        ({"name": "job-z2222"}, "default"),
        ({"generateName": "job-"}, "home"),  # may be spared, may be pinned: the pin is not lost
        ({"generateName": "job-b"}, "spared"),
        ({"generateName": "job-z"}, "default"),
        ({"generateName": "job-z", "name": "job-f"}, "home"),
    ],
)
def test_a_rule_that_pins_takes_what_it_may_mean_and_an_exception_only_what_it_does(
    name: dict[str, str], rule: str
) -> None:
    obj = workload("batch", "", "StatefulSet")
    obj["metadata"] = {"namespace": "batch", **name}

    assert judge(obj, RULES).decision.rule == rule


def test_files_and_requests_name_what_is_to_be_made_alike() -> None:
    metadata = {"generateName": "kube-flannel-ds-", "namespace": "kube-system"}
    obj = {**workload("kube-system", ""), "metadata": metadata}
    request = {"uid": "1", "operation": "CREATE", "kind": {"kind": "DaemonSet"}, "object": obj}
    review = {"apiVersion": wire.API_VERSION, "kind": wire.KIND, "request": request}
    verdict = judge(obj)

    assert wire.decode(review).name == verdict.workload.ref.name == name_in(metadata)
    assert verdict.decision.rule == "catalogue/flannel"
    assert verdict.decision.placement is Placement.ON_PREM


def test_the_catalogue_leaves_alone_what_may_become_an_add_on_and_may_not() -> None:
    found = {addon.name: addon for addon in catalogue.CATALOGUE}["flannel"]

    assert found.is_named("kube-flannel-ds-bcdfg")
    assert found.is_named("kube-flannel-ds-*")
    assert not found.is_named("kube-flannel-*")
    assert not found.is_named("kube-fla*")


@pytest.mark.parametrize(
    ("glob", "text"),
    [
        ("*a*a*a*a*a*a*b", "a"),
        ("*?a*?a*[!b]a*b", "a"),
        ("*ab*ab*ab*c", "ab"),
        ("a" + "*a" * 40 + "b", "a"),
    ],
)
def test_matching_costs_what_the_text_is_long(glob: str, text: str) -> None:
    pattern = names.union([glob, f"x{glob}"])

    assert growth(lambda size: pattern.match(text * size), 20_000) < 24


@pytest.mark.parametrize("text", [":", "/", "a:", "/:", "_", "__a", "{", "$", ".", "1.", "[", "@"])
@pytest.mark.parametrize("end", ["", "/a", "!"])
def test_an_images_registry_is_found_in_the_length_of_its_name(text: str, end: str) -> None:
    def look(size: int) -> None:
        catalogue.repository(text * size + end)
        hindrance(text * size + end)

    assert growth(look, 16_000) < 24


def test_no_long_image_is_remembered() -> None:
    remembered = hindrance.__globals__["_remembered"]
    remembered.cache_clear()
    for size in (10, 512, 513, 100_000):
        hindrance("registry.corp/" + "a" * (size - 14))

    assert remembered.cache_info().currsize == 2
