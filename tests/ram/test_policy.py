"""A RAM policy is judged as RAM would."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.policy.growth import growth
from webhook.ram import policy
from webhook.ram.policy import PolicyShapeError

# docs/ecs.md of Terway, by hand; the two IPv6 actions for dual stack.
NEEDED = {
    "ecs:CreateNetworkInterface", "ecs:DescribeNetworkInterfaces", "ecs:AttachNetworkInterface",
    "ecs:DetachNetworkInterface", "ecs:DeleteNetworkInterface", "ecs:DescribeInstanceTypes",
    "ecs:AssignPrivateIpAddresses", "ecs:UnassignPrivateIpAddresses", "vpc:DescribeVSwitches",
}  # fmt: skip
IPV6 = {"ecs:AssignIpv6Addresses", "ecs:UnassignIpv6Addresses"}
# What the vendor's page for registered clusters lists.
SEED = sorted(
    NEEDED - {"ecs:DescribeInstanceTypes"}
    | {"ecs:DescribeInstanceAttribute", "ecs:DescribeInstances", "ecs:ModifyNetworkInterfaceAttribute"}
)  # fmt: skip


def allow(*actions: str, **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": list(actions), "Resource": "*", **more}


def deny(*actions: str, **more: Any) -> dict[str, Any]:
    return {**allow(*actions, **more), "Effect": "Deny"}


def whole(*statements: Any) -> dict[str, Any]:
    return {"Version": "1", "Statement": list(statements)}


def lacking(given: Any, *, dual: bool = False) -> set[str]:
    verdict = policy.check(given, dual=dual)
    return {action for action, word in verdict.needed.items() if word in ("missing", "denied")}


def test_what_is_printed_is_exactly_what_is_needed() -> None:
    for dual in (False, True):
        printed = json.loads(policy.document(dual=dual))
        assert set(printed["Statement"][0]["Action"]) == (NEEDED | IPV6 if dual else NEEDED)
        verdict = policy.check(printed, dual=dual)
        assert (verdict.sufficient, verdict.excess) == (True, {})
        assert set(verdict.needed.values()) == {"granted"}


def test_the_vendors_list_lacks_one_action_and_has_three_too_many() -> None:
    verdict = policy.check(whole(allow(*SEED)), dual=False)

    assert lacking(whole(allow(*SEED))) == {"ecs:DescribeInstanceTypes"}
    assert lacking(whole(allow(*SEED)), dual=True) == {"ecs:DescribeInstanceTypes", *IPV6}
    assert set(verdict.excess) == set(SEED) - NEEDED
    assert "v1.6.4" in verdict.excess["ecs:DescribeInstances"]


@pytest.mark.parametrize(
    ("statements", "missing"),
    [
        ([allow("*")], set()),
        ([allow("ecs:*", "vpc:Describe*")], set()),
        ([allow("ECS:*", "VPC:describevswitche?")], set()),
        ([allow("ecs:*")], {"vpc:DescribeVSwitches"}),
        ([allow("ecs:*NetworkInterface*", "vpc:*")],
         {"ecs:DescribeInstanceTypes", "ecs:AssignPrivateIpAddresses", "ecs:UnassignPrivateIpAddresses"}),
        ([allow("*"), deny("ecs:Delete*")], {"ecs:DeleteNetworkInterface"}),
        ([deny("*"), allow("*")], NEEDED),
        ([{"Effect": "Allow", "NotAction": "ram:*", "Resource": "*"}], set()),
        ([{"Effect": "Allow", "NotAction": ["vpc:*"], "Resource": "*"}], {"vpc:DescribeVSwitches"}),
        ([{"Effect": "Deny", "NotAction": "vpc:*", "Resource": "*"}, allow("*")], NEEDED - {"vpc:DescribeVSwitches"}),
        ([allow("ecs.*", "vpc+")], NEEDED),
        ([{"Effect": "Allow", "Action": "*"}], set()),
    ],
)  # fmt: skip
def test_wildcards_denials_and_notaction_are_understood(
    statements: list[Any], missing: set[str]
) -> None:
    assert lacking(whole(*statements)) == missing


def test_excess_says_why() -> None:
    excess = policy.check(
        whole(allow("ecs:*", "vpc:DescribeVSwitches", "oss:Get*", "ecs:StopInstance")), dual=False
    ).excess

    assert set(excess) == {"ecs:*", "oss:Get*", "ecs:StopInstance"}
    assert "needs 8 of what it covers" in excess["ecs:*"]
    assert excess["oss:Get*"] == "Terway calls nothing that it covers"
    assert excess["ecs:StopInstance"] == "Terway never calls it"
    assert (
        "NotAction"
        in policy.check(whole({"Effect": "Allow", "NotAction": "ram:*"}), dual=False).excess[
            "ram:*"
        ]
    )
    assert (
        policy.check(
            whole(allow(*NEEDED, *IPV6, "ecs:DescribeNetworkInterfaceAttribute")), dual=False
        ).excess
        == {}
    )


def test_resources_and_conditions_make_it_limited() -> None:
    resource = allow(*NEEDED, Resource="acs:ecs:cn-hangzhou:*:*")
    condition = allow(*NEEDED, Condition={"StringEquals": {"acs:SourceIp": "10.0.0.1"}})
    narrow = deny("ecs:Delete*", Condition={"Bool": {"acs:SecureTransport": "false"}})

    for statements, limited in (
        ([resource], NEEDED),
        ([condition], NEEDED),
        ([resource, allow("ecs:*")], {"vpc:DescribeVSwitches"}),
        ([allow(*NEEDED), narrow], {"ecs:DeleteNetworkInterface"}),
    ):
        verdict = policy.check(whole(*statements), dual=False)
        assert verdict.sufficient
        assert {a for a, word in verdict.needed.items() if word == "limited"} == limited


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ([], "an object"), ({}, "Version"), ({"Version": "1"}, "Statement"), (whole(), "Statement"),
        (whole(5), "Statement[0]"), (whole({"Effect": "allow", "Action": "*"}), "Statement[0].Effect"),
        (whole({"Effect": "Allow"}), "Action or NotAction"), (whole({"Effect": "Allow", "Action": 5}), "Statement[0].Action"),
        (whole({"Effect": "Allow", "Action": "*", "NotAction": "*"}), "either"),
    ],
)  # fmt: skip
def test_what_is_no_policy_is_refused_with_its_place(given: Any, why: str) -> None:
    with pytest.raises(PolicyShapeError) as raised:
        policy.check(given, dual=False)

    assert why in str(raised.value)


@pytest.mark.parametrize("part", ["*?", "*e", "*", "?", "e*"])
def test_a_pattern_of_many_stars_costs_no_more_than_it_is_long(part: str) -> None:
    def check(times: int) -> object:
        return policy.check(whole(allow(*[part * times + "!"] * 3)), dual=True)

    # One that tries each way takes years for 18 stars.
    assert growth(check, 500, times=8) < 24


@pytest.mark.parametrize(
    ("pattern", "covered"),
    [
        ("*", True), ("ecs:*", True), ("ECS:DESCRIBEInstanceTypes", True), ("ecs:*Types", True), ("ecs:*InstanceTypes*", True),
        ("ecs:DescribeInstance????s", True), ("ecs:DescribeInstance?????s", False), ("*s*", True), ("ecs:Describe", False),
        ("", False), ("ecs:DescribeInstanceTypes?", False), ("?cs:DescribeInstanceTypes", True), ("ecs:[D]escribeInstanceTypes", False),
        ("**ecs**Types**", True), ("vpc:*", False),
    ],
)  # fmt: skip
def test_stars_and_question_marks_stand_for_characters(pattern: str, *, covered: bool) -> None:
    assert ("ecs:DescribeInstanceTypes" not in lacking(whole(allow(pattern)))) is covered
