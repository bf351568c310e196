"""Trying a scenario from the command line: what is said, what is refused, and that nothing changes."""

from __future__ import annotations

import asyncio
import json
import re
from dataclasses import fields
from datetime import timedelta
from pathlib import Path
from typing import Any, get_args

import pytest

from deploy import differences, scenarios, trying
from deploy.errors import HERE, SetupError
from deploy.planning import verify_file
from deploy.scenarios import NotAScenario, read
from matching.model import Policy
from services.matcher import rules
from services.matcher.moves import Code
from shared.i18n import catalogue
from tests.house import House
from tests.matcher import facts
from tests.matcher.build import pending, plan

SAMPLE = HERE / "sample" / "more-fans.toml"
MORE = f"""
categories = ["APP-FAN"]
[[offer]]
category = "APP-FAN"
quantity = 1
origin_area = "{facts.LUOJING}"
"""
WRONG = """
model = "guess"
categories = ["APP-FAN", "NOPE"]
without_needs = ["N-9"]
without_offers = ["R-9", "R-1"]
[policy]
fairness_pointz = 3
further_points = -1
waiting_cap = "9"
edges_per_need = 0
[policy.base_priority]
NOPE = 3
ORPHAN = 10
[policy.urgency_points]
soon = 1
[[offer]]
category = "FOD-RICE"
quantity = 0
origin_area = "123"
available_from = 2026-08-01T00:00:00
[[offer]]
category = "APP-FAN"
quantity = 1
origin_area = "445381108000"
available_from = 2026-08-02T00:00:00Z
available_until = 2026-08-01T00:00:00Z
[[need]]
category = "APP-FANX"
quantity = 1
area = "445381000000"
urgency = "soon"
name = "somebody"
"""
FAULTS = [
    ("policy.base_priority.NOPE", "vulnerability_unknown"),
    ("policy.further_points", "greater_than_equal"),
    ("policy.urgency_points.soon", "literal_error"),
    ("policy.waiting_cap", "int_type"),
    ("policy.edges_per_need", "greater_than_equal"),
    ("policy.fairness_pointz", "extra_forbidden"),
    ("offer[1].quantity", "greater_than"),
    ("offer[1].origin_area", "unknown_area"),
    ("offer[1].available_from", "timezone_aware"),
    ("offer[2].available_until", "window_order"),
    ("need[1].category", "category_unknown"),
    ("need[1].area", "town_needed"),
    ("need[1].urgency", "literal_error"),
    ("need[1].name", "extra_forbidden"),
    ("categories[2]", "category_unknown"),
    ("model", "literal_error"),
    ("offer[1].category", "category_outside"),
    ("without_offers[1]", "not_on_the_board"),
    ("without_needs[1]", "not_on_the_board"),
]


def written(folder: Path, text: str) -> Path:
    path = folder / "what.toml"
    path.write_text(text, encoding="utf-8")
    return path


async def tried(folder: Path, dsn: str, text: str, **options: Any) -> int:
    return await asyncio.to_thread(trying.try_scenario, folder, dsn, written(folder, text), **options)


async def test_a_further_offer_in_both_languages_and_nothing_changes(
    house: House, dsn: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second = facts.need(urgency="critical"), facts.need()
    offer = facts.offer(quantity=1)
    waiting = await plan(house, first, second, offer)
    counts = """select (select count(*) from bus.event) as events, (select count(*) from bus.job) as jobs,
        (select count(*) from matcher.proposal) as proposals, (select count(*) from matcher.round) as rounds,
        (select count(*) from matcher.unserved) as unserved"""
    (before,) = await house.db.pool.fetch(counts)
    file = tmp_path / "more.plan.npz"
    assert await tried(tmp_path, dsn, MORE, out=file) == 0
    out = capsys.readouterr().out
    for line in (
        "现状：2 项需求、1 份资源；1 项需求得到帮助，其中 1 项全部满足，共安排数量 1。",
        "Scenario: 2 needs, 2 offers; 2 needs are helped, 2 of them in full, with 2 units.",
        "不同的配对：新增 1，取消 0，数量增加 0，数量减少 0。",
        "  罗定市金鸡镇：0.0% → 50.0% → 100.0%",
        "  Jinji Town, Luoding City: 0.0% → 50.0% → 100.0%",
        "以上只是试算，看板没有任何改动。",
        "This was only a trial; nothing on the board has changed.",
    ):
        assert line in out.splitlines()
    assert re.search(
        rf"需求 {second.need_id}，资源 offer\[1\]：0 → 1，每单位 [\d.]+ 分；资源是试算新增的。", out
    )
    assert list(await house.db.pool.fetch(counts)) == [before]
    assert await pending(house) == waiting
    assert verify_file(file) == 0
    assert '"scenario": "what.toml"' in capsys.readouterr().out


async def test_json_for_machines(
    house: House, dsn: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    await plan(house, facts.need(), facts.need(), facts.offer(quantity=1))
    capsys.readouterr()
    assert await tried(tmp_path, dsn, MORE, for_machines=True) == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["ok"], report["as_is"]["served"], report["scenario"]["served"]) == (True, 1, 2)
    assert report["pairs"]["first"][0]["why"]["code"] == "offer_added"
    assert report["scenario"]["price_of_fairness"]["town"] == facts.LUOJING
    assert report["refused"] == [{"rule": "exhausted", "as_is": 1, "scenario": 0}]
    assert await tried(tmp_path, dsn, MORE, for_machines=True) == 0
    again = json.loads(capsys.readouterr().out)
    assert {**again, "at": ""} == {**report, "at": ""}


async def test_a_forecast_that_is_off_can_be_tried(
    house: House, dsn: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    came = facts.need(urgency="critical", raised_at=facts.NOW - timedelta(hours=3))
    low = facts.need(urgency="low", vulnerabilities=("DIBAO",), raised_at=facts.NOW - timedelta(days=2))
    await plan(house, came, facts.withdrawn(came), low, facts.offer(quantity=1))
    capsys.readouterr()
    words = 'categories = ["APP-FAN"]\npolicy = { forecast_samples = 2, forecast_days = 1, forecast_horizon_days = 2 }'
    assert await tried(tmp_path, dsn, words, for_machines=True) == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["as_is"]["served"], report["scenario"]["served"]) == (1, 0)
    assert report["refused"] == [{"rule": "held_back", "as_is": 0, "scenario": 1}]


async def test_rows_are_left_out_by_id_or_number(
    house: House, dsn: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one, other = facts.need(case_number="A-1"), facts.need(case_number="A-2")
    offer, spare = facts.offer(offer_number="R-7"), facts.offer(offer_number="R-8")
    await plan(house, one, other, offer, spare)
    capsys.readouterr()
    words = f'without_needs = ["A-1"]\nwithout_offers = ["R-7", "{spare.offer_id}"]\ncategories = ["APP-FAN"]'
    assert await tried(tmp_path, dsn, words, for_machines=True) == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["scenario"]["needs"], report["scenario"]["offers"]) == (1, 0)
    assert {pair["why"]["code"] for pair in report["pairs"]["first"]} == {"need_left_out", "offer_left_out"}


async def test_every_fault_of_a_wrong_file_is_named_at_once(
    house: House, dsn: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    await plan(house, facts.need(), facts.offer(offer_number="R-1"))
    capsys.readouterr()
    assert await tried(tmp_path, dsn, WRONG, for_machines=True) == 2
    report = json.loads(capsys.readouterr().out)
    assert report["ok"] is False
    assert [(fault["field"], fault["rule"]) for fault in report["faults"]] == FAULTS
    with pytest.raises(SetupError, match="can't be tried"):
        await tried(tmp_path, dsn, WRONG)
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 2 * len(FAULTS)
    assert said[-2:] == [
        "without_needs[1]  [not_on_the_board]  试算的类别里没有这样的待对接需求：N-9。请填需求编号或案卷号。",
        "without_needs[1]  [not_on_the_board]  There is no such open need in the categories that are tried: N-9. Give a need's id or a case number.",
    ]
    assert not [fault for fault in report["faults"] if re.search("[一-鿿]", fault["en"])]


def test_a_wrong_file_is_refused_without_a_database(tmp_path: Path) -> None:
    with pytest.raises(NotAScenario, match="model: literal_error"):
        read(written(tmp_path, 'model = "x"'))
    with pytest.raises(NotAScenario, match="unreadable"):
        read(written(tmp_path, "offer = ["))
    wrong = tmp_path / "wrong.toml"
    wrong.write_bytes(b"\xff")
    with pytest.raises(NotAScenario, match="unreadable"):
        read(wrong)


@pytest.mark.parametrize(
    "text", ["offer = 3", "offer = [3]", "policy = 1", "without_needs = 3", "categories = [[1]]"]
)
def test_what_is_of_the_wrong_kind_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(NotAScenario):
        read(written(tmp_path, text))


def test_settings_are_laid_over_the_offices(tmp_path: Path) -> None:
    draft = read(written(tmp_path, "[policy]\nfurther_cap = 1\n[policy.urgency_points]\nhigh = 99"))
    assert draft.file is not None
    policy = scenarios.policy_of(draft.file)
    assert (policy.further_cap, policy.urgency_points["high"], policy.urgency_points["critical"]) == (
        1,
        99,
        40,
    )
    unnamed = {item.name for item in fields(Policy)} - {"further_cap", "urgency_points"}
    assert all(getattr(policy, name) == getattr(rules.policy(), name) for name in unnamed)


def test_every_setting_can_be_tried() -> None:
    assert set(scenarios.Settings.model_fields) == {item.name for item in fields(Policy)}


def test_the_sample_can_be_tried() -> None:
    draft = read(SAMPLE)
    assert draft.file is not None and draft.faults == ()
    assert (len(draft.file.offer), len(draft.file.need), draft.file.model) == (1, 1, "rules")
    assert draft.categories == rules.component(["APP-FAN"])
    assert "虚构" in SAMPLE.read_text().splitlines()[0]


async def test_the_sample_over_a_board(house: House, dsn: str, tmp_path: Path) -> None:
    await plan(house, facts.need(), facts.offer())
    assert await tried(tmp_path, dsn, SAMPLE.read_text()) == 0


def test_every_sentence_has_its_english_with_the_same_places() -> None:
    assert set(differences.WHY) == set(get_args(Code))
    sentences = [
        *differences.SENTENCES.values(), *differences.WHY.values(), differences.BELOW, *scenarios.NO_SUCH.values(), scenarios.OUTSIDE,
        scenarios.UNREADABLE,
    ]  # fmt: skip
    for sentence in sentences:
        english = catalogue(HERE)[sentence]
        assert set(re.findall(r"{(\w+)}", english)) == set(re.findall(r"{(\w+)}", sentence)), sentence


def test_what_the_file_says_does_not_steer_the_terminal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SetupError):
        trying.try_scenario(tmp_path, None, written(tmp_path, '"a\\u001b[2J" = 1'))
    assert "\x1b" not in capsys.readouterr().err


async def test_a_scenario_may_ask_for_a_set(
    house: House, dsn: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = "".join(
        f'[[need]]\ncategory = "{code}"\nquantity = 1\narea = "{facts.LUOJING}"\nbundle = 1\nwhole = true\n'
        for code in ("FUR-BED", "FUR-MATT")
    )
    await plan(house, facts.offer(category="FUR-BED"))
    assert await tried(tmp_path, dsn, text) == 0
    assert "0 项需求得到帮助" in capsys.readouterr().out
    await plan(house, facts.offer(category="FUR-MATT"))
    assert await tried(tmp_path, dsn, text) == 0
    assert "2 项需求得到帮助" in capsys.readouterr().out
