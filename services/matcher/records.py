"""A round as it is stored and as it is told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from matching.model import Plan
from services.matcher import rules
from services.matcher.loading import Scope
from shared.events import ProposalMade, ProposalSuperseded, RoundCompleted


@dataclass(frozen=True, slots=True)
class Round:
    """One run: what it saw, what it planned, and what that changes."""

    id: UUID
    dry: bool
    at: datetime
    scope: Scope
    plan: Plan
    changes: rules.Changes
    short: Mapping[str, int]
    seconds: float
    resumed: bool = False


def superseded(row: Mapping[str, Any], reason: rules.Reason) -> ProposalSuperseded:
    """A stored proposal that is taken back."""
    return ProposalSuperseded(
        version=2,
        proposal_id=row["id"],
        need_id=row["need_id"],
        offer_id=row["offer_id"],
        area=row["area"],
        reason=reason,
    )


def row_of(
    event: ProposalMade, category: str, versions: Mapping[str, int], model_id: UUID | None
) -> dict[str, Any]:
    """A proposal as it is stored: with the versions of need and offer that it was made from, and the model that scored it."""
    return {
        "id": str(event.proposal_id),
        "round_id": str(event.round_id) if event.round_id else None,
        "by_person": str(event.proposed_by) if event.proposed_by else None,
        "need_id": str(event.need_id),
        "offer_id": str(event.offer_id),
        "area": event.area,
        "category": category,
        "quantity": event.quantity,
        "score": event.score,
        "need_version": versions[str(event.need_id)],
        "offer_version": versions[str(event.offer_id)],
        "model_id": str(model_id) if model_id else None,
    }


def unserved_rows(this: Round) -> list[dict[str, Any]]:
    """The needs left short, with what was refused to each."""
    refusals = rules.refusals_of(this.plan)
    return [
        {
            "need_id": need.id,
            "area": need.area,
            "category": need.category,
            "missing": this.short[need.id],
            "refusals": [
                {"rule": r.rule, "count": r.count, "offer_id": r.example_offer_id}
                for r in refusals.get(need.id, ())
            ],
        }
        for need in this.scope.needs
        if need.id in this.short
    ]


def completed(this: Round) -> RoundCompleted:
    """What the others are told of a round."""
    certificate = this.plan.certificate
    return RoundCompleted(
        round_id=this.id,
        started_at=this.at,
        seconds=this.seconds,
        categories=this.scope.categories,
        seed=certificate.seed,
        needs=certificate.needs,
        offers=certificate.offers,
        edges=certificate.edges,
        proposed=len(this.changes.new),
        unserved=len(this.short),
        objective=certificate.objective,
        upper_bound=certificate.upper_bound,
        gap=certificate.gap,
        fairness=rules.fairness(this.plan),
    )


def round_row(this: Round) -> dict[str, Any]:
    """What is kept of a round."""
    certificate = this.plan.certificate
    return {
        "id": this.id,
        "dry_run": this.dry,
        "started_at": this.at,
        "seconds": this.seconds,
        "resumed": this.resumed,
        "seed": certificate.seed,
        "categories": list(this.scope.categories),
        "needs": certificate.needs,
        "offers": certificate.offers,
        "edges": certificate.edges,
        "kept": len(this.changes.kept),
        "made": len(this.changes.new),
        "superseded": len(this.changes.stale),
        "unserved": len(this.short),
        "certificate": {
            "objective": certificate.objective,
            "upper_bound": certificate.upper_bound,
            "gap": certificate.gap,
            "method": certificate.method,
        },
        "fairness": [share.model_dump(mode="json") for share in rules.fairness(this.plan)],
        "shares": dict(this.scope.shares),
        "refused": rules.counted(rules.refusals_of(this.plan), this.short),
    }
