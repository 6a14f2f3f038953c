"""The words of a policy: each an enumeration, spelled as the policy file has it."""

from __future__ import annotations

import enum

from webhook.placement.model import Side


class Network(enum.StrEnum):
    """The data path of the on-prem CNI."""

    OVERLAY = "overlay"
    BGP = "bgp"
    HOST = "host"


class Placement(enum.StrEnum):
    """What policy asks of a workload."""

    ON_PREM = "on-prem"
    CLOUD = "cloud"
    ANY = "any"

    @property
    def side(self) -> Side | None:
        """The side asked for, or None for any."""
        return _SIDES.get(self)


_SIDES = {Placement.ON_PREM: Side.ON_PREM, Placement.CLOUD: Side.CLOUD}


class Action(enum.StrEnum):
    """What admission does about a workload that could land on the wrong side."""

    INJECT = "inject"
    WARN = "warn"
    DENY = "deny"


class Conflicts(enum.StrEnum):
    """What admission does about a workload that contradicts a rule of the user's."""

    DENY = "deny"
    WARN = "warn"


class OnUpdate(enum.StrEnum):
    """Which UPDATEs are injected."""

    ALWAYS = "always"
    TEMPLATE_CHANGED = "template-changed"


class Enforcement(enum.StrEnum):
    """Whether the requirement binds the scheduler or only leans on it."""

    REQUIRED = "required"
    PREFERRED = "preferred"


class Credentials(enum.StrEnum):
    """Where Terway's credentials may come from."""

    INLINE = "inline"
    SECRET_OR_INLINE = "secret-or-inline"  # noqa: S105  # a mode, not a secret
    OFF = "off"
