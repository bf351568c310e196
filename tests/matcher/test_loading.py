"""What a round looks at, as far as the forecast needs it."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import timedelta
from pathlib import Path

import pytest

from matching.forecast import PastNeed
from matching.planfile import read, write
from matching.verify import verify
from services.matcher import rules
from services.matcher.loading import Scope, load
from services.matcher.trials import tried
from tests.house import DAY, House
from tests.matcher import facts
from tests.matcher.build import tell

OFFICE = rules.policy()
FORECAST = replace(OFFICE, forecast_samples=2, forecast_days=1, forecast_horizon_days=2)


async def board(house: House, days_back: int | None = None) -> Scope:
    async with house.db.transaction("nuanlian_matcher_system") as conn:
        return await load(conn, rules.component(["APP-FAN"]), facts.NOW, days_back)


async def test_needs_of_late_are_read_open_or_not_and_name_nobody(house: House) -> None:
    gone = facts.need(quantity=3, urgency="critical", minor=True)
    await tell(
        house, gone, facts.withdrawn(gone), facts.need(quantity=2), facts.need(raised_at=facts.NOW - 40 * DAY),
        facts.need(consent=False), facts.need(category="BED-QUILT"),
    )  # fmt: skip
    found = sorted((await board(house, 30)).recent, key=lambda need: need.quantity)
    assert [(need.quantity, need.urgency, need.minor) for need in found] == [
        (2, "normal", False),
        (3, "critical", True),
    ]
    assert found[0].point is not None and found[0].vulnerabilities == ("ORPHAN",)
    assert not {"id", "beneficiary_id", "case_number"} & {item.name for item in fields(PastNeed)}


async def test_nothing_is_read_unless_the_office_turns_the_forecast_on(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    await tell(house, facts.need())
    assert (await board(house)).recent == ()
    monkeypatch.setattr(rules, "policy", lambda: replace(FORECAST, forecast_days=7))
    assert len((await board(house)).recent) == 1


async def test_a_plan_that_keeps_units_for_needs_to_come_is_proved_by_its_file(house: House, tmp_path: Path) -> None:  # fmt: skip
    came = facts.need(urgency="critical", raised_at=facts.NOW - timedelta(hours=3))
    low = facts.need(urgency="low", vulnerabilities=("DIBAO",), raised_at=facts.NOW - 2 * DAY)
    await tell(house, came, facts.withdrawn(came), low, facts.offer(quantity=1))
    scope = await board(house, 1)
    as_is, kept = (tried(scope, policy, facts.NOW) for policy in (OFFICE, FORECAST))
    assert (as_is.given, kept.given) == ({str(low.need_id): 1}, {})
    assert [refusal.rule for refusal in kept.plan.refusals] == ["held_back"]
    write(tmp_path / "kept.plan.npz", kept.sheet)
    again = read(tmp_path / "kept.plan.npz")
    assert verify(again).holds and again.held_back.max() > 0
