"""The words of placement: sides, cloud nodes, and the answer to "where can this land?"."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any


class Side(enum.StrEnum):
    """One side of a hybrid cluster."""

    ON_PREM = "on-prem"
    CLOUD = "cloud"

    @property
    def other(self) -> Side:
        """The opposite side."""
        return Side.CLOUD if self is Side.ON_PREM else Side.ON_PREM


class Sides(enum.StrEnum):
    """Where a pod spec can land."""

    ON_PREM = "on-prem"
    CLOUD = "cloud"
    BOTH = "both"
    NONE = "none"

    @classmethod
    def of(cls, *, on_prem: bool, cloud: bool) -> Sides:
        """Return the answer for two yes-or-no questions."""
        if on_prem and cloud:
            return cls.BOTH
        if on_prem:
            return cls.ON_PREM
        return cls.CLOUD if cloud else cls.NONE


@dataclass(frozen=True, kw_only=True)
class CloudNodes:
    """The label that tells cloud nodes: one key, and the values that mean cloud."""

    key: str = "alibabacloud.com/external"
    values: tuple[str, ...] = ("true",)

    def side_of(self, labels: Mapping[str, str]) -> Side:
        """Return the side of a node with these labels."""
        return Side.CLOUD if labels.get(self.key) in self.values else Side.ON_PREM

    def expression(self, side: Side) -> dict[str, Any]:
        """Return the node selector requirement that keeps a pod on `side`, a new one each time."""
        operator = "In" if side is Side.CLOUD else "NotIn"
        return {"key": self.key, "operator": operator, "values": list(self.values)}

    @cached_property
    def text(self) -> dict[Side, str]:
        """The same requirements as people write them: `key NotIn [true]`."""
        shown = ", ".join(self.values)
        return {
            Side.ON_PREM: f"{self.key} NotIn [{shown}]",
            Side.CLOUD: f"{self.key} In [{shown}]",
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Witness:
    """Why one side can or cannot be reached.

    `term` is the index in nodeSelectorTerms that decided it, None where no term had a say.
    `expression` quotes what decided it (`nodeSelectorTerms[1].matchExpressions[0]: key In [a]`).
    For a side that is possible `labels` and `node` are the labels and the name of a node that fits.
    """

    possible: bool
    reason: str
    term: int | None = None
    expression: str | None = None
    labels: dict[str, str] | None = None
    node: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """Where a pod spec can land, with a witness for each side."""

    sides: Sides
    on_prem: Witness
    cloud: Witness

    def witness(self, side: Side) -> Witness:
        """Return the witness of one side."""
        return self.on_prem if side is Side.ON_PREM else self.cloud
