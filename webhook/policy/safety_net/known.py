"""Which add-on of the catalogue a DaemonSet was, in CEL: `webhook.policy.catalogue.find`.

The stored object tells: an update that changes the image must not make the add-on a stranger.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import groupby

from webhook.policy.catalogue import CATALOGUE, AddOn
from webhook.policy.safety_net.literals import literal
from webhook.policy.words import Network, Placement

CONTAINERS = 32
"""How many containers are looked at, and how long an image may be: regular expressions cost by
length. No DaemonSet has more; one with more counts as known."""
IMAGE_LENGTH = 300

_NAME = "(oldObject.metadata.namespace + '/' + oldObject.metadata.name)"
_IMAGE = "(oldObject.metadata.namespace + ' ' + c.?image.orValue(''))"


def side(network: Network) -> str:
    """Return the CEL for the side of the add-on that `oldObject` is: '' where it is none.

    Names of all add-ons go before images, and the catalogue's order decides, as it does there.
    """
    by_name = (
        f"{_NAME}.matches({literal(regex)}) ? '{where}'"
        for where, _, regex in _groups(network, _names)
    )
    by_image = (
        f"oldObject.metadata.namespace in {literal(namespaces)}\n"
        f"  && (size(oldObject.spec.template.spec.containers) > {CONTAINERS}\n"
        "  || oldObject.spec.template.spec.containers.exists(c,"
        f" size(c.?image.orValue('')) > {IMAGE_LENGTH}\n"
        f"  || {_IMAGE}.matches({literal(regex)}))) ? '{where}'"
        for where, namespaces, regex in _groups(network, _images)
    )
    return " :\n".join((*by_name, *by_image, "''"))


def _groups(
    network: Network, regex: Callable[[AddOn], str]
) -> Iterator[tuple[str, list[str], str]]:
    """Yield side, namespaces and expression of neighbours in the catalogue that share a side."""
    told = [addon for addon in CATALOGUE if regex(addon)]
    for where, group in groupby(told, key=lambda addon: _side(addon, network)):
        addons = list(group)
        namespaces = sorted({name for addon in addons for name in addon.namespaces})
        yield where, namespaces, f"^(?s:{'|'.join(map(regex, addons))})$"


def _side(addon: AddOn, network: Network) -> str:
    placement = addon.placement(network)
    return "" if placement is Placement.ANY else placement.value


def _names(addon: AddOn) -> str:
    names = (*addon.daemonsets, *addon.companions)
    return f"{_one_of(addon.namespaces)}/{_one_of(names).replace('*', '.*')}"


def _images(addon: AddOn) -> str:
    """Return the expression for `namespace image`: the repository's last two parts tell."""
    if not addon.images:
        return ""
    return f"{_one_of(addon.namespaces)} ([^@]*/)?{_one_of(addon.images)}(:[^/@]*)?(@.*)?"


def _one_of(words: tuple[str, ...]) -> str:
    text = "|".join(word.replace(".", r"\.") for word in words)
    return f"({text})" if len(words) > 1 else text
