"""Where each workload can land beside where it belongs: the matrix of the HTML report."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from webhook.audit.report import Row
from webhook.placement.model import Side, Sides
from webhook.policy.words import Enforcement

LISTED = 1000  # workloads on no wrong side; a page with all of a large cluster's opens slowly
_WRONG = ("wrong", "none")


@dataclass(frozen=True, slots=True)
class Workload:
    """A line of it. `wanted`: the side it must keep to, if any; `verdict` is one of Matrix's."""

    row: Row
    wanted: Side | None
    verdict: str


@dataclass(slots=True)
class Matrix:
    """Workloads on a wrong side, some of the others, and how many there are of each verdict.

    `wrong`: can land where it must not; `none`: nowhere; `right`: only where it belongs; `free`.
    """

    wrong: list[Workload] = field(default_factory=list)
    others: list[Workload] = field(default_factory=list)
    verdicts: Counter[str] = field(default_factory=Counter)

    @property
    def unlisted(self) -> int:
        """How many are counted and not listed."""
        return self.verdicts.total() - len(self.wrong) - len(self.others)


def of(rows: Iterable[Row]) -> Matrix:
    """Return the matrix, each list by namespace and name."""
    matrix = Matrix()
    for row in rows:
        workload = _judged(row)
        matrix.verdicts[workload.verdict] += 1
        if workload.verdict in _WRONG:
            matrix.wrong.append(workload)
        elif len(matrix.others) < LISTED:
            matrix.others.append(workload)
    matrix.wrong.sort(key=_order)
    matrix.others.sort(key=_order)
    return matrix


def _judged(row: Row) -> Workload:
    required = row.decision.enforcement is Enforcement.REQUIRED
    wanted = row.decision.placement.side if required else None
    return Workload(row, wanted, _verdict(row, wanted))


def _verdict(row: Row, wanted: Side | None) -> str:
    if row.proof is not None and row.proof.sides is Sides.NONE:
        return "none"
    if wanted is None or row.proof is None:
        return "free"
    return "right" if row.proof.sides.value == wanted.value else "wrong"


def _order(workload: Workload) -> tuple[str, str, str]:
    ref = workload.row.ref
    return ref.namespace or "", ref.name, ref.kind
