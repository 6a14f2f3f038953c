"""The policy's watch: whatever a new version does to the loader, the last good one serves on."""

from __future__ import annotations

from pathlib import Path

from webhook.policy import parse
from webhook.policy.model import Policy
from webhook.policy.words import Network
from webhook.server.reload import PolicyWatch

FIRST, SECOND = parse.for_network(Network.BGP), parse.for_network(Network.OVERLAY)


def test_a_fault_of_the_loader_does_not_end_the_watch(tmp_path: Path) -> None:
    file = tmp_path / "policy.yaml"
    file.write_text("first")

    def load(content: bytes) -> Policy:
        if content == b"fault":
            raise TypeError(content)
        return FIRST if content == b"first" else SECOND

    watch = PolicyWatch(load, file)
    file.write_text("fault")
    watch.refresh()
    assert watch.current() is FIRST
    file.write_text("second")
    watch.refresh()
    assert watch.current() is SECOND
