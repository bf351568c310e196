"""What a round hands to the next over the same families: its prices. What it gave stands on the board."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from matching.lastplan import LastPlan
from matching.model import Plan
from services.matcher import rules
from services.matcher.loading import Scope
from shared.db import Connection, queries

SQL = queries(Path(__file__).parent, "prices.sql")


async def last_plan(conn: Connection, scope: Scope) -> LastPlan | None:
    """The board as it stands, with the prices that it came about by; None where a family of the scope was not planned yet, or was
    planned under another policy, model or catalogue.
    """
    families = {rules.head_of(code) for code in scope.categories}
    rows = await SQL.last_prices(conn, families=sorted(families))
    mark = rules.fingerprint(scope.champion.model)
    if {row["family"] for row in rows if row["fingerprint"] == mark} != families:
        return None
    return _joined(rows, scope)


def _joined(rows: Sequence[Any], scope: Scope) -> LastPlan:
    """Several families as one plan, their prices at the finest scale among them."""
    scale = max(row["scale"] for row in rows)
    return LastPlan(
        units={(str(p.need_id), str(p.offer_id)): p.quantity for p in scope.proposals if p.by_person is None},
        offers={name: price * scale // row["scale"] for row in rows for name, price in row["offers"].items()},
        groups={
            (code, row["family"]): price * scale // row["scale"]
            for row in rows
            for code, price in row["groups"].items()
        },
        scale=scale,
    )


async def keep_prices(conn: Connection, scope: Scope, plan: Plan) -> None:
    """Put this plan's prices in the place of those before, family by family. Prices at their least are not written."""
    assert plan.last is not None
    last = plan.last()
    of_offer = {offer.id: rules.head_of(offer.category) for offer in scope.offers}
    offers: dict[str, dict[str, int]] = defaultdict(dict)
    groups: dict[str, dict[str, int]] = defaultdict(dict)
    for name, price in last.offers.items():
        offers[of_offer[name.partition("/")[0]]][name] = price  # a part of an offer is named after it
    for (code, family), price in last.groups.items():
        groups[family][code] = price
    families = sorted({rules.head_of(code) for code in scope.categories})
    rows = [{"family": one, "offers": offers[one], "groups": groups[one]} for one in families]
    await SQL.keep_prices(
        conn, rows=rows, scale=last.scale, fingerprint=rules.fingerprint(scope.champion.model)
    )
