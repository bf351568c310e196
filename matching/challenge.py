"""A challenger learned from decisions, with the card that says what it learned from and how it fared."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import numpy as np

from matching.columns import Floats
from matching.evaluation import Judged, evaluate
from matching.learning import Decision, Split, Table, profile, split
from matching.ranking import AdditiveModel
from matching.training import Fitted, fit, likelihood

MIN_BEFORE, MIN_AFTER = 100, 30


class TooFew(ValueError):
    """Too few decisions to learn from and to check against; wait for more."""


@dataclass(frozen=True, slots=True)
class Challenge:
    """`card`: plain JSON values; see `card_of`."""

    model: AdditiveModel
    card: dict[str, Any]


def challenge(
    decisions: Sequence[Decision], champion: AdditiveModel, now: datetime, name: str = "learned"
) -> Challenge:
    """Learn from the earlier decisions and compare with `champion` on the later ones.

    What is compared is what may be promoted: it is not fitted again on everything. Raises `TooFew`, or
    `training.OneSided` if the decisions are all alike.
    """
    parts = split(decisions, now)
    if len(parts.before) < MIN_BEFORE or len(parts.after) < MIN_AFTER:
        raise TooFew(TooFew.__doc__)
    fitted = fit(parts.before, name=name)
    return Challenge(fitted.model, card_of(decisions, parts, fitted, champion))


def card_of(
    decisions: Sequence[Decision], parts: Split, fitted: Fitted, champion: AdditiveModel
) -> dict[str, Any]:
    """Data, periods and counts; measures of both models, overall and by group; the spread of the features learned from."""
    result = evaluate(parts.after, _judged(champion, parts), _judged(fitted.model, parts))
    return {
        "champion": champion.name,
        "decisions": len(decisions),
        "left_out": len(decisions) - len(parts.before) - len(parts.after),
        "learned": _part(parts.before),
        "checked": _part(parts.after),
        "first": min(decision.at for decision in decisions).isoformat(),
        "cut": parts.cut.isoformat(),
        "last": max(decision.at for decision in decisions).isoformat(),
        "lift": fitted.lift,
        "measures": asdict(result),
        "profile": profile(parts.before.features),
    }


def _part(table: Table) -> dict[str, int]:
    return {"rows": len(table), "good": int(table.positive.sum())}


def _judged(model: AdditiveModel, parts: Split) -> Judged:
    before, after = _scores(model, parts.before), _scores(model, parts.after)
    return Judged(after, likelihood(before, parts.before, after))


def _scores(model: AdditiveModel, table: Table) -> Floats:
    return np.asarray(model.contributions(table.features).sum(axis=1), dtype=np.float64)
