"""The parts of service_cidr: one range of IPv4 and one of IPv6, if it is right."""

from __future__ import annotations

from webhook.eni.document import EniDocument

MOST = 16  # parts that are read: a longer list is wrong whatever they say


def text(document: EniDocument) -> str:
    """Return service_cidr, empty where it is absent or blank."""
    given: str = (document.values or {}).get("service_cidr", "")
    return given if given.strip() else ""


def parts(document: EniDocument) -> list[str]:
    """Return the first MOST parts."""
    given = text(document)
    return given.split(",", MOST)[:MOST] if given else []


def are_too_many(document: EniDocument) -> bool:
    """Tell whether there are over MOST parts."""
    return text(document).count(",") >= MOST
