"""From a planted history to a challenger, and what is watched afterwards."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import httpx

from matching.features import NAMES
from services.matcher.learning import watch_drift
from shared.bus import new_id
from tests.house import House
from tests.matcher.build import rows, run
from tests.matcher.history import plant
from tests.matching.deciding import decisions

MODELS = "/api/matcher/v1/models"


async def learned(house: House, client: httpx.AsyncClient) -> str:
    """Have a model learned from what there is; its id."""
    asked = await client.post(MODELS, json={}, headers={"idempotency-key": str(new_id())})
    assert asked.status_code == 202, asked.text
    await run(house)
    return str(asked.json()["model_id"])


async def test_a_planted_history_makes_a_challenger_with_its_card(house: House) -> None:
    await plant(house.db)
    client = await house.person("coordinator")
    shown = (await client.get(f"{MODELS}/{await learned(house, client)}")).json()
    assert (shown["state"], shown["champion"], shown["learned"], shown["checked"]) == (
        "challenger",
        "rules",
        600,
        200,
    )
    rules, model = shown["auc"]
    assert model > rules + 0.05
    assert shown["brier"][1] < shown["brier"][0]
    assert set(shown["shapes"]) == set(NAMES)
    assert {group["code"] for group in shown["card"]["measures"]["groups"]} == {
        "DIBAO",
        "ORPHAN",
        "ELD_ALONE",
    }


async def test_where_nothing_can_be_learned_it_is_said_why(house: House) -> None:
    client = await house.person("coordinator")
    assert (await client.get(f"{MODELS}/{await learned(house, client)}")).json()["problem"] == "too_few"
    await plant(house.db, [replace(one, approved=True, reason="") for one in decisions(400)])
    shown = (await client.get(f"{MODELS}/{await learned(house, client)}")).json()
    assert (shown["state"], shown["problem"]) == ("refused", "one_sided")


async def test_drift_of_the_champion_is_watched(house: House) -> None:
    await plant(house.db)
    client = await house.person("coordinator")
    model = await learned(house, client)
    await _watch(house)
    assert (await client.get(f"{MODELS}/{model}")).json()["drift"] == []  # nothing in force, nothing watched
    await client.post(f"{MODELS}/{model}/promote", json={"reason": "试用一个季度，再看效果如何。"})
    at = NAMES.index("distance")
    far = [
        replace(one, features=(*one.features[:at], one.features[at] ** 4, *one.features[at + 1 :]))
        for one in decisions(800, seed=9)[-600:]
    ]
    await plant(house.db, far)
    await _watch(house)
    shown = (await client.get(f"{MODELS}/{model}")).json()
    levels = {row["feature"]: row["level"] for row in shown["drift"]}
    assert (levels["distance"], levels["waiting"]) == ("act", "steady")
    assert shown["drift_at"] is not None


async def _watch(house: House) -> None:
    async with house.db.transaction("nuanlian_matcher_system") as conn:
        await watch_drift(conn, house.job("matcher.drift"))


def test_nobody_who_only_serves_loads_scikit_learn() -> None:
    check = "import sys, services.compose; sys.exit('sklearn' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", check]).returncode == 0


async def test_no_household_is_told_apart_in_a_card(house: House) -> None:
    lone = [
        replace(one, vulnerabilities=("HOMELESS",)) if n == 700 else one
        for n, one in enumerate(decisions(800))
    ]
    await plant(house.db, lone)
    client = await house.person("coordinator")
    await learned(house, client)
    (card,) = [row["card"] for row in await rows(house, "select card from matcher.model")]
    assert "HOMELESS" not in {group["code"] for group in card["measures"]["groups"]}
    assert card["measures"]["too_few"] == ["HOMELESS"]
