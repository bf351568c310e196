"""What a round looks at, and what it changes: pure decisions around `matching.propose`."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Literal
from uuid import UUID

from matching.fairness import families
from matching.model import Assignment, Catalogue, Category, Edge, Plan, Policy, Refusal
from matching.ranking import AdditiveModel
from shared import tables
from shared.events import Alternative, AreaShare, Factor

SEED = 20240806
"""Decides between plans of equal score. It is fixed and stored with each round, so that anyone can repeat one."""

Reason = Literal["better_plan", "need_changed", "need_withdrawn", "offer_changed", "offer_withdrawn", "taken"]

# Which reason of the engine speaks for which part of the score.
SPEAKS = {
    "vulnerability": "priority",
    "urgency": "urgency",
    "waiting": "waiting",
    "category": "substitute",
    "area": "same_town",
    "distance": "distance",
    "expiry": "expires",
    "designation": "designated",
    "quantity": "part",
}


@cache
def policy() -> Policy:
    """The office's settings for the engine."""
    return Policy.load(tables.policy()["matching"])


@cache
def catalogue() -> Catalogue:
    """The taxonomy as the engine reads it."""
    return {
        code: Category(
            code=code,
            group=row.group,
            kind=row.kind,
            consumable=row.consumable,
            licence=row.licence,
            safety_class=row.safety_class,
            shelf_margin_days=row.shelf_margin_days,
            accepts=row.accepts,
            incompatible=row.incompatible,
        )
        for code, row in tables.categories().items()
    }


@cache
def _families() -> Mapping[str, str]:
    return families(catalogue())


def head_of(code: str) -> str:
    """The category that the family of this one goes by."""
    return _families().get(code, code)


def component(dirty: Iterable[str]) -> tuple[str, ...]:
    """The categories that a change in `dirty` can reach through substitutes: they must be planned together."""
    changed = set(dirty)
    heads = {head_of(code) for code in changed}
    return tuple(sorted(changed | {code for code, head in _families().items() if head in heads}))


def reach(code: str, joined: Iterable[Iterable[str]]) -> tuple[str, ...]:
    """The heads of the families that must be planned with a category's own: those that a chain of bundles joins it to.

    `joined`: sets of categories that open bundles ask for together.
    """
    sets = [{head_of(one) for one in codes} for codes in joined]
    found = {head_of(code)}
    while further := [heads for heads in sets if heads & found and not heads <= found]:
        found.update(*further)
    return tuple(sorted(found))


def fingerprint(model: AdditiveModel) -> str:
    """What tells plans under these settings, this taxonomy and this model from others: their prices say nothing of each other."""
    settings = repr((policy(), sorted(catalogue().items()), model))
    return hashlib.sha256(settings.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Pending:
    """A proposal that waits for a decision, and what has become of its need and offer since it was made."""

    id: UUID
    need_id: UUID
    offer_id: UUID
    area: str
    quantity: int
    by_person: UUID | None
    need_gone: bool
    offer_gone: bool
    need_changed: bool
    offer_changed: bool
    need_over: bool
    offer_over: bool
    need_left: int
    offer_left: int
    consent: bool
    score: int = 0
    model_changed: bool = False


@dataclass(frozen=True, slots=True)
class Changes:
    """What a round does: proposals that stay, those taken back with the reason, and the assignments to propose anew."""

    kept: tuple[UUID, ...]
    stale: Mapping[UUID, Reason]
    new: tuple[Assignment, ...]


def compare(plan: Plan, pending: Sequence[Pending]) -> Changes:
    """Proposals of the same need, offer and quantity stay as they are, unless their need, offer or the model was changed and they
    score differently now; a person's stay as long as they are possible."""
    planned = {(a.need_id, a.offer_id): a for a in plan.assignments}
    kept: list[UUID] = []
    stale: dict[UUID, Reason] = {}
    for proposal in pending:
        key = (str(proposal.need_id), str(proposal.offer_id))
        if proposal.by_person is not None:
            reason = impossible(proposal)
        elif (
            key in planned
            and planned[key].quantity == proposal.quantity
            and not _outdated(proposal, planned[key])
        ):
            del planned[key]
            reason = None
        else:
            reason = impossible(proposal) or _moved(proposal)
        if reason is None:
            kept.append(proposal.id)
        else:
            stale[proposal.id] = reason
    return Changes(tuple(kept), stale, tuple(planned.values()))


def _outdated(proposal: Pending, again: Assignment) -> bool:
    """Whether the reasons on the board are no longer those of the need, the offer and the model as they stand."""
    changed = proposal.need_changed or proposal.offer_changed or proposal.model_changed
    return changed and again.edge.score != proposal.score


def impossible(proposal: Pending) -> Reason | None:
    """Why a proposal can no longer be approved, if so."""
    if proposal.need_gone:
        return "need_withdrawn"
    if proposal.offer_gone:
        return "offer_withdrawn"
    if min(proposal.need_left, proposal.offer_left) < proposal.quantity:
        return "taken"
    if proposal.need_over or not proposal.consent:
        return "need_changed"
    return "offer_changed" if proposal.offer_over else None


def _moved(proposal: Pending) -> Reason:
    if proposal.need_changed:
        return "need_changed"
    return "offer_changed" if proposal.offer_changed else "better_plan"


def factors(edge: Edge) -> tuple[Factor, ...]:
    """The parts of a score with what their sentences need; the points add up to the score."""
    said = {reason.code: dict(reason.params) for reason in edge.reasons}
    return tuple(
        Factor(code=code, points=points, params=said.get(SPEAKS.get(code, ""), {}))
        for code, points in edge.contributions
    )


def alternatives(edges: Sequence[Edge]) -> tuple[Alternative, ...]:
    """Other offers for the same need, best first."""
    return tuple(
        Alternative(offer_id=UUID(edge.offer_id), score=edge.score, factors=factors(edge)) for edge in edges
    )


def missing(plan: Plan, asked: Mapping[str, int]) -> dict[str, int]:
    """For each need (id -> open quantity) that the plan leaves short, how much it still lacks."""
    given: Counter[str] = Counter()
    for assignment in plan.assignments:
        given[assignment.need_id] += assignment.quantity
    return {need: quantity - given[need] for need, quantity in asked.items() if quantity > given[need]}


def refusals_of(plan: Plan) -> dict[str, list[Refusal]]:
    """The refusals by need, those that count most offers first."""
    found: dict[str, list[Refusal]] = defaultdict(list)
    for refusal in plan.refusals:
        found[refusal.need_id].append(refusal)
    return {need: sorted(some, key=lambda r: (-r.count, r.rule)) for need, some in found.items()}


def counted(refusals: Mapping[str, Sequence[Refusal]], short: Iterable[str]) -> dict[str, int]:
    """How many of the needs left short meet each rule."""
    rules = Counter(rule for need in short for rule in {refusal.rule for refusal in refusals.get(need, ())})
    return dict(sorted(rules.items(), key=lambda item: (-item[1], item[0])))


def fairness(plan: Plan) -> tuple[AreaShare, ...]:
    """Town by town the share of needs met before and after the plan."""
    return tuple(
        AreaShare(area=row.area, needs=row.needs, share_before=row.share_before, share_after=row.share_after)
        for row in plan.fairness
    )
