"""What of a document may be shown: words and names, nothing that may be a credential."""

from __future__ import annotations

import pytest

from webhook.eni import quoting

NOTHING: frozenset[str] = frozenset()


@pytest.mark.parametrize(
    "value",
    ["ipv6", "Dual", "CRD", "preferCRD", "datapath-v2", "60", "1d", "10%", "172.16.0/16", " fd00::/112", "most", "eBPF",
     "vsw-bp1q7d2m4k9tw3zr8hvnc", "sg-bp1h6t3y8c5nq2wz9dkm", "cn-hangzhou-g", "False", "DescribeVSwitches", "accessKey"],
)  # fmt: skip
def test_words_and_names_are_shown(value: str) -> None:
    assert quoting.shown(value, NOTHING) == f'"{value}"'


@pytest.mark.parametrize(
    "value",
    ["LTAI5tQ7WmZk3VxR9pHsN2Bd", "k9TqWz4LmXv7RbYc2PnHs8JdFg3AeU", "CanarySecretCanarySecretCanary", "k9TqWz4LmX", "x" * 49,
     "STS.abc", "TFRBSTV0", "a" * 16, "OewfmDkvfsgzum", "vsw-K9TqWz4LmXv7RbYc2", "part k9TqWz4Lm part", "ltai5tq7"],
)  # fmt: skip
def test_what_may_be_a_credential_is_told_by_its_length(value: str) -> None:
    assert quoting.shown(value, NOTHING) == f"a text of {len(value)} characters"


def test_the_documents_own_credentials_are_hidden_whole_and_in_part() -> None:
    secrets = frozenset({"simple"})

    for value in ("simple", "very simple", "imp"):
        assert quoting.shown(value, secrets) == f"a text of {len(value)} characters"
    assert quoting.shown("other", secrets) == '"other"'
    assert quoting.shown("other", frozenset(map(str, range(100)))) == "a text of 5 characters"


@pytest.mark.parametrize(
    ("line", "masked"),
    [
        ('  "max_pool_size": "5",', '  "max_pool_size": "5",'),
        ('"access_key": "LTAI5tQ7WmZk3VxR9pHsN2Bd"', '"access_key": "••••••••••••••••••••••••"'),
        ('{"vswitches": {"cn-hangzhou-g": ["vsw-bp1q7d"]}}', '{"vswitches": {"cn-hangzhou-g": ["vsw-bp1q7d"]}}'),
        ("access_secret: simple", "access_secret: ••••••"),
        ('"service_cidr": "10.96.0.0/12"', '"service_cidr": "10.96.0.0/12"'),
        ('"unknown": "网络"', '"•••••••": "••"'),
    ],
)  # fmt: skip
def test_a_line_keeps_its_shape_and_loses_unknown_words(line: str, masked: str) -> None:
    assert quoting.masked(line, frozenset({"simple"})) == masked
    assert len(masked) == len(line)


def test_a_path_hides_a_key_that_may_be_a_credential() -> None:
    path = ("eni_conf", "k9TqWz4LmXv7RbYc2PnHs8JdFg3AeU", "vswitches", 0, "cn-hangzhou-g")

    assert quoting.path_text(path, NOTHING) == "eni_conf.(hidden).vswitches[0].cn-hangzhou-g"
