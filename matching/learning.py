"""Decisions and what became of them as a table to learn from: which of them speak of the pair, and what was
known when. Also how far today's pairs have moved from those that a model learned from.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any

import numpy as np

from matching.columns import Floats, Ints, seconds
from matching.features import NAMES

DECLINED: Mapping[str, float] = MappingProxyType(
    {"not_suitable": 1.0, "better_use": 1.0, "too_far": 1.0, "donor_condition": 0.5, "other": 0.5}
)
"""How much a decline counts, by its reason. What is not listed says nothing of the pair and is left out: the
household has it already, or nobody looked yet.
"""
NOT_HELPED = 0.5
DRIFT_WATCH, DRIFT_ACT = 0.1, 0.25
"""From which stability index on a feature is worth a look, and worth fitting anew."""


@dataclass(frozen=True, slots=True)
class Decision:
    """A proposal that a person decided, with the pair's features then, in the order of `features.NAMES`.

    `board`: what stood beside it and competed, any text. `reason`: of a decline. `outcome`: of the follow-up
    (helped, partly, not_helped), or ''.
    """

    at: datetime
    approved: bool
    features: tuple[float, ...]
    board: str = ""
    vulnerabilities: tuple[str, ...] = ()
    reason: str = ""
    received_at: datetime | None = None
    outcome: str = ""
    outcome_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Label:
    """`positive` 0 or 1, how much it counts, and its worth in a ranking: 1 approved, 2 received, 3 helped."""

    positive: int
    weight: float
    gain: int


def label(decision: Decision, known_at: datetime) -> Label | None:
    """What a decision teaches by what was known at `known_at`; None if it says nothing of the pair."""
    if not decision.approved:
        weight = DECLINED.get(decision.reason, 0.0)
        return Label(0, weight, 0) if weight else None
    outcome = decision.outcome if _by(decision.outcome_at, known_at) else ""
    if outcome == "not_helped":
        return Label(0, NOT_HELPED, 0)
    if outcome == "helped":
        return Label(1, 1.0, 3)
    return Label(1, 1.0, 2 if outcome or _by(decision.received_at, known_at) else 1)


def _by(moment: datetime | None, known_at: datetime) -> bool:
    return moment is not None and moment < known_at


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """What `label` kept, one row a decision in order of time. `at`: seconds; `board`: numbers of the boards."""

    features: Floats
    positive: Ints
    weight: Floats
    gain: Ints
    at: Floats
    board: Ints
    vulnerabilities: tuple[tuple[str, ...], ...]

    def __len__(self) -> int:
        return len(self.positive)


def table_of(decisions: Sequence[Decision], known_at: datetime) -> Table:
    """The decisions taken before `known_at`, by what was known then."""
    early = sorted((d for d in decisions if d.at < known_at), key=lambda d: (d.at, d.board, d.features))
    kept = [(decision, found) for decision in early if (found := label(decision, known_at))]
    boards = {name: number for number, name in enumerate(sorted({d.board for d, _ in kept}))}
    return Table(
        np.array([d.features for d, _ in kept], dtype=np.float64).reshape(len(kept), len(NAMES)),
        np.array([found.positive for _, found in kept], dtype=np.int64),
        np.array([found.weight for _, found in kept], dtype=np.float64),
        np.array([found.gain for _, found in kept], dtype=np.int64),
        np.array([seconds(d.at) for d, _ in kept], dtype=np.float64),
        np.array([boards[d.board] for d, _ in kept], dtype=np.int64),
        tuple(d.vulnerabilities for d, _ in kept),
    )


@dataclass(frozen=True, slots=True, eq=False)
class Split:
    """`before`: decided before `cut`, by what was known at `cut`; `after`: decided from then on, by what is known now."""

    before: Table
    after: Table
    cut: datetime


def split(decisions: Sequence[Decision], now: datetime, share: float = 0.75) -> Split:
    """Cut at the time before which `share` of the decisions lie; those of one moment stay together, after it."""
    times = sorted(decision.at for decision in decisions)
    cut = times[min(len(times) - 1, int(share * len(times)))] if times else now
    late = [decision for decision in decisions if decision.at >= cut]
    return Split(table_of(decisions, cut), table_of(late, now), cut)


Profile = Mapping[str, Any]
"""For each feature `edges` between bins and the `shares` of rows in them: JSON values."""


def profile(matrix: Floats, bins: int = 10) -> dict[str, Any]:
    """How each feature of (rows, NAMES) is spread, in bins of about equally many rows."""
    found = {}
    for name, column in zip(NAMES, matrix.T, strict=True):
        edges = np.unique(np.quantile(column, np.linspace(0, 1, bins + 1)[1:-1]))
        found[name] = {"edges": edges.tolist(), "shares": _shares(column, edges).tolist()}
    return found


def drift(reference: Profile, matrix: Floats) -> dict[str, float]:
    """The population stability index of each feature: 0 if spread as in `reference`; see `DRIFT_WATCH`, `DRIFT_ACT`."""
    return {
        name: _stability(np.array(reference[name]["shares"]), _shares(column, reference[name]["edges"]))
        for name, column in zip(NAMES, matrix.T, strict=True)
        if name in reference
    }


def _shares(column: Floats, edges: Any) -> Floats:
    counts = np.bincount(np.searchsorted(edges, column, side="left"), minlength=len(edges) + 1)
    return np.asarray(counts / max(1, len(column)))


def _stability(before: Floats, now: Floats) -> float:
    one, other = np.maximum(before, 1e-3), np.maximum(now, 1e-3)  # an empty bin would make it endless
    return float(np.sum((other - one) * np.log(other / one)))
