"""One need and all that could serve it: why it got nothing, the live ranking, and what would turn it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from matching.explain import Explanation, explain
from matching.model import Edge, PastAid, PendingAid
from matching.turning import Bid
from services.matcher import loading, rules, turns
from services.matcher.champion import in_force
from services.matcher.handlers import SQL
from services.matcher.schemas import (
    NeedOffers,
    OfferRanked,
    OfferRefused,
    RefusalShown,
    TurnShown,
    Why,
)
from shared.db import Connection
from shared.errors import Missing
from shared.reasons import Words, tell


@dataclass(frozen=True, slots=True)
class Choice:
    """A need under the engine's eye: `lacks` units are open, `offers` by id are all that could be thought of.

    `model_id`: the model that ranked them, None for the rules.
    """

    need: Any
    lacks: int
    offers: Mapping[str, Any]
    aid: tuple[PastAid | PendingAid, ...]
    verdict: Explanation
    model_id: UUID | None


async def choose(
    conn: Connection, need_id: UUID, replaces: UUID | None = None, *, by_hand: bool = False
) -> Choice:
    """Judge a need against every offer as a round would. By hand, pairs declined before are possible again. Raises `Missing`."""
    need = await SQL.need(conn, id=need_id)
    if need is None:
        raise Missing
    hand = await SQL.hand_of_need(conn, id=need_id, replaces=replaces)
    lacks = max(0, need["quantity"] - need["promised"] - hand) if need["open"] else 0
    wanted = rules.catalogue().get(need["category"])
    codes = [need["category"], *(code for code, _ in wanted.accepts)] if wanted else [need["category"]]
    offers = await SQL.offers_for(conn, categories=codes, replaces=replaces)
    past = loading.past_of(await SQL.aid_of(conn, beneficiary_id=need["beneficiary_id"]))
    pending = loading.pending_of(
        await SQL.promised_to(conn, beneficiary_id=need["beneficiary_id"], replaces=replaces)
    )
    declined = frozenset() if by_hand else loading.pairs_of(await SQL.declined_of_need(conn, id=need_id))
    champion = await in_force(conn)
    verdict = explain(
        loading.need_of(need, lacks),
        [loading.offer_of(offer) for offer in offers],
        catalogue=rules.catalogue(),
        policy=rules.policy(),
        model=champion.model,
        now=await SQL.clock(conn),
        past=past,
        pending=pending,
        shares=await SQL.last_shares(conn, category=need["category"]),
        declined=declined,
    )
    by_id = {str(offer["id"]): offer for offer in offers}
    return Choice(need, lacks, by_id, (*past, *pending), verdict, champion.id)


async def why(conn: Connection, need_id: UUID, words: Words) -> Why:
    """What the last round said of a need, or what a round would say now. Raises `Missing`."""
    choice = await choose(conn, need_id)
    noted = await SQL.why(conn, id=need_id)
    told = noted["refusals"] if noted else _counted(choice.verdict)
    return Why(
        need_id=need_id,
        open=choice.need["open"],
        missing=noted["missing"] if noted else 0,
        looked_at=noted["started_at"] if noted else None,
        refusals=tuple(
            RefusalShown(
                rule=r["rule"],
                count=r["count"],
                sentence=words.rule(r["rule"]),
                example_offer_id=r["offer_id"],
            )
            for r in told
        ),
    )


def _counted(verdict: Explanation) -> list[dict[str, Any]]:
    if verdict.barred:
        return [{"rule": verdict.barred, "count": 0, "offer_id": None}]
    example = {rule: offer for offer, rule in reversed(verdict.refused)}
    counts = Counter(rule for _, rule in verdict.refused)
    return [{"rule": rule, "count": count, "offer_id": example[rule]} for rule, count in counts.most_common()]


async def offers_for(conn: Connection, need_id: UUID, words: Words) -> NeedOffers:
    """The live ranking of a need, with what is refused and why, and what would turn either. Raises `Missing`."""
    choice = await choose(conn, need_id)
    verdict, bids = choice.verdict, await _bids(conn, choice)
    turning = verdict.turn(bids)
    first, ahead = turns.firsts(turning, verdict.edges, words), turns.aheads(turning, bids, words)
    lifts = turns.lifts(turning, words)
    return NeedOffers(
        need_id=need_id,
        lacks=choice.lacks,
        barred=verdict.barred,
        barred_sentence=words.rule(verdict.barred) if verdict.barred else "",
        ranked=tuple(
            _ranked(
                choice.offers[edge.offer_id], edge, words, first.get(edge.offer_id), ahead.get(edge.offer_id)
            )
            for edge in verdict.edges
        ),
        refused=tuple(
            OfferRefused(
                **_named(choice.offers[offer]), rule=rule, sentence=words.rule(rule), lifts=lifts[offer]
            )
            for offer, rule in verdict.refused
        ),
    )


async def _bids(conn: Connection, choice: Choice) -> dict[str, Bid]:
    """Scores to pass for offers that others are to get whole. None where the need has what it lacks on the board, or must be
    met in full or in a bundle: there a unit's score alone decides nothing."""
    pending = await SQL.pending_of_need(conn, id=choice.need["id"])
    if (
        choice.need["whole"]
        or choice.need["bundle_id"]
        or sum(p["quantity"] for p in pending) >= choice.lacks
    ):
        return {}
    had = {str(row["offer_id"]) for row in pending}
    free = {name: offer for name, offer in choice.offers.items() if name not in had}
    codes = sorted({offer["category"] for offer in free.values()})
    rows = await SQL.outbid(conn, id=choice.need["id"], categories=codes)
    return turns.bids_of(rows, free, rules.policy().stability_points)


def _named(offer: Any) -> dict[str, Any]:
    return {
        "offer_id": offer["id"],
        "offer_number": offer["offer_number"],
        "charity_name": offer["charity_name"],
        "category": offer["category"],
    }


def _ranked(
    offer: Any, edge: Edge, words: Words, first: TurnShown | None, ahead: TurnShown | None
) -> OfferRanked:
    told = tell([factor.model_dump() for factor in rules.factors(edge)], words)
    return OfferRanked(
        **_named(offer), free=offer["quantity"], score=edge.score, reasons=told, first=first, ahead=ahead
    )
