"""The pairs of two plans that differ, and why."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np

from matching.explain import explain
from matching.features import fairness_points
from matching.model import Assignment, Need, Offer
from matching.shortfall import HELD_BACK
from services.matcher import rules
from services.matcher.trials import Trial

SHOWN = 20
Pair = tuple[str, str]
Code = Literal[
    "need_left_out", "offer_left_out", "need_added", "offer_added", "refused", "allowed", "served_otherwise", "instead_of",
    "outranked", "outranks", "fairness", "freed", "balance",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Why:
    """Why a pair has more or less under the scenario.

    The need or offer is left out or added; the pair is `refused` there or only `allowed` there (`rule`: the one that bars it in
    the other plan, '' where it ranks below what is looked at); the need is `served_otherwise` or turns here `instead_of` an offer
    (`offer_id`); it is `outranked` by another need or `outranks` it by score, or `fairness` decides between them, or the other
    need `freed` the offer (`need_id`); `balance`: nothing of these, the sum over all pairs is larger so.
    """

    code: Code
    need_id: str | None = None
    offer_id: str | None = None
    rule: str | None = None


@dataclass(frozen=True, slots=True)
class PairMoved:
    """Units of an offer that a need gets as is and under the scenario; `score`: milli-points a unit, with what fairness adds, under
    the scenario where it has any there."""

    need_id: str
    offer_id: str
    as_is: int
    scenario: int
    score: int
    why: Why


@dataclass(frozen=True, slots=True)
class Moves:
    """How many pairs are new, gone, larger and smaller, and the first of all these by score."""

    new: int
    gone: int
    larger: int
    smaller: int
    first: tuple[PairMoved, ...]


def moves(as_is: Trial, scenario: Trial, most: int = SHOWN) -> Moves:
    """What the scenario's plan gives otherwise, with reasons for the first `most` pairs."""
    one, other = _View(as_is), _View(scenario)
    pairs = [
        pair for pair in one.units.keys() | other.units.keys() if one.units_of(pair) != other.units_of(pair)
    ]
    sizes = [(one.units_of(pair), other.units_of(pair)) for pair in pairs]
    scores = {pair: (other if pair in other.units else one).units[pair].edge.score for pair in pairs}
    first = sorted(pairs, key=lambda pair: (-scores[pair], pair))[:most]
    return Moves(
        new=sum(before == 0 for before, _ in sizes),
        gone=sum(after == 0 for _, after in sizes),
        larger=sum(0 < before < after for before, after in sizes),
        smaller=sum(0 < after < before for before, after in sizes),
        first=tuple(
            PairMoved(*pair, one.units_of(pair), other.units_of(pair), scores[pair], _why(pair, one, other))
            for pair in first
        ),
    )


class _View:
    """What the reasons look up in one plan."""

    def __init__(self, trial: Trial) -> None:
        self.trial = trial
        self.units: Mapping[Pair, Assignment] = {(a.need_id, a.offer_id): a for a in trial.plan.assignments}
        self.needs: Mapping[str, Need] = {need.id: need for need in trial.scope.needs}
        self.offers: Mapping[str, Offer] = {offer.id: offer for offer in trial.scope.offers}

    @cached_property
    def waiting(self) -> frozenset[Pair]:
        """Pairs that wait on the board."""
        return self.trial.scope.waiting

    def units_of(self, pair: Pair) -> int:
        return self.units[pair].quantity if pair in self.units else 0

    @cached_property
    def takers(self) -> Mapping[str, list[str]]:
        """The needs that each offer goes to."""
        return _grouped((offer, need) for need, offer in self.units)

    @cached_property
    def sources(self) -> Mapping[str, list[str]]:
        """The offers that each need gets."""
        return _grouped(self.units)

    @cached_property
    def _places(self) -> tuple[dict[str, int], dict[str, int]]:
        sheet = self.trial.sheet
        needs, offers = sheet.need_ids.tolist(), sheet.offer_ids.tolist()
        return {name: place for place, name in enumerate(needs)}, {
            name: place for place, name in enumerate(offers)
        }

    def score(self, pair: Pair) -> int | None:
        """Milli-points a unit as `Trial.score` counts them; None for a pair that the plan did not look at."""
        sheet, (needs, offers) = self.trial.sheet, self._places
        if pair[0] not in needs or pair[1] not in offers:
            return None
        first, last = sheet.start[needs[pair[0]]], sheet.start[needs[pair[0]] + 1]
        found = np.flatnonzero(sheet.offer[first:last] == offers[pair[1]])
        stay = self.trial.stay if pair in self.waiting else 0
        return int(sheet.score[first + found[0]]) - stay if found.size else None

    def held_back(self, need_id: str) -> bool:
        """Whether the need is left short because offers are kept for others to come."""
        return any(r.need_id == need_id and r.rule == HELD_BACK for r in self.trial.plan.refusals)

    def rule(self, pair: Pair) -> str:
        """The rule that bars a pair here; '' if none does, and it only ranks below the pairs that are looked at."""
        scope = self.trial.scope
        verdict = explain(
            self.needs[pair[0]], [self.offers[pair[1]]], catalogue=rules.catalogue(), policy=self.trial.policy,
            model=scope.champion.model, now=self.trial.now, past=scope.past, pending=scope.pending, shares=scope.shares,
            declined=scope.declined,
        )  # fmt: skip
        if verdict.edges:
            return ""
        return verdict.barred or next((rule for _, rule in verdict.refused), "no_offer_of_category")

    def fairness(self, need_id: str) -> tuple[int, int]:
        """Milli-points of fairness for a need: before anything is given, and where the plan stands."""
        start = round(1000 * fairness_points(self.needs[need_id], self.trial.policy, self.trial.scope.shares))
        spare = self.trial.plan.alternatives.get(need_id, ())
        got = [self.units[need_id, offer].edge for offer in self.sources.get(need_id, [])[:1]]
        edge = next(iter((*spare[:1], *got)), None)
        return start, dict(edge.contributions).get("fairness", 0) if edge else 0


def _grouped(pairs: Iterable[Pair]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = defaultdict(list)
    for key, value in sorted(pairs):
        found[key].append(value)
    return found


def _why(pair: Pair, one: _View, other: _View) -> Why:
    more = other.units_of(pair) > one.units_of(pair)
    return _gained(pair, one, other) if more else _lost(pair, one, other)


def _lost(pair: Pair, one: _View, other: _View) -> Why:
    need, offer = pair
    if need not in other.needs:
        return Why("need_left_out")
    if offer not in other.offers:
        return Why("offer_left_out")
    if other.score(pair) is None:
        return Why("refused", rule=other.rule(pair))
    instead = [o for o in other.sources.get(need, []) if other.units_of((need, o)) > one.units_of((need, o))]
    if instead and other.trial.given[need] >= one.trial.given[need]:
        return Why("served_otherwise", offer_id=instead[0])
    rivals = [n for n in other.takers.get(offer, []) if other.units_of((n, offer)) > one.units_of((n, offer))]
    if not rivals and other.held_back(need):
        return Why("refused", rule=HELD_BACK)
    return _between(rivals, need, offer, other, won=False)


def _gained(pair: Pair, one: _View, other: _View) -> Why:
    need, offer = pair
    if need not in one.needs:
        return Why("need_added")
    if offer not in one.offers:
        return Why("offer_added")
    if one.score(pair) is None:
        return Why("allowed", rule=one.rule(pair))
    losers = [n for n in one.takers.get(offer, []) if one.units_of((n, offer)) > other.units_of((n, offer))]
    for loser in losers:
        elsewhere = other.trial.given.get(loser, 0) >= one.trial.given[loser]
        if elsewhere or other.score((loser, offer)) is None:
            return Why("freed", need_id=loser)
    if losers:
        return _between(losers, need, offer, other, won=True)
    if one.held_back(need):
        return Why("allowed", rule=HELD_BACK)
    left = [o for o in one.sources.get(need, []) if one.units_of((need, o)) > other.units_of((need, o))]
    return Why("instead_of", offer_id=left[0]) if left else Why("balance")


def _between(rivals: Sequence[str], need: str, offer: str, view: _View, *, won: bool) -> Why:
    """What decided between a need and those that have more, or less, of the offer instead: the strongest or weakest is named."""
    scored = [(score, rival) for rival in rivals if (score := view.score((rival, offer))) is not None]
    own = view.score((need, offer))
    if not scored or own is None:
        return Why("balance")
    score, rival = min(scored) if won else max(scored)
    winner, loser = (need, rival) if won else (rival, need)
    ahead = own - score if won else score - own
    if ahead > 0:
        return Why("outranks" if won else "outranked", need_id=rival)
    fairer = any(up > down for up, down in zip(view.fairness(winner), view.fairness(loser), strict=True))
    return Why("fairness", need_id=rival) if fairer else Why("balance")
