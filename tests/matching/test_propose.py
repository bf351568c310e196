"""The one way in, seen from outside."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given as given_that
from hypothesis import settings
from hypothesis import strategies as st

from matching.model import Edge, Fairness, PastAid, Plan, Policy
from matching.propose import Repeated
from matching.ranking import AdditiveModel
from tests.matching.build import (
    CATALOGUE,
    FAR,
    NOW,
    OTHER_COUNTY,
    OTHER_TOWN,
    TOWN,
    given,
    need,
    offer,
    plan,
    rules_of,
)

AREAS = (TOWN, OTHER_TOWN, OTHER_COUNTY)


def edges(result: Plan) -> list[Edge]:
    spare = [edge for row in result.alternatives.values() for edge in row]
    return [a.edge for a in result.assignments] + spare


def test_empty_inputs_give_an_empty_plan() -> None:
    for result in (plan([], []), plan([], [offer()])):
        assert result.assignments == ()
        assert result.refusals == ()
        assert result.certificate.objective == 0
    assert rules_of(plan([need()], [])) == {"no_offer_of_category": 0}


def test_half_a_need_is_met_when_there_is_no_more() -> None:
    result = plan([need(category="RICE", quantity=9)], [offer(category="RICE", quantity=4)])
    assert given(result) == {("n1", "o1"): 4}
    assert rules_of(result) == {"exhausted": 1}


def test_two_offers_may_share_a_need() -> None:
    offers = [offer("o1", category="RICE", quantity=4), offer("o2", category="RICE", quantity=3)]
    assert given(plan([need(category="RICE", quantity=6)], offers)) in (
        {("n1", "o1"): 4, ("n1", "o2"): 2},
        {("n1", "o1"): 3, ("n1", "o2"): 3},
    )


def test_the_more_vulnerable_comes_first_and_the_other_is_told_why() -> None:
    needs = [need("n1", vulnerabilities=("GENERAL",)), need("n2", vulnerabilities=("ORPHAN",))]
    result = plan(needs, [offer(quantity=1)])
    assert given(result) == {("n2", "o1"): 1}
    assert rules_of(result, "n1") == {"outranked": 1}
    assert result.alternatives["n1"][0].score <= result.prices["o1"] <= result.assignments[0].edge.score


def test_whoever_has_no_other_choice_gets_the_shared_offer() -> None:
    needs = [need("n1"), need("n2", area=OTHER_TOWN)]
    offers = [offer("o1", quantity=1), offer("o2", quantity=1, service_areas=(TOWN,), point=FAR)]
    assert given(plan(needs, offers)) == {("n1", "o2"): 1, ("n2", "o1"): 1}


def test_waiting_counts_and_is_capped() -> None:
    def waited(days: int) -> int:
        result = plan([need(raised_at=NOW - timedelta(days=days))], [offer()])
        return dict(result.assignments[0].edge.contributions).get("waiting", 0)

    assert [waited(0), waited(3), waited(20), waited(90)] == [0, 3_000, 20_000, 20_000]


def test_a_town_of_which_less_was_met_comes_first() -> None:
    needs = [need("n1", area=TOWN, vulnerabilities=()), need("n2", area=OTHER_TOWN, vulnerabilities=())]
    shares = {TOWN: 800, OTHER_TOWN: 200}
    result = plan(needs, [offer(quantity=1, point=None, origin_area="445381000000")], shares=shares)
    assert given(result) == {("n2", "o1"): 1}
    edge = result.assignments[0].edge
    assert dict(edge.contributions)["fairness"] == 8_000
    assert edge.score == sum(points for _, points in edge.contributions)
    assert result.certificate.gap == 0


def test_a_class_of_which_nothing_was_met_comes_before_one_that_was_served() -> None:
    needs = [need("n1", vulnerabilities=("DIBAO_EDGE",)), need("n2", vulnerabilities=("VETERAN",))]
    for served, first in (("DIBAO_EDGE", "n2"), ("VETERAN", "n1")):
        assert given(plan(needs, [offer(quantity=1)], shares={served: 900})) == {(first, "o1"): 1}


def test_the_rule_of_fairness_can_be_switched_off() -> None:
    needs = [need("n1", area=TOWN), need("n2", area=OTHER_TOWN)]
    policy = Policy(fairness_points=0, class_fairness_points=0)
    result = plan(needs, [offer(quantity=1)], shares={TOWN: 900}, policy=policy)
    assert given(result) == {("n1", "o1"): 1}
    assert "fairness" not in dict(result.assignments[0].edge.contributions)


def test_what_waits_on_the_board_moves_only_for_a_gain() -> None:
    policy = Policy(fairness_points=0, class_fairness_points=0, stability_points=5)
    for wait in (4, 6):
        needs = [need("n1"), need("n2", raised_at=need().raised_at - timedelta(days=wait))]
        stays = plan(needs, [offer(quantity=1)], policy=policy, waiting=frozenset({("n1", "o1")}))
        assert given(stays) == {("n1" if wait < 5 else "n2", "o1"): 1}
        assert given(plan(needs, [offer(quantity=1)], policy=policy)) == {("n2", "o1"): 1}


def test_what_is_held_back_is_for_higher_scores_and_the_need_is_told() -> None:
    plain = plan([need("n1", quantity=1)], [offer()]).assignments[0].edge.score // 1_000
    policy = Policy(hold_back_points={"FAN": plain + 10})
    needs = [need("n1", quantity=1), need("n2", quantity=1, urgency="critical")]
    held = plan(needs, [offer()], policy=policy)
    assert given(held) == {("n2", "o1"): 1}
    assert rules_of(held) == {"held_back": 1}
    assert held.certificate.gap <= 1e-5


def test_fairness_figures() -> None:
    needs = [need("n1"), need("n2"), need("n3", area=OTHER_COUNTY)]
    result = plan(needs, [offer(quantity=1)], shares={TOWN: 600})
    assert result.fairness == (
        Fairness(OTHER_COUNTY, needs=1, met=0, share_before=0, share_after=0),
        Fairness(TOWN, needs=2, met=1, share_before=600, share_after=800),
    )


def test_alternatives_are_the_best_pairs_not_used() -> None:
    offers = [offer(f"o{n}", point=(111.5 + n / 10, 22.7)) for n in range(9)]
    result = plan([need()], offers, policy=Policy(alternatives=3))
    assert given(result) == {("n1", "o0"): 1}
    assert [edge.offer_id for edge in result.alternatives["n1"]] == ["o1", "o2", "o3"]


def test_only_the_best_pairs_of_a_need_come_before_the_solver() -> None:
    offers = [offer(f"o{n}", point=(111.5 + n / 10, 22.7)) for n in range(9)]
    result = plan([need()], offers, policy=Policy(edges_per_need=4))
    assert result.certificate.edges == 4
    assert {edge.offer_id for edge in edges(result)} == {"o0", "o1", "o2", "o3"}


def test_a_model_that_finds_nothing_worthwhile_says_so() -> None:
    gloomy = AdditiveModel.linear("gloomy", -10, (0,) * 13)
    result = plan([need()], [offer()], model=gloomy)
    assert result.assignments == ()
    assert rules_of(result) == {"score_too_low": 1}


def test_the_order_of_the_input_does_not_matter() -> None:
    needs = [need(f"n{n}", vulnerabilities=("DIBAO",) * (n % 2)) for n in range(8)]
    offers = [offer(f"o{n}", quantity=1) for n in range(5)]
    assert plan(needs, offers) == plan(needs[::-1], offers[::-1])


@pytest.mark.parametrize(
    ("needs", "offers", "error", "words"),
    [
        ([need(), need()], [], Repeated, "n1"),
        ([], [offer(), offer()], Repeated, "o1"),
        ([need(area="4453")], [], ValueError, "12-digit"),
        ([need(raised_at=datetime(2024, 8, 1))], [], ValueError, "zone"),
    ],
)
def test_wrong_input_is_refused_with_a_hint(
    needs: Any, offers: Any, error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        plan(needs, offers)


@st.composite
def markets(draw: st.DrawFn) -> tuple[list[Any], list[Any]]:
    point = st.sampled_from([None, (111.5, 22.7), (111.56, 22.7), FAR])
    code = st.sampled_from(["FAN", "CEILFAN", "RICE", "TUTOR", "GRANT", "PERMIT"])
    held = st.lists(st.sampled_from(["DIBAO", "ORPHAN", "ELD_ALONE"]), max_size=3).map(tuple)
    needs = [
        need(
            f"n{n}", area=draw(st.sampled_from(AREAS)), point=draw(point), category=draw(code), minor=draw(st.booleans()),
            quantity=draw(st.integers(1, 4)), consent=draw(st.integers(0, 5)) > 0, vulnerabilities=draw(held),
            beneficiary_id=f"home{draw(st.integers(0, 3))}",
        )
        for n in range(draw(st.integers(0, 8)))
    ]  # fmt: skip
    offers = [
        offer(
            f"o{n}", category=draw(code), point=draw(point), quantity=draw(st.integers(0, 5)),
            service_areas=draw(st.sampled_from([(), (TOWN,), ("445300000000",)])), vetted=draw(st.booleans()),
            radius_m=draw(st.sampled_from([None, 5_500])), designated_vulnerabilities=draw(held)[:1],
            per_household_limit=draw(st.sampled_from([None, 1, 2])), licences=draw(st.sampled_from([(), ("electrician",)])),
        )
        for n in range(draw(st.integers(0, 6)))
    ]  # fmt: skip
    return needs, offers


@given_that(markets())
@settings(max_examples=80, deadline=None)
def test_no_plan_breaks_a_rule_or_a_quantity(market: tuple[list[Any], list[Any]]) -> None:
    needs, offers = {n.id: n for n in market[0]}, {o.id: o for o in market[1]}
    result = plan(list(needs.values()), list(offers.values()))
    per_home: dict[tuple[str, str], int] = {}
    for a in result.assignments:
        wanted, given_ = needs[a.need_id], offers[a.offer_id]
        accepted = {wanted.category, *(code for code, _ in CATALOGUE[wanted.category].accepts)}
        assert given_.category in accepted
        assert wanted.category != "PERMIT"
        assert wanted.consent
        assert a.quantity > 0
        assert not given_.designated_vulnerabilities or set(given_.designated_vulnerabilities) & set(
            wanted.vulnerabilities
        )
        assert given_.category != "CEILFAN" or given_.licences
        assert given_.category != "TUTOR" or not wanted.minor or given_.vetted
        areas = given_.service_areas or ("445381000000",)
        assert any(wanted.area.startswith(area.rstrip("0")) for area in areas)
        key = (a.offer_id, wanted.beneficiary_id)
        per_home[key] = per_home.get(key, 0) + a.quantity
    for item in (*needs.values(), *offers.values()):
        taken = sum(a.quantity for a in result.assignments if item.id in (a.need_id, a.offer_id))
        assert taken <= item.quantity
    assert all(q <= (offers[o].per_household_limit or q) for (o, _), q in per_home.items())
    assert all(edge.score == sum(points for _, points in edge.contributions) > 0 for edge in edges(result))
    assert result.certificate.gap <= 1e-5
    unserved = needs.keys() - {a.need_id for a in result.assignments}
    assert unserved <= {refusal.need_id for refusal in result.refusals}


def test_the_search_tells_how_far_it_is_and_can_be_ended() -> None:
    class Enough(Exception):
        pass

    def end(stage: str, part: float) -> None:
        if stage == "candidates" and part > 0:
            raise Enough

    needs = [need(f"n{n}", category=("FAN", "RICE", "TUTOR")[n % 3], minor=False) for n in range(9)]
    offers = [offer("fan", quantity=9), offer("rice", category="RICE", quantity=9)]
    told: list[tuple[str, float]] = []
    plan(needs, offers, report=lambda stage, part: told.append((stage, part)))
    searched = [part for stage, part in told if stage == "candidates"]
    assert (searched[0], searched[-1]) == (0.0, 1.0) and len(searched) == 5
    with pytest.raises(Enough):
        plan(needs, offers, report=end)


def test_a_limit_counts_what_the_household_had_even_if_less_of_the_offer_is_left() -> None:
    had = PastAid("home", "TUTOR", NOW - timedelta(days=60), "before", "o1", 4)
    tutors = offer(category="TUTOR", quantity=3, per_household_limit=5)
    lessons = need(category="TUTOR", quantity=3, beneficiary_id="home", beneficiary_kind="institution")
    assert given(plan([lessons], [tutors], past=[had])) == {("n1", "o1"): 1}
    assert given(plan([lessons], [tutors])) == {("n1", "o1"): 3}
