"""The second net: should the locks ever fail, neither the statements nor the tables let more be promised than there is."""

from __future__ import annotations

from uuid import UUID

import asyncpg
import pytest

from services.coordination.handlers import SQL
from tests.coordination.build import pair, quantities
from tests.house import House


def _granted(need_id: UUID, offer_id: UUID, quantity: int) -> list[dict[str, object]]:
    return [{"need_id": str(need_id), "offer_id": str(offer_id), "quantity": quantity}]


async def test_a_statement_promises_no_more_than_there_is(house: House) -> None:
    need, offer, _ = await pair(house, quantity=3)
    async with house.db.transaction("nuanlian_coordination_system") as conn:
        too_much = _granted(need.need_id, offer.offer_id, 4)
        assert await SQL.promise_offers(conn, granted=too_much) == []
        assert await SQL.promise_needs(conn, granted=too_much) == []
        assert len(await SQL.promise_offers(conn, granted=_granted(need.need_id, offer.offer_id, 3))) == 1
    assert await quantities(house, need, offer) == (0, 3)


@pytest.mark.parametrize(
    "statement",
    [
        "update coordination.offer set committed = quantity + 1",
        "update coordination.need set met = quantity + 1",
        "update coordination.offer set committed = -1",
    ],
)
async def test_a_table_holds_no_more_than_there_is(house: House, statement: str) -> None:
    await pair(house, quantity=3)
    with pytest.raises(asyncpg.CheckViolationError):
        async with house.db.transaction("nuanlian_coordination_system") as conn:
            await conn.execute(statement)
