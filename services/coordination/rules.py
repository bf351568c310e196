"""Which proposals may be approved, given what is left: pure decisions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from shared.errors import AidError, Conflict, Forbidden, Invalid, Missing
from shared.i18n import Language
from shared.tables import category_label, unit_label

# Every way to be refused: the answer's kind and what the person reads. All of them name the item and what is left.
REFUSALS: dict[str, tuple[type[AidError], str]] = {
    "offer_short": (Conflict, "{item}余量不足，还剩 {left} {unit}。请减少数量或换一份资源。"),
    "need_short": (Conflict, "这项需求只差 {left} {unit}{item}，请减少数量或刷新后再看。"),
    "decided": (Conflict, "这条建议已经处理过；{item}还剩 {left} {unit}。请刷新后再看。"),
    "stale": (Conflict, "这条建议刚刚有变动；{item}还剩 {left} {unit}。请刷新后再批。"),
    "offer_closed": (Conflict, "{item}的资源方已撤回，没有可用的了。请换一份资源。"),
    "need_closed": (Conflict, "这项需求已撤回或结案，不用再批{item}了。请刷新后再看。"),
    "consent_missing": (Conflict, "受益对象没有同意或撤回了同意，{item}暂不能批准。请社工先取得同意。"),
    "own_request": (Forbidden, "这项需求或建议是您自己提出的，请由另一位同事审批（{item}）。"),
    "too_much": (Invalid, "批准数量不能超过建议的 {left} {unit}{item}。请减少数量。"),
    "whole_in_part": (Invalid, "{item}要一家一次给齐，不能只批一部分：要批 {left} {unit}。"),
    "bundle_others": (
        Conflict,
        "{item}属于成套的需求，缺一样就没用：同一套还有 {others} 条建议，请一起批准。",
    ),
    "bundle_incomplete": (
        Conflict,
        "{item}属于成套的需求，同一套里还有 {others} 样没有凑齐，先批这一样没有用。请等下一轮匹配，或请社工核对这一套。",
    ),
    "missing": (Missing, "找不到这条记录，或者您无权查看。请核对编号。"),
}


@dataclass(frozen=True, slots=True)
class OfferState:
    """An offer under its lock."""

    id: UUID
    open: bool
    left: int
    category: str
    charity_id: UUID
    pickup: str


@dataclass(frozen=True, slots=True)
class NeedState:
    """A need under its lock."""

    id: UUID
    open: bool
    consent: bool
    left: int
    area: str
    beneficiary_id: UUID
    case_number: str
    urgency: str
    raised_by: UUID | None
    whole: bool = False
    bundle_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Bundle:
    """Needs that only help together: what each open one still lacks, and the proposals that wait for it."""

    left: Mapping[UUID, int]
    pending: Mapping[UUID, Sequence[UUID]]


def bundles_of(rows: Iterable[Any]) -> dict[UUID, Bundle]:
    """Bundles by id from what each of their needs lacks."""
    found: dict[UUID, list[Any]] = {}
    for row in rows:
        found.setdefault(row["bundle_id"], []).append(row)
    return {
        bundle: Bundle(
            {row["need_id"]: row["left"] for row in some},
            {row["need_id"]: row["proposal_ids"] for row in some},
        )
        for bundle, some in found.items()
    }


@dataclass(frozen=True, slots=True)
class Total:
    """What approving all ticked proposals asks of one offer: `left` below zero cannot be promised in full."""

    charity_name: str
    offer_number: str
    category: str
    proposals: int
    quantity: int
    towns: frozenset[str]
    left: int


def totals(rows: Iterable[Any]) -> list[Total]:
    """The pending ones among shown proposals, summed by offer, those that run short first."""
    by_offer: dict[UUID, list[Any]] = {}
    for row in rows:
        if row.status == "pending":
            by_offer.setdefault(row.offer_id, []).append(row)
    return sorted(
        (_total(group) for group in by_offer.values()),
        key=lambda total: (total.left >= 0, total.offer_number),
    )


def _total(group: Sequence[Any]) -> Total:
    first, asked = group[0], sum(row.quantity for row in group)
    towns = frozenset(row.area for row in group)
    return Total(
        first.charity_name,
        first.offer_number,
        first.offer_category,
        len(group),
        asked,
        towns,
        first.offer_left - asked,
    )


@dataclass(frozen=True, slots=True)
class Waiting:
    """A proposal under its lock, with what the approver asked for: a part of it, and the version that was seen."""

    id: UUID
    need_id: UUID
    offer_id: UUID
    area: str
    quantity: int
    status: str
    version: int
    proposed_by: UUID | None
    wanted: int
    seen: int | None


@dataclass(frozen=True, slots=True)
class Granted:
    """A proposal that is approved: `quantity` units, after which so much is left."""

    proposal: Waiting
    offer: OfferState
    need: NeedState
    quantity: int
    offer_left: int
    need_left: int


@dataclass(frozen=True, slots=True)
class Refused:
    """A proposal that is not approved, by the rule named, with the offer's category and what was left."""

    proposal_id: UUID
    rule: str
    category: str
    offer_left: int
    need_left: int
    params: Mapping[str, Any] = field(default_factory=dict)


def settle(
    waiting: Sequence[Waiting],
    offers: Mapping[UUID, OfferState],
    needs: Mapping[UUID, NeedState],
    by: UUID,
    bundles: Mapping[UUID, Bundle] | None = None,
) -> tuple[list[Granted], list[Refused]]:
    """Approve in the order given as long as something is left; what is granted is taken off before the next is looked at.

    The proposals of one bundle stand where its first one does, and are all approved or none: together they have to bring all that
    its open needs lack.
    """
    left = _Left(
        {offer.id: offer.left for offer in offers.values()}, {need.id: need.left for need in needs.values()}
    )
    granted: list[Granted] = []
    refused: list[Refused] = []
    for group in _together(waiting, needs):
        bundle = (bundles or {}).get(needs[group[0].need_id].bundle_id or group[0].id)
        tried = left.copy()
        yes, no = _one_by_one(group, offers, needs, by, tried)
        refused += no
        if yes and bundle is not None and (torn := _lacking(bundle, yes)):
            refused += [_apart(one, bundle, torn, group, left) for one in yes]
            continue
        granted += yes
        left = tried
    return granted, refused


@dataclass(slots=True)
class _Left:
    """What is left of each offer, and lacking of each need."""

    offers: dict[UUID, int]
    needs: dict[UUID, int]

    def copy(self) -> _Left:
        return _Left(dict(self.offers), dict(self.needs))

    def of(self, proposal: Waiting) -> tuple[int, int]:
        return self.offers[proposal.offer_id], self.needs[proposal.need_id]

    def take(self, proposal: Waiting) -> tuple[int, int]:
        self.offers[proposal.offer_id] -= proposal.wanted
        self.needs[proposal.need_id] -= proposal.wanted
        return self.of(proposal)


def _together(waiting: Sequence[Waiting], needs: Mapping[UUID, NeedState]) -> list[list[Waiting]]:
    """The proposals of one bundle side by side, every other alone, in the order given."""
    groups: dict[UUID, list[Waiting]] = {}
    for proposal in waiting:
        groups.setdefault(needs[proposal.need_id].bundle_id or proposal.id, []).append(proposal)
    return list(groups.values())


def _one_by_one(
    waiting: Sequence[Waiting],
    offers: Mapping[UUID, OfferState],
    needs: Mapping[UUID, NeedState],
    by: UUID,
    left: _Left,
) -> tuple[list[Granted], list[Refused]]:
    granted: list[Granted] = []
    refused: list[Refused] = []
    for proposal in waiting:
        offer, need, now = offers[proposal.offer_id], needs[proposal.need_id], left.of(proposal)
        rule = broken(proposal, offer, need, now, by)
        if rule:
            refused.append(Refused(proposal.id, rule, offer.category, *now, _details(rule, proposal, now)))
        else:
            granted.append(Granted(proposal, offer, need, proposal.wanted, *left.take(proposal)))
    return granted, refused


def _lacking(bundle: Bundle, granted: Sequence[Granted]) -> list[UUID]:
    """The needs of a bundle that would be left short."""
    given: dict[UUID, int] = {}
    for one in granted:
        given[one.need.id] = given.get(one.need.id, 0) + one.quantity
    return [need for need, lacks in bundle.left.items() if given.get(need, 0) < lacks]


def _apart(
    one: Granted, bundle: Bundle, lacking: Sequence[UUID], asked: Sequence[Waiting], left: _Left
) -> Refused:
    """The refusal of a proposal that could be approved, had all of its bundle been."""
    known = {proposal.id for proposal in asked}
    others = [found for need in lacking for found in bundle.pending[need] if found not in known]
    rule = "bundle_others" if others else "bundle_incomplete"
    now = left.of(one.proposal)
    return Refused(
        one.proposal.id, rule, one.offer.category, *now, {"left": now[0], "others": len(others or lacking)}
    )


def broken(proposal: Waiting, offer: OfferState, need: NeedState, left: tuple[int, int], by: UUID) -> str:
    """The first rule that stands in the way, or ''. Who asked does not approve (four eyes)."""
    table = (
        ("decided", proposal.status != "pending"),
        ("own_request", by in (need.raised_by, proposal.proposed_by)),
        ("stale", proposal.seen is not None and proposal.seen != proposal.version),
        ("too_much", proposal.wanted > proposal.quantity),
        ("offer_closed", not offer.open),
        ("need_closed", not need.open),
        ("consent_missing", not need.consent),
        ("offer_short", left[0] < proposal.wanted),
        ("need_short", left[1] < proposal.wanted),
        ("whole_in_part", need.whole and proposal.wanted < left[1]),
    )
    return next((rule for rule, stands in table if stands), "")


def _details(rule: str, proposal: Waiting, left: tuple[int, int]) -> dict[str, Any]:
    match rule:
        case "need_short" | "whole_in_part":
            return {"left": left[1]}
        case "too_much":
            return {"left": proposal.quantity}
        case "offer_closed":
            return {"left": 0}
        case "decided":
            return {"left": left[0], "proposal_status": proposal.status}
        case _:
            return {"left": left[0]}


def params_of(refused: Refused, language: Language) -> dict[str, Any]:
    """What the sentence needs, in the reader's language: `item`, `left`, `unit`, `others`; and `left_offer`, `left_need` for machines."""
    return {
        "rule": refused.rule,
        "item": category_label(refused.category, language) if refused.category else "",
        "left": refused.params.get("left", 0),
        "unit": unit_label(refused.category, language) if refused.category else "",
        "left_offer": refused.offer_left,
        "left_need": refused.need_left,
        "others": refused.params.get("others", 0),
        "proposal_status": refused.params.get("proposal_status", "pending"),
    }
