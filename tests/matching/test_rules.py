"""One hard rule each: a pair that is possible becomes impossible by one change, and the refusal names the
rule.
"""

from datetime import date, timedelta
from typing import Any

import pytest

from matching.model import Offer, PastAid, PendingAid, Policy
from tests.matching.build import FAR, NOW, OTHER_COUNTY, OTHER_TOWN, TOWN, given, need, offer, plan, rules_of

DAY = timedelta(days=1)


def refused(need_changes: dict[str, Any], offer_changes: dict[str, Any], **call: Any) -> dict[str, int]:
    result = plan([need(**need_changes)], [offer(**offer_changes)], **call)
    assert not result.assignments
    return rules_of(result)


def served(need_changes: dict[str, Any], offer_changes: dict[str, Any], **call: Any) -> bool:
    return bool(plan([need(**need_changes)], [offer(**offer_changes)], **call).assignments)


def test_the_plain_pair_is_possible() -> None:
    assert given(plan([need()], [offer()])) == {("n1", "o1"): 1}


def test_another_category_is_no_candidate() -> None:
    assert refused({}, {"category": "RICE"}) == {"no_offer_of_category": 0}


def test_an_unknown_category_is_named() -> None:
    assert refused({"category": "NEW"}, {}) == {"unknown_category": 0}


def test_an_accepted_substitute_serves_at_its_factor() -> None:
    ceiling = offer(category="CEILFAN", licences=("electrician",))
    edge = plan([need()], [ceiling]).assignments[0].edge
    assert dict(edge.contributions)["category"] == 15_000
    assert ("substitute", (("category", "CEILFAN"), ("factor", 500))) in [
        (r.code, r.params) for r in edge.reasons
    ]


def test_substitution_goes_one_way() -> None:
    assert refused({"category": "CEILFAN"}, {"category": "FAN"}) == {"no_offer_of_category": 0}


def test_an_office_may_forbid_substitutes() -> None:
    substitute: dict[str, Any] = {"category": "CEILFAN", "licences": ("electrician",)}
    assert refused({}, substitute, policy=Policy(substitute_milli=0)) == {"no_offer_of_category": 0}


def test_an_incompatible_category_is_refused_whatever_its_factor() -> None:
    assert refused({}, {"category": "HEAT"}) == {"incompatible": 1}


def test_a_government_procedure_never_goes_to_a_donor() -> None:
    assert refused({"category": "PERMIT"}, {"category": "GRANT"}) == {"government_procedure": 1}
    assert refused({"category": "PERMIT"}, {"category": "FAN"}) == {"government_procedure": 0}


def test_without_consent_nothing_is_proposed() -> None:
    assert refused({"consent": False}, {}) == {"consent_missing": 1}


def test_area_of_town_county_and_city() -> None:
    for area in (TOWN, "445381000000", "445300000000"):
        assert served({}, {"service_areas": (area,)})
    for area in (OTHER_TOWN, "445321000000", "440100000000"):
        assert refused({}, {"service_areas": (area,)}) == {"out_of_area": 1}


def test_without_service_areas_the_offer_serves_its_own_county() -> None:
    assert served({"area": OTHER_TOWN}, {"service_areas": (), "origin_area": TOWN})
    assert refused({"area": OTHER_COUNTY}, {"service_areas": (), "origin_area": TOWN}) == {"out_of_area": 1}


def test_radius() -> None:
    assert served({}, {"radius_m": 5_200})
    assert refused({}, {"radius_m": 5_000}) == {"out_of_radius": 1}
    assert served({"point": None}, {"radius_m": 5_000})


def test_a_household_need_not_go_far_to_fetch() -> None:
    assert served({}, {"pickup": "self_pickup"})
    assert refused({}, {"pickup": "self_pickup", "point": FAR}) == {"too_far_to_fetch": 1}
    assert served({}, {"pickup": "delivery", "point": FAR})


@pytest.mark.parametrize(
    ("needed_by", "start", "end", "possible"),
    [
        (None, None, NOW, True),
        (None, None, NOW - timedelta(seconds=1), False),
        (NOW + DAY, NOW + DAY, None, True),
        (NOW + DAY, NOW + 2 * DAY, None, False),
        (None, NOW + 2 * DAY, NOW + 3 * DAY, True),
    ],
)
def test_windows(needed_by: Any, start: Any, end: Any, possible: bool) -> None:
    window: dict[str, Any] = {"available_from": start, "available_until": end}
    if possible:
        assert served({"needed_by": needed_by}, window)
    else:
        assert refused({"needed_by": needed_by}, window) == {"window_missed": 1}


def test_a_date_that_has_passed_asks_for_a_new_one() -> None:
    assert refused({"needed_by": NOW - DAY}, {}) == {"needed_by_passed": 1}


def test_expiry_keeps_the_margin_of_the_category() -> None:
    rice: dict[str, Any] = {"category": "RICE"}
    assert served(rice, rice | {"expires_on": date(2024, 8, 23)})
    assert refused(rice, rice | {"expires_on": date(2024, 8, 22)}) == {"expiring": 1}
    longer = Policy.load({"expiry_margin_days": {"RICE": 4}})
    assert refused(rice, rice | {"expires_on": date(2024, 8, 23)}, policy=longer) == {"expiring": 1}


def test_expiry_counts_from_the_first_day_the_offer_can_come() -> None:
    rice: dict[str, Any] = {"category": "RICE"}
    late: dict[str, Any] = {"expires_on": date(2024, 8, 24), "available_from": NOW + 2 * DAY}
    assert refused(rice, rice | late) == {"expiring": 1}


def test_designation_asks_for_any_one_of_its_codes() -> None:
    assert served({"vulnerabilities": ("DIBAO",)}, {"designated_vulnerabilities": ("ORPHAN", "DIBAO")})
    edge_of_poverty = {"vulnerabilities": ("DIBAO_EDGE",)}
    assert refused(edge_of_poverty, {"designated_vulnerabilities": ("DIBAO",)}) == {"not_designated": 1}


def test_licensed_work_needs_the_licence() -> None:
    wire: dict[str, Any] = {"category": "WIRE"}
    assert served(wire, wire | {"licences": ("electrician",), "vetted": True})
    assert refused(wire, wire | {"licences": ("driver",)}) == {"licence_missing": 1}


def test_a_substitute_does_not_get_round_the_licence() -> None:
    assert refused({}, {"category": "CEILFAN"}) == {"licence_missing": 1}


def test_services_to_minors_need_vetted_people_goods_do_not() -> None:
    lesson: dict[str, Any] = {"category": "TUTOR"}
    assert served(lesson | {"minor": True}, lesson | {"vetted": True})
    assert served(lesson | {"minor": False}, lesson)
    assert refused(lesson | {"minor": True}, lesson) == {"vetting_missing": 1}
    assert served({"minor": True}, {"vetted": False})


def test_household_limit_counts_what_was_taken_before() -> None:
    rice: dict[str, Any] = {"category": "RICE", "quantity": 5}
    limited: dict[str, Any] = rice | {"per_household_limit": 2}
    home = "home-of-n1"
    assert plan([need(**rice)], [offer(**limited)]).assignments[0].quantity == 2
    before = PastAid(home, "FAN", NOW - 300 * DAY, offer_id="o1", quantity=1)
    assert plan([need(**rice)], [offer(**limited)], past=[before]).assignments[0].quantity == 1
    all_of_it = PendingAid(home, "FAN", offer_id="o1", quantity=2)
    assert refused(rice, limited, pending=[all_of_it]) == {"household_limit": 1}
    assert refused(rice, rice | {"per_household_limit": 0}) == {"household_limit": 1}


def test_a_lasting_thing_is_not_given_twice_within_24_months() -> None:
    def aid(received_at: Any, **more: Any) -> PastAid:
        return PastAid("home-of-n1", "FAN", received_at, **more)

    assert refused({}, {}, past=[aid(NOW.replace(year=2022) + DAY)]) == {"aid_received": 1}
    assert served({}, {}, past=[aid(NOW.replace(year=2022))])
    assert served({}, {}, past=[aid(NOW - DAY, need_id="n1")])
    assert served({"beneficiary_kind": "institution"}, {}, past=[aid(NOW - DAY)])


def test_consumables_come_again_after_their_cycle() -> None:
    rice: dict[str, Any] = {"category": "RICE"}

    def aid(days: int) -> PastAid:
        return PastAid("home-of-n1", "RICE", NOW - days * DAY)

    assert refused(rice, rice, past=[aid(27)]) == {"aid_received": 1}
    assert served(rice, rice, past=[aid(28)])
    assert served(rice, rice, past=[aid(1)], policy=Policy.load({"cycle_days": {"RICE": 0}}))


def test_aid_under_way_for_another_need_bars_this_one() -> None:
    assert refused({}, {}, pending=[PendingAid("home-of-n1", "FAN", "n0")]) == {"aid_pending": 1}
    assert served({}, {}, pending=[PendingAid("home-of-n1", "FAN", "n1")])
    assert served({}, {}, pending=[PendingAid("someone-else", "FAN", "n0")])


def test_the_second_open_need_for_the_same_lasting_thing_waits() -> None:
    twice = [need("n1", beneficiary_id="home"), need("n2", beneficiary_id="home", raised_at=NOW - 5 * DAY)]
    result = plan(twice, [offer()])
    assert given(result) == {("n2", "o1"): 1}
    assert rules_of(result, "n1") == {"duplicate_open": 1}


def test_a_declined_pair_is_not_proposed_again() -> None:
    assert refused({}, {}, declined=frozenset({("n1", "o1")})) == {"declined_before": 1}
    assert served({}, {}, declined=frozenset({("n2", "o1"), ("n1", "o2")}))


def test_an_offer_all_promised_is_named_as_such() -> None:
    assert refused({}, {"quantity": 0}) == {"nothing_left": 1}


def test_each_refused_offer_is_counted_once_by_the_first_rule() -> None:
    offers: list[Offer] = [
        offer("o1", service_areas=(OTHER_TOWN,), quantity=0),
        offer("o2", service_areas=(OTHER_TOWN,)),
        offer("o3", quantity=0),
    ]
    result = plan([need()], offers)
    assert rules_of(result) == {"out_of_area": 2, "nothing_left": 1}
    assert {r.rule: r.example_offer_id for r in result.refusals} == {
        "out_of_area": "o1",
        "nothing_left": "o3",
    }
