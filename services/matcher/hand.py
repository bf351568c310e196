"""What a person asks of the matcher: a proposal of their own under the same rules, or a round."""

from __future__ import annotations

from typing import Any

from matching.model import Edge
from services.matcher import rules
from services.matcher.choices import Choice, choose
from services.matcher.handlers import ROUND, SQL, mark
from services.matcher.progress import SQL as PROGRESS
from services.matcher.records import row_of, superseded
from services.matcher.schemas import (
    AskRound,
    CancelRound,
    HandProposal,
    ProposeByHand,
    RoundAsked,
    RoundCancelled,
)
from shared import jobs, reasons
from shared.access import Caller
from shared.bus import new_id, publish
from shared.db import Connection
from shared.errors import Conflict, Fault, Forbidden, Invalid, Missing
from shared.events import ProposalMade, ProposalSuperseded


async def propose_by_hand(conn: Connection, command: ProposeByHand, by: Caller) -> HandProposal:
    """Put a person's proposal on the board. Raises `Invalid` with the rule when it is impossible, `Conflict` when what it replaces is decided."""
    need = await SQL.need(conn, id=command.need_id)
    if need is None:
        raise Missing
    by.require("coordinator", need["area"])
    replaced = await _take_back(conn, command)
    choice = await choose(conn, command.need_id, command.replaces, by_hand=True)
    edge = _possible(choice, command)
    event = _made(choice, edge, command, by)
    versions = {str(command.need_id): need["version"], edge.offer_id: choice.offers[edge.offer_id]["version"]}
    await SQL.add_proposals(conn, proposals=[row_of(event, need["category"], versions, choice.model_id)])
    await mark(conn, need["category"])
    await publish(conn, *replaced, event)
    return HandProposal(proposal_id=event.proposal_id, replaced=command.replaces, score=edge.score)


async def _take_back(conn: Connection, command: ProposeByHand) -> list[ProposalSuperseded]:
    if command.replaces is None:
        return []
    row = await SQL.replace(conn, id=command.replaces, need_id=command.need_id)
    if row is None:
        raise Conflict("要替换的建议已经处理过或已更新，请刷新后再看。")
    return [superseded(row, "better_plan")]


def _possible(choice: Choice, command: ProposeByHand) -> Edge:
    offer = str(command.offer_id)
    edge = next((edge for edge in choice.verdict.edges if edge.offer_id == offer), None)
    if edge is None:
        rule = choice.verdict.barred or dict(choice.verdict.refused).get(offer, "no_offer_of_category")
        raise _refusal("offer_id", rule, reasons.RULES[rule])
    most = min(choice.lacks, choice.offers[offer]["quantity"], _limit(choice, choice.offers[offer]))
    if choice.need["whole"] and most < choice.lacks:
        raise _refusal("offer_id", "too_few_at_once", reasons.RULES["too_few_at_once"])
    if choice.need["whole"] and command.quantity != choice.lacks:
        raise _refusal("quantity", "whole_in_part", "这项需求要一家一次给齐，请填 {left}", left=choice.lacks)
    if command.quantity > most:
        raise _refusal("quantity", "too_much", "最多还能安排 {left}，请减少数量", left=most)
    return edge


def _limit(choice: Choice, offer: Any) -> int:
    """What the household may still take of a limited offer."""
    if offer["per_household_limit"] is None:
        return choice.lacks
    taken = sum(aid.quantity for aid in choice.aid if aid.offer_id == str(offer["id"]))
    return max(0, int(offer["per_household_limit"]) - taken)


def _refusal(field: str, rule: str, message: str, **params: object) -> Invalid:
    return Invalid(faults=(Fault(field, rule, message, params),), rule=rule)


def _made(choice: Choice, edge: Edge, command: ProposeByHand, by: Caller) -> ProposalMade:
    others = [other for other in choice.verdict.edges if other.offer_id != edge.offer_id]
    return ProposalMade(
        proposal_id=new_id(),
        round_id=None,
        proposed_by=by.person_id,
        need_id=command.need_id,
        offer_id=command.offer_id,
        area=choice.need["area"],
        quantity=command.quantity,
        score=edge.score,
        factors=rules.factors(edge),
        alternatives=rules.alternatives(others[: rules.policy().alternatives]),
        bundle_id=choice.need["bundle_id"],
        whole=choice.need["whole"],
    )


def may_ask(by: Caller) -> bool:
    """Whether the caller coordinates a county or wider: digits 7 to 12 of such an area are zeros."""
    return any(grant.role == "coordinator" and grant.area.endswith("000000") for grant in by.grants)


async def ask_round(conn: Connection, command: AskRound, by: Caller) -> RoundAsked:
    """Leave a round over all categories for the worker. Raises `Forbidden` for a coordinator of towns alone: it moves everybody's proposals."""
    if not may_ask(by):
        raise Forbidden(
            "全部重新匹配会动到各镇街的建议，请县级或以上的协调员来做。本镇街的需求有变化时会自动匹配。"
        )
    round_id = new_id()
    await SQL.ask_round(conn, id=round_id, dry_run=command.dry_run, asked_by=by.person_id)
    payload = {"round_id": str(round_id), "dry_run": command.dry_run}
    await jobs.enqueue(conn, ROUND, key=str(round_id), payload=payload)
    return RoundAsked(round_id=round_id)


async def cancel_round(conn: Connection, command: CancelRound, by: Caller) -> RoundCancelled:
    """Call a round off: one that waits never begins, one under way stops at its next report and leaves no effect.

    Raises `Forbidden` for whoever may not ask for one, `Missing`, and `Conflict` when it is over.
    """
    if not may_ask(by):
        raise Forbidden("取消一轮匹配会影响各镇街，请县级或以上的协调员来做。")
    round_id, person = command.round_id, by.person_id
    if await PROGRESS.want_stopped(conn, round_id=round_id, by=person):
        return RoundCancelled(round_id=round_id, state="stopping")
    if not await PROGRESS.cancel_round(conn, round_id=round_id, by=person):
        row = await SQL.round(conn, id=round_id)
        if row is None:
            raise Missing
        if row["state"] != "cancelled":
            raise Conflict("这一轮已经结束，不能再取消。")
    return RoundCancelled(round_id=round_id, state="cancelled")
