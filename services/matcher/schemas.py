"""What the matcher is asked and what it answers. The request model is the command."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AfterValidator, BaseModel, Field, StrictBool

from shared.errors import RuleBroken
from shared.fields import IdempotencyKey, Quantity, Request
from shared.reasons import Told


def said(reason: str) -> str:
    """A reason in words, or none. Raises `RuleBroken` for a mere mark."""
    reason = reason.strip()
    if reason and len(reason) < 8:
        raise RuleBroken("reason_too_short", "请用一句话写明理由，至少 8 个字。")
    return reason


class AskRound(Request):
    """Have all categories planned anew; a dry run only says what would change."""

    dry_run: StrictBool = False
    idempotency_key: IdempotencyKey = None


class CancelRound(Request):
    """Call a round off."""

    round_id: UUID


class ProposeByHand(Request):
    """A person's suggestion, in place of a pending one when `replaces` names it."""

    need_id: UUID
    offer_id: UUID
    quantity: Quantity
    replaces: UUID | None = None
    idempotency_key: IdempotencyKey = None


class AskModel(Request):
    """Have a model learned from the decisions so far. It ranks nothing before a person puts it in force."""

    idempotency_key: IdempotencyKey = None


class Promotion(Request):
    """`reason`: needed, in words, when the model serves a group worse; it is kept with the model."""

    reason: Annotated[str, Field(max_length=500), AfterValidator(said)] = ""


class PromoteModel(Promotion):
    model_id: UUID


class BackToRules(Request):
    """Back to the office's own rules."""


class ModelAsked(BaseModel):
    model_id: UUID
    number: int
    state: Literal["queued"] = "queued"


class ModelInForce(BaseModel):
    """What ranks now; both null: the office's own rules."""

    model_id: UUID | None
    number: int | None


class RoundAsked(BaseModel):
    round_id: UUID
    state: Literal["queued"] = "queued"


class RoundCancelled(BaseModel):
    """`stopping`: it is under way, and stops within a moment."""

    round_id: UUID
    state: Literal["stopping", "cancelled"]


class RoundProgress(BaseModel):
    """How far a round under way is. `value`: the part of the stage that is done, or the gap to the bound so far; null where there is
    no figure. `said`: the stage in the reader's words. `asked`: whether a person asked for the round; its row is there from the
    beginning then, otherwise only when it changes something. `seconds` since `started_at`. `stopping`: somebody cancelled it.
    """

    round_id: UUID
    asked: bool
    stage: str
    value: float | None
    said: str
    started_at: datetime
    seconds: float
    stopping: bool


class RoundsUnderWay(BaseModel):
    items: tuple[RoundProgress, ...]


class HandProposal(BaseModel):
    proposal_id: UUID
    replaced: UUID | None
    score: int


class RoundShown(BaseModel):
    """One run of the engine. `state`: queued, running (`progress` says how far), done, cancelled or failed. `certificate`: objective,
    upper_bound (milli-points), gap as a part of the objective, method. `resumed`: it went on from the last round's plan and moved only
    what a change reached; to repeat it takes that plan too, to check it the certificate is enough.
    """

    round_id: UUID
    state: str
    dry_run: bool
    started_at: datetime
    seconds: float | None
    seed: int | None
    categories: tuple[str, ...]
    needs: int
    offers: int
    edges: int
    kept: int
    made: int
    superseded: int
    unserved: int
    certificate: dict[str, Any] | None
    resumed: bool
    progress: RoundProgress | None = None


class TownShown(BaseModel):
    """A town's open needs and the share of what it asked for that is met, in thousandths, before and after the plan."""

    area: str
    needs: int
    share_before: int
    share_after: int


class RuleCounted(BaseModel):
    """How many of the needs left short meet a rule, with its sentence."""

    rule: str
    needs: int
    sentence: str


class RoundDetail(RoundShown):
    fairness: tuple[TownShown, ...]
    refused: tuple[RuleCounted, ...]


class RefusalShown(BaseModel):
    """`count` offers that one rule refused, one of them named."""

    rule: str
    count: int
    sentence: str
    example_offer_id: UUID | None


class Why(BaseModel):
    """Why a need got nothing or too little: `missing` units are not proposed to anyone."""

    need_id: UUID
    open: bool
    missing: int
    looked_at: datetime | None
    refusals: tuple[RefusalShown, ...]


class UnservedNeed(BaseModel):
    """An open need that gets nothing, or `missing` units less than it lacks, and the rules that said so."""

    need_id: UUID
    area: str
    case_number: str
    category: str
    urgency: str
    missing: int
    raised_at: datetime
    reasons: tuple[RuleCounted, ...]


class ChangeShown(BaseModel):
    """One value that would be different, with its sentence; `params` as the engine says them (see `matching.turning`)."""

    code: str
    params: dict[str, str | int]
    sentence: str


class TurnShown(BaseModel):
    """`missing` thousandths of a point to the score `beats` and over it (0: it is over it already). Each change alone would bring
    them, worked out anew with the rules and the model in force; none is listed where nothing single would."""

    beats: int
    missing: int
    changes: tuple[ChangeShown, ...]


class LiftShown(ChangeShown):
    """A change that would lift the rule; `then`: the rule that would refuse the offer next, empty if none would."""

    then: str
    then_sentence: str


class OfferRanked(BaseModel):
    """An offer that could serve the need; `score` is the sum of the reasons' points, in thousandths of a point.

    `first`: what would make it the need's first, null for the first. `ahead`: for an offer that is proposed to other needs whole,
    what would bring this need before one of them, null for the rest; the next round weighs everything at once.
    """

    offer_id: UUID
    offer_number: str
    charity_name: str
    category: str
    free: int
    score: int
    reasons: tuple[Told, ...]
    first: TurnShown | None = None
    ahead: TurnShown | None = None


class OfferRefused(BaseModel):
    """An offer that can't serve the need, the first rule that says so, and what would lift this rule, and nothing beyond it."""

    offer_id: UUID
    offer_number: str
    charity_name: str
    category: str
    rule: str
    sentence: str
    lifts: tuple[LiftShown, ...] = ()


class NeedOffers(BaseModel):
    """Every offer of the need's category or a substitute: the possible ones ranked, the others with their rule."""

    need_id: UUID
    lacks: int
    barred: str
    barred_sentence: str
    ranked: tuple[OfferRanked, ...]
    refused: tuple[OfferRefused, ...]


class ModelShown(BaseModel):
    """One learned model. `champion`: the model it was compared with; `auc`, `ndcg5`, `brier` are pairs (that one, this one)
    over decisions that neither learned from; `worse_for`: vulnerabilities it would serve worse."""

    model_id: UUID
    number: int
    state: str
    problem: str
    made_at: datetime
    champion: str
    learned: int
    checked: int
    auc: tuple[float | None, float | None]
    ndcg5: tuple[float | None, float | None]
    brier: tuple[float | None, float | None]
    worse_for: tuple[str, ...]
    promoted_at: datetime | None
    promoted_by: UUID | None
    promotion_reason: str
    ended_at: datetime | None


class FeatureDrift(BaseModel):
    """How far the pairs decided of late are from those learned from: population stability index; `level`: steady, watch or act."""

    feature: str
    index: float
    level: Literal["steady", "watch", "act"]


class ModelDetail(ModelShown):
    """The model card: data, periods, counts and measures (overall and by vulnerability), and the shapes themselves:
    for each feature its knots (value, thousandths of a point)."""

    card: dict[str, Any] | None
    shapes: dict[str, tuple[tuple[float, int], ...]]
    drift: tuple[FeatureDrift, ...]
    drift_at: datetime | None


class Models(BaseModel):
    """`in_force`: what ranks now."""

    in_force: ModelInForce
    items: tuple[ModelShown, ...]
    next: str | None
