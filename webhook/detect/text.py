"""A Detection for people and for programs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import orjson

from webhook.detect.model import DaemonSetMode, Detection, Mode

Paint = Callable[[str, str], str]


def document(detection: Detection) -> str:
    """Return the JSON document; `network` is null where it cannot be told."""
    body = {
        "network": detection.network,
        "evidence": detection.evidence,
        "look": detection.look,
        "daemonsets": [_entry(one) for one in detection.daemonsets],
    }
    return orjson.dumps(body, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE).decode()


def _entry(one: DaemonSetMode) -> dict[str, Any]:
    return {
        "file": one.location.file,
        "namespace": one.ref.namespace,
        "name": one.ref.name,
        "addon": one.addon,
        "mode": one.reading.mode,
        "evidence": [
            *one.reading.evidence,
            *(f"against: {text}" for text in one.reading.against),
            *([f"does not count: {one.idle}"] if one.idle else []),
        ],
    }


def render(detection: Detection, paint: Paint) -> str:
    """Return the text: the network, each data path with what speaks for and against it."""
    network = detection.network
    told = paint(network, "green") if network else paint("cannot tell", "yellow")
    lines = [f"{paint('network', 'bold')}  {told}"]
    lines += [f"  because  {text}" for text in detection.evidence]
    lines += [f"  look at  {text}" for text in detection.look]
    for one in detection.daemonsets:
        if one.reading.mode is not Mode.NONE:
            lines += ["", *_paragraph(one, paint)]
    rest = [one.ref.name for one in detection.daemonsets if one.reading.mode is Mode.NONE]
    if rest:
        lines += ["", f"no data path: {', '.join(sorted(set(rest)))}"]
    if network:
        lines += ["", f"write `network: {network}` into the policy, or give --network {network}"]
    return "\n".join(lines) + "\n"


def _paragraph(one: DaemonSetMode, paint: Paint) -> Iterator[str]:
    place = ":".join(str(p) for p in (one.location.file, one.location.line) if p)
    yield f"{paint(str(one.ref), 'bold')}  {place}".rstrip()
    yield f"  mode     {one.reading.mode} ({one.addon})"
    for text in one.reading.evidence:
        yield f"  for      {text}"
    for text in one.reading.against:
        yield f"  against  {text}"
    if one.idle:
        yield f"  note     it does not count: {one.idle}"
    if one.reading.look:
        yield f"  look at  {one.reading.look}"
