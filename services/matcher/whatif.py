"""What would be different: two plans of one board, as it is and under a scenario, side by side."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from matching.columns import town_of
from matching.model import Need
from services.matcher import rules
from services.matcher.moves import Moves, moves
from services.matcher.trials import Trial, tried


@dataclass(frozen=True, slots=True)
class PriceOfFairness:
    """A plan against the one that its scope would have with no points for fairness.

    `score_given_up`: milli-points of score × quantity; `share`, `share_without`: thousandths met, after the plan, of the town
    that has least then; `share_gained` is their difference.
    """

    score_given_up: int
    town: str
    share: int
    town_without: str
    share_without: int
    share_gained: int


@dataclass(frozen=True, slots=True)
class Measures:
    """One plan in numbers. Scores in milli-points: `score` is that of the pairs alone; `objective` counts fairness in, what is
    kept for later, and what speaks for leaving the board as it is."""

    needs: int
    offers: int
    served: int
    served_in_full: int
    units: int
    score: int
    objective: int
    upper_bound: int
    gap: float
    price_of_fairness: PriceOfFairness


@dataclass(frozen=True, slots=True)
class ShareMoved:
    """A town or a class of vulnerability: thousandths met before, after the plan as is, after the scenario's."""

    code: str
    before: int
    as_is: int
    scenario: int


@dataclass(frozen=True, slots=True)
class RuleMoved:
    """How many needs left short meet a rule."""

    rule: str
    as_is: int
    scenario: int


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two plans of one board side by side; `towns` and `classes` whose share differs, the largest difference first."""

    at: datetime
    as_is: Measures
    scenario: Measures
    pairs: Moves
    towns: tuple[ShareMoved, ...]
    classes: tuple[ShareMoved, ...]
    refused: tuple[RuleMoved, ...]


def compare(as_is: Trial, scenario: Trial) -> Comparison:
    """Everything that is different; two more plans are made, without fairness, for its price."""
    return Comparison(
        at=as_is.now,
        as_is=measures(as_is),
        scenario=measures(scenario),
        pairs=moves(as_is, scenario),
        towns=towns(as_is, scenario),
        classes=classes(as_is, scenario),
        refused=refused(as_is, scenario),
    )


def measures(trial: Trial) -> Measures:
    """The plan in numbers, with what fairness costs and brings; that takes a second plan."""
    proof, given = trial.plan.certificate, trial.given
    return Measures(
        needs=len(trial.scope.needs),
        offers=len(trial.scope.offers),
        served=len(given),
        served_in_full=sum(given.get(need.id, 0) >= need.quantity for need in trial.scope.needs),
        units=sum(given.values()),
        score=trial.score,
        objective=proof.objective,
        upper_bound=proof.upper_bound,
        gap=proof.gap,
        price_of_fairness=price_of_fairness(trial),
    )


def price_of_fairness(trial: Trial) -> PriceOfFairness:
    """What the towns' and classes' points cost the plan in score, and what the town with least gains by them."""
    blind = replace(trial.policy, fairness_points=0, class_fairness_points=0)
    plain = trial if blind == trial.policy else tried(trial.scope, blind, trial.now)
    (share, town), (share_without, town_without) = _worst(trial), _worst(plain)
    return PriceOfFairness(
        plain.score - trial.score, town, share, town_without, share_without, share - share_without
    )


def _worst(trial: Trial) -> tuple[int, str]:
    return min(((row.share_after, row.area) for row in trial.plan.fairness), default=(0, ""))


def towns(as_is: Trial, scenario: Trial) -> tuple[ShareMoved, ...]:
    """The towns whose share met differs, the largest difference first."""
    return _moved(as_is, scenario, lambda need: (town_of(need.area),))


def classes(as_is: Trial, scenario: Trial) -> tuple[ShareMoved, ...]:
    """The same for the classes of vulnerability; a need counts to each that it holds."""
    return _moved(as_is, scenario, lambda need: sorted(set(need.vulnerabilities)))


def _moved(as_is: Trial, scenario: Trial, of: Callable[[Need], Iterable[str]]) -> tuple[ShareMoved, ...]:
    known, one, other = as_is.scope.shares, met(as_is, of), met(scenario, of)
    rows = [
        # Who asks for nothing more stays where it was.
        ShareMoved(
            code, known.get(code, 0), one.get(code, known.get(code, 0)), other.get(code, known.get(code, 0))
        )
        for code in one.keys() | other.keys()
    ]
    moved = [row for row in rows if row.as_is != row.scenario]
    return tuple(sorted(moved, key=lambda row: (-abs(row.scenario - row.as_is), row.code)))


def met(trial: Trial, of: Callable[[Need], Iterable[str]]) -> dict[str, int]:
    """For each group with open needs the share met after the plan, in thousandths, as `matching.model.Fairness` counts it."""
    parts: dict[str, list[float]] = defaultdict(list)
    for need in trial.scope.needs:
        for code in of(need):
            parts[code].append(trial.given.get(need.id, 0) / need.quantity)
    before = {code: trial.scope.shares.get(code, 0) for code in parts}
    return {
        code: before[code] + round((1000 - before[code]) * sum(some) / len(some))
        for code, some in parts.items()
    }


def refused(as_is: Trial, scenario: Trial) -> tuple[RuleMoved, ...]:
    """How many needs left short meet each rule, the commonest under the scenario first."""
    one, other = _refused(as_is), _refused(scenario)
    rows = [RuleMoved(rule, one.get(rule, 0), other.get(rule, 0)) for rule in one.keys() | other.keys()]
    return tuple(sorted(rows, key=lambda row: (-row.scenario, -row.as_is, row.rule)))


def _refused(trial: Trial) -> dict[str, int]:
    short = rules.missing(trial.plan, {need.id: need.quantity for need in trial.scope.needs})
    return rules.counted(rules.refusals_of(trial.plan), short)
