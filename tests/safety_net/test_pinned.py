"""The safety net's CEL beside the proof: which updates take a pin off, and what judging costs."""

from __future__ import annotations

import itertools
import json
import random
from collections import Counter
from typing import Any

import pytest

from tests.conftest import scaled
from tests.placement.generate import CLOUD_KEY
from tests.safety_net import specs
from tests.safety_net.oracle import Update, ask, daemonset, document
from tests.safety_net.specs import BARE, PINNED, Spec, expression, term, terms
from webhook.placement import proof
from webhook.placement.model import CloudNodes, Side
from webhook.policy.safety_net.pinned import BUDGET, SHORT

ON_PREM, CLOUD = "calico-node", "terway-eniip"
PAIRS = scaled(20_000)
LIMIT = 1_000_000  # k8s.io/apiserver/pkg/apis/cel: PerCallLimit


def marked(*values: str) -> Any:
    return document(cloudNodes={"key": CLOUD_KEY, "values": values})


def updates(pairs: list[tuple[Spec, Spec]], name: str = ON_PREM) -> list[Update]:
    return [Update(old=daemonset(old, name), new=daemonset(new, name)) for old, new in pairs]


@pytest.mark.parametrize("values", [("true",), ("true", "linux", "06", "x")], ids=str)
@pytest.mark.parametrize(("name", "side"), [(ON_PREM, Side.ON_PREM), (CLOUD, Side.CLOUD)])
def test_an_update_is_refused_exactly_if_the_proof_says_that_it_lets_the_other_side_in(
    name: str, side: Side, values: tuple[str, ...], seed: int
) -> None:
    rng = random.Random(seed)  # noqa: S311  # generated cases, nothing secret
    cloud = CloudNodes(values=values)
    pools: dict[bool, list[Spec]] = {True: [], False: []}
    while min(map(len, pools.values())) < PAIRS // 8:
        spec = specs.pod_spec(rng)
        pools[proof.prove(spec, cloud).witness(side.other).possible].append(spec)
    wanted = [rng.choices((True, False), k=2) for _ in range(PAIRS)]
    pairs = [(rng.choice(pools[old]), rng.choice(pools[new])) for old, new in wanted]

    answers = ask(marked(*values), updates(pairs, name))

    for (old, new), pair, answer in zip(wanted, pairs, answers, strict=True):
        assert answer.verdict != "error", answer.message
        assert (answer.verdict == "deny") == (new and not old), json.dumps(pair)
        assert answer.verdict == "skip" or pair[0] != pair[1], json.dumps(pair)
    assert Counter(answer.verdict for answer in answers)["deny"] > PAIRS // 5


def test_every_spelling_of_the_pin_may_take_the_place_of_every_other() -> None:
    names = list(itertools.permutations(PINNED, 2))

    answers = ask(marked("true"), updates([(PINNED[old], PINNED[new]) for old, new in names]))

    refused = [
        pair for pair, answer in zip(names, answers, strict=True) if answer.verdict != "admit"
    ]
    assert refused == []


def test_no_spelling_of_the_pin_may_give_way_to_a_spec_without() -> None:
    names = list(itertools.product(PINNED, BARE))

    answers = ask(marked("true"), updates([(PINNED[old], BARE[new]) for old, new in names]))

    passed = [pair for pair, answer in zip(names, answers, strict=True) if answer.verdict != "deny"]
    assert passed == []
    assert answers[0].message == (
        "HG107 this update takes the pin to on-prem nodes off calico-node: "
        "keep alibabacloud.com/external in every nodeSelectorTerm"
    )


def test_what_goes_is_the_pin_also_with_the_image_that_told_the_add_on() -> None:
    old = daemonset(
        PINNED["DoesNotExist"], "net", images=("registry.example:5000/m/calico/node:v3",)
    )
    new = daemonset({}, "net", images=("registry.example:5000/m/other:v1",))

    (answer,) = ask(marked("true"), [Update(old=old, new=new)])

    assert answer.verdict == "deny"


def test_an_object_on_its_way_out_passes() -> None:
    new = daemonset({}, deletionTimestamp="2027-01-01T00:00:00Z")

    (answer,) = ask(marked("true"), [Update(old=daemonset(PINNED["NotIn"]), new=new)])

    assert answer.verdict == "skip"


def test_what_is_not_seen_of_contradictions_is_what_the_readme_says() -> None:
    many = [f"v{n}" for n in range(SHORT + 1)]
    unseen = {
        "a long In whose values are all excluded": term(expression("In", *many, key="os"), expression("NotIn", *many, key="os")),
        "a range whose integers are excluded one by one": term(
            expression("Gt", "0", key="rank"), expression("Lt", "2", key="rank"),
            expression("NotIn", *("1".zfill(width) for width in range(1, 64)), key="rank"),
        ),
    }  # fmt: skip
    pinned = PINNED["NotIn"]
    for name, dead in unseen.items():
        assert not proof.prove(terms(dead), CloudNodes()).witness(Side.CLOUD).possible, name

    answers = ask(marked("true"), updates([(pinned, terms(dead)) for dead in unseen.values()]))

    assert [answer.verdict for answer in answers] == ["deny"] * len(unseen), "refused, not passed"


def plain(count: int, *, kept: bool = True) -> Spec:
    """Return so many terms, all but the last with the pin, the last one too unless told."""
    pin = term(expression("NotIn", "true"))
    return terms(*[pin] * (count - 1), pin if kept else term(expression("Exists", key="os")))


def listed(count: int, *more: str) -> Spec:
    return terms(term(expression("NotIn", *(f"v{n}" for n in range(count)), *more)))


def tangled(count: int) -> specs.Part:
    """Return a term that matches no node, which only its end tells: costly for its size."""
    few = [f"v{n}" for n in range(SHORT)]
    return term(
        *[expression("In", *few, key="os")] * count, expression("NotIn", *few[:-1], key="os"),
        expression("Exists", key="q"), expression("DoesNotExist", key="q"),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("old", "new", "verdict"),
    [
        (plain(999), plain(999, kept=False), "deny"),
        (plain(1_000), plain(1_000, kept=False), "deny"),
        (plain(1_000), terms(*[term(expression("DoesNotExist"))] * 1_000), "admit"),
        (plain(1_000, kept=False), plain(999, kept=False), "admit"),
        (plain(3_700), terms(*[term(expression("DoesNotExist"))] * 3_700), "admit"),
        (plain(5_000), plain(5_000, kept=False), "deny"),
        (plain(5_000), {}, "deny"),
        (plain(20_000), {}, "deny"),
        (plain(20_000), plain(1), "admit"),
        (plain(20_000), plain(20_000), "skip"),
        ({}, plain(20_000, kept=False), "admit"),
        (listed(100_000, "true"), listed(100_000), "deny"),
        (listed(100_000, "true"), {"nodeSelector": {CLOUD_KEY: "false"}}, "admit"),
        (listed(400_000, "true"), {}, "deny"),
        (terms(*[{}] * 100_000, term(expression("NotIn", "true"))), {}, "deny"),
        (terms(term(*[expression("NotIn", "true")] * 20_000)), {}, "deny"),
        (
            {"nodeSelector": {f"k{n}": "v" for n in range(50_000)}, **plain(1)},
            {"nodeSelector": {f"k{n}": "v" for n in range(50_000)}},
            "deny",
        ),
        (terms(tangled(60)), {}, "deny"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_too_large_to_judge_is_refused_unless_the_pin_is_sure(
    old: Spec, new: Spec, verdict: str
) -> None:
    (answer,) = ask(marked("true"), updates([(old, new)]))

    assert answer.verdict == verdict, answer.message
    assert answer.verdict != "deny" or answer.message.startswith(("HG107 ", "HG109 "))


def heavy_terms() -> list[Spec]:
    """Return terms that match nothing, so that all of them are read, costly in each way."""
    big, long = "0" * 44 + "9223372036854775806", "v" * 60
    dead = [expression("In", "a", key="q"), expression("In", "b", key="q")]
    made = []
    for key, count, few in itertools.product((CLOUD_KEY, "os"), (1, 3, 12), (True, False)):
        for operators, width in (
            (("NotIn",), 1), (("NotIn",), 30), (("In",), 1), (("In",), SHORT), (("In",), SHORT + 1),
            (("Exists",), 0), (("DoesNotExist",), 0), (("Gt",), 1), (("Lt",), 1), (("Gt", "Lt"), 1),
            (("In", "NotIn"), 9),
        ):  # fmt: skip
            found = [
                expression(
                    operator,
                    *([big] if operator in ("Gt", "Lt") else [f"{long}{n}" for n in range(width)]),
                    key=key if few else f"{key}{index}",
                )
                for index, operator in zip(range(count), itertools.cycle(operators), strict=False)
            ]
            made.append(term(*found, *dead))
    return made


def crowded_terms() -> list[Spec]:
    """Return terms of many expressions, with the longest keys and integers there are."""
    made = []
    for long, count in itertools.product((False, True), (5, 20, 60, 110, 155)):

        def key(number: int, long: bool = long) -> str:  # noqa: FBT001
            host = ("a." * 126 + "a")[:253] + "/" if long else ""
            return f"{host}{'x' * 58}{number:05d}"

        integers = [f"{9223372036854775790 + number:063d}" for number in range(SHORT)]
        below = expression("Lt", "9223372036854775807".zfill(63), key=key(0))
        above = expression("Gt", "0" * 63, key=key(0))
        some = [expression("In", *integers, key=key(0))] * min(count, 10)
        made += [
            term(*[expression("DoesNotExist", key=key(n)) for n in range(count)]),
            term(*[expression("DoesNotExist", key=key(0))] * count, expression("Exists", key=key(1))),
            term(*[expression("In", "v" * 63, key=key(n)) for n in range(count)]),
            term(*[below] * count),
            term(*[below, above] * (count // 2)),
            term(some[0], *[below] * count, expression("In", integers[-1], key=key(0))),
            term(*some, *[below] * count), term(*some, *[above] * count),
            term(*some, *[expression("NotIn", *integers[:3], key=key(0))] * count),
            term(*[expression("Gt", "0" * 63)] * count, *[expression("Exists", key=key(n)) for n in range(count)]),
        ]  # fmt: skip
    return made


@pytest.mark.parametrize(
    "values", [("true",), ("0" * 44 + "9223372036854775806", "x", "y")], ids=len
)
@pytest.mark.parametrize("name", [ON_PREM, CLOUD])
def test_judging_costs_no_more_than_is_counted_before(name: str, values: tuple[str, ...]) -> None:
    pairs: list[tuple[Spec, Spec]] = [({}, terms(*[heavy] * 10)) for heavy in heavy_terms()]
    pairs += [({}, terms(crowded)) for crowded in crowded_terms()]

    answers = ask(marked(*values), updates(pairs, name), each=True)

    for (_, new), answer in zip(pairs, answers, strict=True):
        counted = answer.values["newCost"]
        if counted > BUDGET:
            continue
        assert answer.cost["newPinned"] < LIMIT / BUDGET * counted + 2_000, json.dumps(new)
    assert sum(answer.values["newCost"] <= BUDGET for answer in answers) > len(pairs) // 2


def test_counting_itself_stays_within_the_limit() -> None:
    fields = [{"key": "metadata.name", "operator": "NotIn", "values": ["n"]}]
    pair = expression("In", *(f"v{n}" for n in range(SHORT)))
    largest = [
        terms(*[term(expression("NotIn", "true"))] * 5_000),
        terms(*[term(pair, pair)] * 2_500),
        terms(*[{"matchFields": fields}] * 5_000),
        terms(term(*[pair] * 5_000)),
    ]

    answers = ask(marked("true"), updates([({}, new) for new in largest]), each=True)

    assert all(0 < answer.cost["newCost"] < LIMIT for answer in answers)
