"""A told change, taken at its word, turns what it is told to turn; the next smaller one does not."""

from collections.abc import Mapping
from datetime import timedelta
from math import isnan
from typing import Any

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from matching.explain import Explanation, explain
from matching.features import NAMES
from matching.levers import metres
from matching.model import Need, Offer, Policy, Reason
from matching.ranking import RULES, AdditiveModel
from matching.turning import Bid, Turning
from tests.matching.build import (
    CATALOGUE,
    FAR,
    HERE,
    NEAR,
    NOW,
    OTHER_COUNTY,
    OTHER_TOWN,
    TOWN,
    need,
    offer,
    plan,
)
from tests.matching.build import given as given_
from tests.matching.test_standing import ASIDE, NEEDS, SOME
from tests.matching.turned import need_with, offer_with, smaller

COUNTY = "440000000000"
# Offers that the rules leave to the need, so that they are in each other's way.
WAYS = st.one_of(st.none(), st.floats(0, 0.6).map(lambda degrees: (111.5, 22.7 + degrees)))
POSSIBLE = st.builds(
    offer, st.sampled_from([f"o{n}" for n in range(9)]), category=st.sampled_from(["FAN", "CEILFAN"]), licences=st.just(("electrician",)),
    quantity=st.integers(1, 6), origin_area=st.sampled_from([TOWN, OTHER_TOWN, OTHER_COUNTY]), service_areas=st.just((COUNTY,)),
    point=WAYS, pickup=st.sampled_from(["delivery", "self_pickup"]),
    available_until=st.one_of(st.none(), st.integers(0, 70).map(lambda days: NOW + timedelta(days=days))),
    expires_on=st.one_of(st.none(), st.integers(0, 70).map(lambda days: NOW.date() + timedelta(days=days))),
    designated_vulnerabilities=st.sampled_from([(), ("DIBAO",)]), condition=st.sampled_from(["new", "used"]),
)  # fmt: skip
RIVALS = st.lists(POSSIBLE, min_size=2, max_size=5, unique_by=lambda o: o.id)
LACKING = st.builds(
    need, quantity=st.integers(1, 7), point=st.sampled_from([HERE, HERE, None]),
    needed_by=st.one_of(st.none(), st.integers(1, 20).map(lambda days: NOW + timedelta(days=days))),
    raised_at=st.integers(0, 25).map(lambda days: NOW - timedelta(days=days)),
    urgency=st.sampled_from(["low", "normal", "high", "critical"]),
)  # fmt: skip
OFFICE = st.fixed_dictionaries(
    {
        "policy": st.builds(Policy, soft_distance_m=st.sampled_from([2_000, 10_000]), self_pickup_m=st.just(100_000)),
        "shares": st.dictionaries(st.sampled_from([TOWN, "DIBAO"]), st.integers(0, 1000)),
    }
)  # fmt: skip
SCALE = dict.fromkeys(NAMES, 1.0) | {
    "vulnerability": 100.0,
    "urgency": 40.0,
    "waiting": 20.0,
    "fairness": 15.0,
}


@st.composite
def shapes(draw: st.DrawFn) -> AdditiveModel:
    """A model of any shapes, rising and falling."""
    made = []
    for name in NAMES:
        inner = draw(st.lists(st.integers(1, 19), max_size=3, unique=True))
        knots = [0.0, *(SCALE[name] * n / 20 for n in sorted(inner)), SCALE[name]]
        made.append(tuple((at, draw(st.integers(-6_000, 6_000))) for at in knots))
    return AdditiveModel("drawn", draw(st.integers(0, 50_000)), tuple(made))


MODELS = st.one_of(st.just(RULES), shapes())


def explained(one: Need, offers: list[Offer], **changes: Any) -> Explanation:
    values: dict[str, Any] = {"catalogue": CATALOGUE, "policy": Policy(), "model": RULES, "now": NOW}
    return explain(one, offers, **(values | changes))


def turned(one: Need, offers: list[Offer], bids: Mapping[str, Bid] | None = None, **changes: Any) -> Turning:
    return explained(one, offers, **changes).turn(bids or {})


def codes(changes: tuple[Reason, ...]) -> list[str]:
    return [change.code for change in changes]


def is_first(one: Need, offers: list[Offer], instead: Offer, **aside: Any) -> bool:
    edges = explained(one, [instead if o.id == instead.id else o for o in offers], **aside).edges
    return bool(edges) and edges[0].offer_id == instead.id


@settings(deadline=None, max_examples=200)
@given(LACKING, RIVALS, OFFICE, MODELS)
def test_a_told_change_puts_the_offer_first_and_a_smaller_one_does_not(
    one: Need, offers: list[Offer], aside: dict[str, Any], model: AdditiveModel
) -> None:
    verdict = explained(one, offers, model=model, **aside)
    by_id, result = {o.id: o for o in offers}, verdict.turn({})
    assert [t.offer_id for t in result.first] == [e.offer_id for e in verdict.edges[1:]]
    for turn in result.first:
        assert turn.missing >= 0
        of = by_id[turn.offer_id]
        for change in turn.changes:
            assert is_first(one, offers, offer_with(change, one, of), model=model, **aside)
            less = smaller(change)
            if less and between(less, one, of):
                assert not is_first(one, offers, offer_with(less, one, of), model=model, **aside)
        for whole in (
            Reason("town", (("area", TOWN),)),
            Reason("delivery"),
            Reason("free", (("units", one.quantity),)),
        ):
            if whole.code not in codes(turn.changes) and (whole.code != "town" or of.origin_area != TOWN):
                after = offer_with(whole, one, of)
                if whole.code != "free" or after.quantity > of.quantity:
                    assert after == of or not is_first(one, offers, after, model=model, **aside)


def between(less: Reason, one: Need, of: Offer) -> bool:
    """Whether the smaller change is one at all: it lies between what is and what was told."""
    after = offer_with(less, one, of)
    match less.code:
        case "distance":
            way = metres(one, of)
            return float(dict(less.params)["metres"]) < (20_000 if isnan(way) else way)
        case "free":
            return after.quantity > of.quantity
        case "ends":
            assert after.available_until is not None
            day = after.available_until.date()
            return (of.available_until is None or after.available_until < of.available_until) and (
                of.expires_on is None or day < of.expires_on
            )
        case _:
            return False


@settings(deadline=None, max_examples=200)
@given(LACKING, RIVALS, OFFICE, MODELS, st.integers(-20_000, 60_000), st.booleans())
def test_a_told_change_passes_the_score_of_the_others_and_a_smaller_one_does_not(
    one: Need,
    offers: list[Offer],
    aside: dict[str, Any],
    model: AdditiveModel,
    more: int,
    kin: bool,
) -> None:
    verdict = explained(one, offers, model=model, **aside)
    beats = (verdict.edges[0].score if verdict.edges else 0) + more
    result = verdict.turn({o.id: Bid(beats, kin) for o in offers})
    scores = {e.offer_id: e.score for e in verdict.edges}
    assert [t.offer_id for t in result.ahead] == list(scores)
    for turn in result.ahead:
        assert turn.missing == max(0, beats + 1 - scores[turn.offer_id])
        assert turn.missing or not turn.changes
        assert not (kin and "share" in codes(turn.changes))
        for change in turn.changes:
            assert passes(change, one, offers, turn.offer_id, beats, model, aside)
            less = smaller(change)
            if less and nearer_to(less, one, aside["shares"]):
                assert not passes(less, one, offers, turn.offer_id, beats, model, aside)


def nearer_to(less: Reason, one: Need, shares: Mapping[str, int]) -> bool:
    told: dict[str, Any] = dict(less.params)
    match less.code:
        case "due":
            end = need_with(less, one).needed_by
            assert end is not None
            return end < (one.needed_by or NOW + timedelta(days=14))
        case "share":
            return bool(told["percent"] * 10 < shares.get(told["area"], 0))
        case "raised":
            return bool(told["days"] > 0)
        case _:
            return need_with(less, one) != one


def passes(
    change: Reason, one: Need, offers: list[Offer], name: str, beats: int, model: AdditiveModel, aside: dict[str, Any]
) -> bool:  # fmt: skip
    told: dict[str, Any] = dict(change.params)
    shares = aside["shares"] | ({told["area"]: told["percent"] * 10} if change.code == "share" else {})
    edges = explained(need_with(change, one), offers, model=model, **(aside | {"shares": shares})).edges
    return any(edge.offer_id == name and edge.score > beats for edge in edges)


@settings(deadline=None, max_examples=300)
@given(NEEDS, SOME, ASIDE)
def test_a_lift_lifts_its_rule_and_promises_nothing_beyond(
    one: Need, offers: list[Offer], aside: dict[str, Any]
) -> None:
    verdict = explained(one, offers, **aside)
    refused, by_id = dict(verdict.refused), {o.id: o for o in offers}
    for lift in verdict.turn({}).lifts:
        assert refused[lift.offer_id] == lift.rule != lift.then
        assert rule_after(lift.change, one, by_id[lift.offer_id], aside) == lift.then
        less = smaller(lift.change)
        if less and lift.change.code not in ("distance", "raised"):
            assert rule_after(less, one, by_id[lift.offer_id], aside) == lift.rule


def rule_after(change: Reason, one: Need, of: Offer, aside: dict[str, Any]) -> str:
    """The rule that refuses the offer after the change, '' if it is possible."""
    again = aside | ({"declined": frozenset()} if change.code == "decision" else {})
    verdict = explained(need_with(change, one), [offer_with(change, one, of)], **again)
    assert not verdict.barred
    return dict(verdict.refused).get(of.id, "")


def test_each_rule_that_can_be_lifted_says_how() -> None:
    rice, late = {"category": "RICE"}, NOW + timedelta(days=3)
    cases: list[tuple[Need, Offer, list[Reason]]] = [
        (need(), offer(service_areas=(OTHER_COUNTY,)), [Reason("served", (("area", TOWN),))]),
        (
            need(point=HERE), offer(point=NEAR, radius_m=5_000),
            [Reason("radius", (("metres", 5_200), ("was", 5_000))), Reason("distance", (("metres", 5_000),))],
        ),
        (need(), offer(point=FAR, pickup="self_pickup"), [Reason("delivery"), Reason("distance", (("metres", 15_000),))]),
        (need(), offer(available_until=NOW - timedelta(days=1)), [Reason("until", (("date", "2024-08-20"),))]),
        (
            need(needed_by=NOW + timedelta(days=1)), offer(available_from=late),
            [Reason("from", (("date", "2024-08-21"),)), Reason("needed_by", (("date", "2024-08-23"),))],
        ),
        (
            need(**rice), offer(**rice, expires_on=NOW.date() + timedelta(days=1)),
            [Reason("expires", (("date", "2024-08-23"),))],
        ),
        (
            need(), offer(designated_vulnerabilities=("ORPHAN", "ELD_80")),
            [Reason("held", (("vulnerabilities", "ORPHAN;ELD_80"),)), Reason("designation", (("vulnerability", "DIBAO"),))],
        ),
        (need(vulnerabilities=()), offer(designated_vulnerabilities=("ORPHAN",)), [
            Reason("held", (("vulnerabilities", "ORPHAN"),)), Reason("open"),
        ]),
        (need(), offer(category="CEILFAN"), [Reason("licence", (("licence", "electrician"),))]),
        (need(category="TUTOR", minor=True), offer(category="TUTOR"), [Reason("vetting")]),
        (need(), offer(per_household_limit=0), [Reason("limit", (("units", 1),))]),
        (need(), offer(quantity=0), [Reason("free", (("units", 1),))]),
        (need(), offer(category="HEAT"), []),
    ]  # fmt: skip
    for one, of, changes in cases:
        found = turned(one, [of]).lifts
        assert [lift.change for lift in found] == changes
        assert {lift.then for lift in found} <= {""}
    (no,) = turned(need(), [offer()], declined=frozenset({("n1", "o1")})).lifts
    assert (no.change, no.then) == (Reason("decision"), "")


def test_a_second_rule_behind_the_first_is_named() -> None:
    of = offer(category="CEILFAN", service_areas=(OTHER_COUNTY,), quantity=0)
    (lift,) = turned(need(), [of]).lifts
    assert (lift.rule, lift.change.code, lift.then) == ("out_of_area", "served", "licence_missing")


def test_the_second_of_two_names_what_would_put_it_first() -> None:
    best, other = offer("a", point=HERE), offer("b", point=FAR, origin_area=OTHER_TOWN)
    (turn,) = turned(need(), [other, best]).first
    assert turn.offer_id == "b"
    assert turn.missing == explained(need(), [best, other]).edges[0].score - (
        explained(need(), [best, other]).edges[1].score - 1
    )
    assert codes(turn.changes) == []
    (nearly,) = turned(need(), [offer("a"), offer("b", pickup="self_pickup")]).first
    assert codes(nearly.changes) == ["ends", "designation"]
    assert nearly.missing == 2_001


def test_ties_go_to_the_smaller_id_and_count() -> None:
    (turn,) = turned(
        need(), [offer("a", pickup="self_pickup"), offer("b"), offer("0", pickup="self_pickup")]
    ).first[:1]
    assert (turn.offer_id, turn.missing) == ("0", 2_000)
    assert "delivery" in codes(turn.changes)


@settings(deadline=None, max_examples=40)
@given(st.sampled_from(["low", "normal"]), st.integers(0, 10), st.integers(0, 3))
def test_what_is_told_to_outbid_moves_the_plan(level: Any, waited: int, stability: int) -> None:
    policy = Policy(fairness_points=0, class_fairness_points=0, stability_points=stability)
    of = offer(quantity=1)
    mine = need("n1", urgency=level, raised_at=NOW - timedelta(days=waited))
    others = need("n2", urgency="high", raised_at=NOW - timedelta(days=5))
    last = plan([mine, others], [of], policy=policy)
    assume(given_(last) == {("n2", "o1"): 1})
    bid = Bid(last.assignments[0].edge.score + 1_000 * stability)
    (turn,) = turned(mine, [of], {"o1": bid}, policy=policy).ahead
    waiting = frozenset({("n2", "o1")})
    for change in turn.changes:
        again = plan([need_with(change, mine), others], [of], policy=policy, waiting=waiting)
        assert given_(again) == {("n1", "o1"): 1}
    assert "urgency" in codes(turn.changes)


def test_each_of_a_thousand_offers_is_told_of() -> None:
    some = [
        offer(
            f"o{n}", point=(111.5 + n % 37 / 80, 22.7 + n % 41 / 90), quantity=1 + n % 4, radius_m=(None, 9_000)[n % 2],
            pickup=("delivery", "self_pickup")[n % 3 == 0], designated_vulnerabilities=((), ("ORPHAN",))[n % 5 == 0],
        )
        for n in range(1_000)
    ]  # fmt: skip
    verdict = explained(need(quantity=5), some)
    bids = {edge.offer_id: Bid(edge.score + 7 * n) for n, edge in enumerate(verdict.edges)}
    result = verdict.turn(bids)
    assert len(result.first) + 1 + len({lift.offer_id for lift in result.lifts}) == 1_000
