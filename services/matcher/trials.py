"""Planning a board that isn't there: the scope of a round under other settings, with other needs and offers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property

from matching.model import Need, Offer, Plan, Policy
from matching.plansheet import PlanSheet
from matching.ranking import RULES
from services.matcher import rules
from services.matcher.champion import InForce
from services.matcher.loading import Scope
from services.matcher.rounds import plan_of

MILLI = 1_000


@dataclass(frozen=True, slots=True)
class Scenario:
    """What is different: the office's settings, `by_rules` in place of the model in force, needs and offers (by id) left out and
    added."""

    policy: Policy
    by_rules: bool = False
    without_needs: frozenset[str] = frozenset()
    without_offers: frozenset[str] = frozenset()
    needs: tuple[Need, ...] = ()
    offers: tuple[Offer, ...] = ()


@dataclass(frozen=True)
class Trial:
    """One way to plan a scope, with its plan."""

    scope: Scope
    policy: Policy
    now: datetime
    plan: Plan

    @cached_property
    def sheet(self) -> PlanSheet:
        """The plan as it is written to a file."""
        assert self.plan.sheet is not None
        return self.plan.sheet()

    @cached_property
    def given(self) -> Mapping[str, int]:
        """Units that each need gets."""
        units: Counter[str] = Counter()
        for assignment in self.plan.assignments:
            units[assignment.need_id] += assignment.quantity
        return units

    @property
    def stay(self) -> int:
        """Milli-points that a unit of a pair counts more while it waits on the board; no part of its score."""
        return MILLI * self.policy.stability_points

    @property
    def score(self) -> int:
        """The sum of score × quantity in milli-points, without fairness and what speaks for leaving the board as it is."""
        waiting = self.scope.waiting
        stayed = sum(a.quantity for a in self.plan.assignments if (a.need_id, a.offer_id) in waiting)
        return int((self.sheet.score.astype("int64") * self.sheet.units).sum()) - self.stay * stayed


def both(scope: Scope, scenario: Scenario, now: datetime) -> tuple[Trial, Trial]:
    """The scope planned as a round would, and under the scenario. The same input gives the same plans."""
    return tried(scope, rules.policy(), now), tried(under(scope, scenario), scenario.policy, now)


def under(scope: Scope, scenario: Scenario) -> Scope:
    """The scope with the scenario's needs, offers and model. What was received, promised and declined stays."""
    kept_needs = [need for need in scope.needs if need.id not in scenario.without_needs]
    kept_offers = [offer for offer in scope.offers if offer.id not in scenario.without_offers]
    return replace(
        scope,
        needs=(*kept_needs, *scenario.needs),
        offers=(*kept_offers, *scenario.offers),
        champion=InForce(None, RULES) if scenario.by_rules else scope.champion,
    )


def tried(scope: Scope, policy: Policy, now: datetime) -> Trial:
    """What a round over this scope would plan under this policy."""
    return Trial(scope, policy, now, plan_of(scope, now, policy))
