"""Rounds: look at what changed, plan it anew, tell the others what is different."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime
from time import perf_counter
from uuid import UUID

from matching.allocation import Report
from matching.lastplan import LastPlan
from matching.model import Assignment, Need, Plan, Policy
from matching.propose import propose
from services.matcher import rules
from services.matcher.handlers import ROUND, SQL, WAITING, mark
from services.matcher.loading import Scope, load
from services.matcher.prices import keep_prices, last_plan
from services.matcher.progress import SQL as PROGRESS
from services.matcher.progress import Cancelled, Progress, progress_of
from services.matcher.records import Round, completed, round_row, row_of, superseded, unserved_rows
from shared import jobs
from shared.bus import new_id, publish
from shared.db import Connection
from shared.events import ProposalMade, ProposalSuperseded
from shared.service import Job


async def run_round(conn: Connection, job: Job) -> None:
    """Plan what was marked (all of it when a person asked) and publish what is different.

    Categories that may stand for one another, or that an open bundle asks for together, are planned together, the others side by
    side, a job each, by as many workers as there are: they share no offer, no bundle and no group of fairness, so the plan is that of
    one round over all. A round that changes nothing leaves no row and no event, unless a person asked for it. One that nobody asked
    for goes on from the last over the same families (`prices`), one that a person asked for plans afresh. Raises `Cancelled` when somebody stopped it: nothing of it is
    kept, and what was marked waits for the next round.
    """
    async with progress_of(job) as progress:
        await _run(conn, job, progress)


async def _run(conn: Connection, job: Job, progress: Progress) -> None:
    begun = perf_counter()
    dry = bool(job.payload.get("dry_run"))
    categories = await _everything(conn, dry) if progress.asked else await _families(conn, job.key)
    if not categories:
        return
    progress.report("load")
    now = await SQL.clock(conn)
    scope = await load(conn, categories, now)
    last = None if progress.asked else await last_plan(conn, scope)
    plan = await asyncio.to_thread(plan_of, scope, now, report=progress.report, last=last)
    progress.report("store")
    short = rules.missing(plan, {need.id: need.quantity for need in scope.needs})
    changes = rules.compare(plan, scope.proposals)
    took = perf_counter() - begun
    this = Round(progress.round_id, dry, now, scope, plan, changes, short, took, resumed=last is not None)
    news = not dry and await _apply(conn, this)
    if (progress.asked or news) and not await SQL.add_round(conn, **round_row(this)):
        raise Cancelled


async def _everything(conn: Connection, dry: bool) -> tuple[str, ...]:
    await SQL.lock_round(conn)
    if not dry:
        await SQL.take_all_dirty(conn)
    return tuple(sorted(rules.catalogue()))


async def _families(conn: Connection, key: str) -> tuple[str, ...]:
    """The categories that this job is to plan: those of the family it is for and of all that bundles join to it. One for
    whatever waits leaves a job for each such group if there are several.
    """
    if key == WAITING:
        joined = await _joined(conn)
        groups = sorted({rules.reach(row["category"], joined)[0] for row in await SQL.dirty(conn)})
        if len(groups) != 1:
            for head in groups:
                await jobs.enqueue(conn, ROUND, key=head)
            return ()
        key = groups[0]
    return await _locked(conn, key)


async def _locked(conn: Connection, key: str) -> tuple[str, ...]:
    """Lock the families that are planned with one, and take what is marked of them; nothing when nothing is."""
    await SQL.share_round(conn)
    heads = rules.reach(key, await _joined(conn))
    for head in heads:
        await SQL.lock_family(conn, family=head)
    categories = rules.component(heads)
    if not await SQL.take_dirty(conn, categories=list(categories)):
        return ()
    if not set(rules.reach(key, await _joined(conn))) <= set(heads):
        # A bundle came while this one waited. Locks are taken in order or not at all, so another job begins anew.
        await mark(conn, *heads)
        return ()
    return categories


async def _joined(conn: Connection) -> list[list[str]]:
    return [row["categories"] for row in await SQL.joined(conn)]


def plan_of(
    scope: Scope,
    now: datetime,
    policy: Policy | None = None,
    report: Report | None = None,
    last: LastPlan | None = None,
) -> Plan:
    """The engine's plan for a scope under the office's policy, or another; the same scope, time and seed give the same plan.

    `report` is told how far it is; what it raises ends the planning. `last`: a plan to go on from, then the plan depends on it too.
    """
    return propose(
        scope.needs,
        scope.offers,
        catalogue=rules.catalogue(),
        policy=policy or rules.policy(),
        model=scope.champion.model,
        now=now,
        seed=rules.SEED,
        past=scope.past,
        pending=scope.pending,
        shares=scope.shares,
        declined=scope.declined,
        waiting=scope.waiting,
        recent=scope.recent,
        report=report,
        last=last,
    )


async def sweep(conn: Connection, _: Job) -> None:
    """Mark what time alone has changed: offers that ran out, dates that passed, needs that may be served again. Forget how far rounds
    were whose worker is gone.
    """
    await mark(conn, *[row["category"] for row in await SQL.stale_categories(conn)])
    await PROGRESS.forget_lost(conn)


async def _apply(conn: Connection, this: Round) -> bool:
    """Store and publish the changes; False when there are none."""
    codes = list(this.scope.categories)
    events = await _take_back(conn, this)
    events += await _propose(conn, this)
    await SQL.forget_served(conn, categories=codes, unserved=[UUID(need) for need in this.short])
    told = await SQL.note_unserved(conn, round_id=this.id, unserved=unserved_rows(this)) if this.short else []
    await SQL.note_checked(conn, categories=codes, now=this.at)
    await keep_prices(conn, this.scope, this.plan)
    if not events and not told:
        return False
    await publish(conn, *events, completed(this))
    return True


async def _take_back(conn: Connection, this: Round) -> list[ProposalSuperseded | ProposalMade]:
    if not this.changes.stale:
        return []
    rows = await SQL.supersede(conn, ids=list(this.changes.stale))
    return [superseded(row, this.changes.stale[row["id"]]) for row in sorted(rows, key=lambda row: row["id"])]


async def _propose(conn: Connection, this: Round) -> Sequence[ProposalSuperseded | ProposalMade]:
    if not this.changes.new:
        return []
    needs = {need.id: need for need in this.scope.needs}
    made = [_made(this, assignment, needs[assignment.need_id]) for assignment in this.changes.new]
    versions, model_id = this.scope.versions, this.scope.champion.id
    rows = [row_of(event, needs[str(event.need_id)].category, versions, model_id) for event in made]
    await SQL.add_proposals(conn, proposals=rows)
    return made


def _made(this: Round, assignment: Assignment, need: Need) -> ProposalMade:
    return ProposalMade(
        proposal_id=new_id(),
        round_id=this.id,
        need_id=UUID(assignment.need_id),
        offer_id=UUID(assignment.offer_id),
        area=need.area,
        quantity=assignment.quantity,
        score=assignment.edge.score,
        factors=rules.factors(assignment.edge),
        alternatives=rules.alternatives(this.plan.alternatives.get(assignment.need_id, ())),
        bundle_id=UUID(need.bundle) if need.bundle else None,
        whole=need.whole,
    )
