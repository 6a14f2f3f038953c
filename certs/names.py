"""Names that a certificate can be for, and that Kubernetes takes.

Each function returns what it was given, or raises UnusableNameError. A DNS name here is one that
cryptography's verifier takes, so that a leaf for it can be verified.
"""

from __future__ import annotations

import ipaddress
import re

_DNS = 253
_LABEL = re.compile(r"[A-Za-z0-9]([-A-Za-z0-9]{0,61}[A-Za-z0-9])?")
_KUBERNETES_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")


class UnusableNameError(ValueError):
    """A name that nobody can use: what is wrong, and what to write."""


def host(text: str) -> str:
    """Return a DNS name or an IP address, which goes into the certificate."""
    if _is_address(text):
        return text
    try:
        return dns(text)
    except UnusableNameError:
        raise UnusableNameError(
            "no DNS name and no IP address: write it as callers do, without scheme, port or "
            "wildcard, as guard.example.com or 192.0.2.1"
        ) from None


def dns(text: str) -> str:
    """Return a DNS name whose last part is no number, as an address written short would have."""
    labels = text.split(".")
    fits = len(text) <= _DNS and all(map(_LABEL.fullmatch, labels))
    if not fits or labels[-1].isdigit():
        raise UnusableNameError(
            "no DNS name: write letters, digits and hyphens, at most 63 between two dots and 253 "
            "in all, none at the end, and what has other letters as xn--"
        )
    return text


def label(text: str) -> str:
    """Return the name of a Service or namespace (RFC 1123 label)."""
    if not _KUBERNETES_LABEL.fullmatch(text):
        raise UnusableNameError(
            "not a name that Kubernetes gives it: write at most 63 small letters, digits and "
            "hyphens, a letter or digit at both ends"
        )
    return text


def subdomain(text: str) -> str:
    """Return the name of any other object (RFC 1123 subdomain)."""
    if len(text) > _DNS or not all(map(_KUBERNETES_LABEL.fullmatch, text.split("."))):
        raise UnusableNameError(
            "not a name that Kubernetes gives it: write at most 253 small letters, digits, "
            "hyphens and dots, a letter or digit at both ends"
        )
    return text


def _is_address(text: str) -> bool:
    try:
        return "%" not in text and bool(ipaddress.ip_address(text))
    except ValueError:
        return False
