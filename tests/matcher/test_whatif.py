"""Two plans of one board side by side, and why they differ."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from matching.columns import town_of
from matching.model import Need, Offer, PastAid, Policy
from matching.ranking import RULES
from services.matcher import rules
from services.matcher.champion import InForce
from services.matcher.loading import Scope, load, point_of
from services.matcher.moves import Moves, Why, moves
from services.matcher.rounds import plan_of
from services.matcher.trials import Scenario, both, tried, under
from services.matcher.whatif import ShareMoved, compare, met, price_of_fairness
from tests.house import House
from tests.matcher import facts
from tests.matcher.build import pending, plan, rows, tell

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
JINJI, LANGTANG = facts.LUOJING, facts.RONGGUI
OFFICE = rules.policy()


def need(name: str, **changes: Any) -> Need:
    values: dict[str, Any] = {
        "id": name, "beneficiary_id": f"home of {name}", "area": JINJI, "category": "APP-FAN", "quantity": 1, "urgency": "normal",
        "needed_by": None, "raised_at": NOW - timedelta(days=2), "vulnerabilities": ("ORPHAN",),
    }  # fmt: skip
    values |= changes
    return Need(point=point_of(values["area"]), **values)


def offer(name: str, **changes: Any) -> Offer:
    values: dict[str, Any] = {
        "id": name, "charity_id": "c", "category": "APP-FAN", "quantity": 1, "service_areas": (facts.COUNTY,), "origin_area": JINJI,
    }  # fmt: skip
    values |= changes
    return Offer(point=point_of(values["origin_area"]), **values)


def scope(needs: list[Need], offers: list[Offer], **changes: Any) -> Scope:
    made = Scope(
        ("APP-CEILFAN", "APP-FAN"), tuple(needs), tuple(offers), (), (), frozenset(), {}, (), {}, InForce(None, RULES)
    )  # fmt: skip
    return replace(made, **changes)


def moved(board: Scope, scenario: Scenario) -> Moves:
    return moves(*both(board, scenario, NOW))


def whys(board: Scope, scenario: Scenario) -> dict[tuple[str, str], Why]:
    return {(pair.need_id, pair.offer_id): pair.why for pair in moved(board, scenario).first}


async def test_the_board_as_it_is_is_what_a_round_would_plan(house: House) -> None:
    await tell(house, facts.need(), facts.need(area=LANGTANG), facts.offer(quantity=1))
    async with house.db.transaction("nuanlian_matcher_system") as conn:
        board = await load(conn, rules.component(["APP-FAN"]), NOW)
    as_is, same = both(board, Scenario(OFFICE), NOW)
    assert as_is.plan.assignments == same.plan.assignments == plan_of(board, NOW).assignments
    found = compare(as_is, same)
    assert found.as_is == found.scenario
    assert (found.pairs.first, found.towns, found.classes) == ((), (), ())


async def test_what_waits_on_the_board_counts_as_in_a_round_and_not_to_the_score(house: House) -> None:
    first, offer = facts.need(), facts.offer(quantity=1)
    await plan(house, first, offer)
    await tell(house, facts.need(raised_at=facts.NOW - timedelta(days=3)))
    async with house.db.transaction("nuanlian_matcher_system") as conn:
        board = await load(conn, rules.component(["APP-FAN"]), facts.NOW)
    loose = replace(OFFICE, stability_points=0)
    as_is, moving = tried(board, OFFICE, facts.NOW), tried(board, loose, facts.NOW)
    assert as_is.plan.assignments == plan_of(board, facts.NOW).assignments
    assert set(as_is.given) == {str(first.need_id)} != set(moving.given)
    assert moving.score - as_is.score == 1000
    assert {pair.why.code for pair in moves(as_is, moving).first} == {"outranks", "outranked"}


async def test_trying_leaves_the_board_alone(house: House) -> None:
    await plan(house, facts.need(), facts.need(), facts.offer(quantity=1))
    counts = (
        "select (select count(*) from bus.event) as events, (select count(*) from matcher.round) as rounds"
    )
    before, waiting = await rows(house, counts), await pending(house)
    async with house.db.transaction("nuanlian_matcher_system") as conn:
        board = await load(conn, rules.component(["APP-FAN"]), NOW)
        compare(*both(board, Scenario(OFFICE, offers=(offer("more"),)), NOW))
    assert (await rows(house, counts), await pending(house)) == (before, waiting)


def test_a_further_offer_serves_a_need_that_waits() -> None:
    board = scope([need("first", urgency="critical"), need("second")], [offer("one")])
    found = compare(*both(board, Scenario(OFFICE, offers=(offer("two", origin_area=LANGTANG),)), NOW))
    assert (found.as_is.served, found.scenario.served, found.scenario.served_in_full) == (1, 2, 2)
    assert (found.pairs.new, found.pairs.gone) == (1, 0)
    (pair,) = found.pairs.first
    assert (pair.need_id, pair.offer_id, pair.as_is, pair.scenario, pair.why) == (
        "second", "two", 0, 1, Why("offer_added"),
    )  # fmt: skip
    assert found.towns == (ShareMoved(JINJI, 0, 500, 1000),)
    assert found.classes == (ShareMoved("ORPHAN", 0, 500, 1000),)
    assert [(row.rule, row.as_is, row.scenario) for row in found.refused] == [("outranked", 1, 0)]


def test_raising_fairness_moves_help_to_the_town_that_waited() -> None:
    # The town with the offer is nearer; the other has met nothing so far.
    board = scope(
        [need("near"), need("waits", area=LANGTANG)], [offer("one")], shares={JINJI: 900, LANGTANG: 0}
    )
    as_is = replace(OFFICE, fairness_points=0, class_fairness_points=0)
    one, other = tried(board, as_is, NOW), tried(board, replace(as_is, fairness_points=200), NOW)
    assert (set(one.given), set(other.given)) == ({"near"}, {"waits"})
    found = compare(one, other)
    assert {pair.need_id: pair.why for pair in found.pairs.first} == {
        "near": Why("fairness", need_id="waits"),
        "waits": Why("fairness", need_id="near"),
    }
    assert found.towns == (ShareMoved(LANGTANG, 0, 0, 1000), ShareMoved(JINJI, 900, 1000, 900))
    price = found.scenario.price_of_fairness
    assert price.score_given_up == one.score - other.score > 0
    assert (price.town_without, price.share_without, price.town, price.share) == (LANGTANG, 0, JINJI, 900)
    assert price.share_gained == 900
    assert found.as_is.price_of_fairness.score_given_up == found.as_is.price_of_fairness.share_gained == 0


def test_a_policy_that_forbids_substitutes() -> None:
    board = scope([need("fan")], [offer("ceiling", category="APP-CEILFAN", licences=("低压电工作业证",))])
    found = moved(board, Scenario(replace(OFFICE, substitute_milli=0)))
    assert (found.gone, found.new) == (1, 0)
    assert found.first[0].why == Why("refused", rule="no_offer_of_category")
    back = moves(tried(board, replace(OFFICE, substitute_milli=0), NOW), tried(board, OFFICE, NOW))
    assert back.first[0].why == Why("allowed", rule="no_offer_of_category")


def test_what_is_left_out_and_what_that_frees() -> None:
    board = scope([need("gone", urgency="critical"), need("next")], [offer("one")])
    assert whys(board, Scenario(OFFICE, without_needs=frozenset({"gone"}))) == {
        ("gone", "one"): Why("need_left_out"),
        ("next", "one"): Why("freed", need_id="gone"),
    }
    assert whys(board, Scenario(OFFICE, without_offers=frozenset({"one"}))) == {
        ("gone", "one"): Why("offer_left_out")
    }


def test_a_further_need_that_outranks() -> None:
    board = scope([need("calm", urgency="low")], [offer("one")])
    assert whys(board, Scenario(OFFICE, needs=(need("urgent", urgency="critical"),))) == {
        ("urgent", "one"): Why("need_added"),
        ("calm", "one"): Why("outranked", need_id="urgent"),
    }


def test_a_setting_that_turns_the_order_round() -> None:
    board = scope([need("urgent", urgency="critical", vulnerabilities=()), need("orphan")], [offer("one")])
    before = {**OFFICE.base_priority, "ORPHAN": 0}
    one, other = tried(board, replace(OFFICE, base_priority=before), NOW), tried(board, OFFICE, NOW)
    assert {pair.need_id: pair.why for pair in moves(one, other).first} == {
        "urgent": Why("outranked", need_id="orphan"),
        "orphan": Why("outranks", need_id="urgent"),
    }


def test_a_need_that_turns_to_a_better_offer() -> None:
    board = scope([need("fan", area=LANGTANG)], [offer("far")])
    assert whys(board, Scenario(OFFICE, offers=(offer("near", origin_area=LANGTANG),))) == {
        ("fan", "far"): Why("served_otherwise", offer_id="near"),
        ("fan", "near"): Why("offer_added"),
    }
    two = scope([need("fan")], [offer("new"), offer("used", condition="used")])
    assert whys(two, Scenario(OFFICE, without_offers=frozenset({"new"}))) == {
        ("fan", "new"): Why("offer_left_out"),
        ("fan", "used"): Why("instead_of", offer_id="new"),
    }


def test_a_pair_may_grow_or_shrink() -> None:
    used = offer("more", quantity=5, condition="used", service_areas=(JINJI,))
    board = scope([need("many", quantity=5)], [offer("some", quantity=5), used])
    further = need("urgent", quantity=3, urgency="critical", area=LANGTANG)
    found = moved(board, Scenario(OFFICE, needs=(further,)))
    assert (found.new, found.gone, found.larger, found.smaller) == (2, 0, 0, 1)
    shrunk = next(pair for pair in found.first if (pair.need_id, pair.offer_id) == ("many", "some"))
    assert (shrunk.as_is, shrunk.scenario, shrunk.why) == (5, 2, Why("served_otherwise", offer_id="more"))
    as_is, scenario = both(board, Scenario(OFFICE, needs=(further,)), NOW)
    back = moves(scenario, as_is)
    assert (back.new, back.gone, back.larger, back.smaller) == (0, 2, 1, 0)


def test_a_rule_of_the_need_alone_is_named() -> None:
    received = PastAid("home of fan", "APP-FAN", NOW - timedelta(days=400))
    board = scope([need("fan")], [offer("one")], past=(received,))
    found = whys(board, Scenario(replace(OFFICE, durable_months=6)))
    assert found == {("fan", "one"): Why("allowed", rule="aid_received")}


def test_what_is_kept_for_needs_to_come() -> None:
    board = scope([need("fan", quantity=2)], [offer("many", quantity=5)])
    keeping = Scenario(replace(OFFICE, hold_back_points={"APP-FAN": 1_000}))
    assert whys(board, keeping) == {("fan", "many"): Why("refused", rule="held_back")}
    as_is, scenario = both(board, keeping, NOW)
    (pair,) = moves(scenario, as_is).first
    assert pair.why == Why("allowed", rule="held_back")


def test_only_the_first_pairs_are_explained_and_all_are_counted() -> None:
    board = scope([need(f"n{i:02}") for i in range(30)], [])
    found = moved(board, Scenario(OFFICE, offers=(offer("many", quantity=30),)))
    assert (found.new, len(found.first)) == (30, 20)
    assert [pair.score for pair in found.first] == sorted((pair.score for pair in found.first), reverse=True)


def test_shares_are_counted_as_the_engine_counts_them() -> None:
    needs = [need("a", quantity=3), need("b"), need("c", area=LANGTANG, quantity=7), need("d", area=LANGTANG)]
    board = scope(needs, [offer("one", quantity=6)], shares={JINJI: 333, LANGTANG: 77})
    trial = tried(board, OFFICE, NOW)
    assert met(trial, lambda one: (town_of(one.area),)) == {
        row.area: row.share_after for row in trial.plan.fairness
    }


def test_the_rules_in_place_of_the_model_in_force() -> None:
    learned = replace(RULES, name="learned")
    board = scope([need("fan")], [offer("one")], champion=InForce(None, learned))
    assert under(board, Scenario(OFFICE, by_rules=True)).champion.model is RULES
    assert under(board, Scenario(OFFICE)).champion.model is learned


def test_an_empty_board() -> None:
    trial = tried(scope([], []), Policy(), NOW)
    price = price_of_fairness(trial)
    assert (price.score_given_up, price.town, price.share_gained) == (0, "", 0)
    assert compare(trial, trial).pairs == Moves(0, 0, 0, 0, ())


def test_the_same_input_gives_the_same_comparison() -> None:
    board = scope(
        [need(f"n{i}", area=(JINJI, LANGTANG)[i % 2]) for i in range(8)], [offer("one", quantity=3)]
    )
    more = Scenario(replace(OFFICE, fairness_points=80), offers=(offer("two", quantity=2),))
    assert compare(*both(board, more, NOW)) == compare(*both(board, more, NOW))
