"""One need against standing offers: what a round's own columns say, however the offers came to stand there."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matching.candidates import barred, kind_of
from matching.columns import TooManyCodes
from matching.edges import edges_of
from matching.explain import explain
from matching.fairness import before
from matching.history import History
from matching.model import Edge, Need, Offer, PastAid, PendingAid, Policy
from matching.pool import pool, sources
from matching.ranking import RULES
from matching.rules import PAIR_RULES, POSSIBLE, Setting
from matching.scoring import best_pairs
from matching.search import judge
from matching.shelf import LEAST
from matching.standing import Ranked, Standing
from tests.matching.build import CATALOGUE, FAR, HERE, NEAR, NOW, OTHER_COUNTY, OTHER_TOWN, TOWN, need, offer

AREAS = st.sampled_from([TOWN, OTHER_TOWN, OTHER_COUNTY, "445381000000", "445300000000"])
POINTS = st.sampled_from([HERE, NEAR, FAR, None])
TIMES = st.sampled_from([None, NOW - timedelta(days=1), NOW + timedelta(days=1), NOW + timedelta(days=20)])
HELD = st.lists(st.sampled_from(["DIBAO", "ELD_80", "ORPHAN"]), unique=True, max_size=2).map(tuple)
IDS = st.sampled_from([f"o{n}" for n in range(8)])
CATEGORIES = ("FAN", "CEILFAN", "HEAT", "RICE", "TUTOR", "PERMIT", "GRANT")

OFFERS = st.builds(
    offer, IDS, category=st.sampled_from(CATEGORIES), quantity=st.integers(0, 3), origin_area=AREAS,
    service_areas=st.lists(AREAS, max_size=3).map(tuple), point=POINTS, radius_m=st.sampled_from([None, 3_000, 60_000]),
    pickup=st.sampled_from(["delivery", "self_pickup"]), available_from=TIMES, available_until=TIMES,
    expires_on=TIMES.map(lambda t: t and t.date()), designated_vulnerabilities=HELD,
    licences=st.sampled_from([(), ("electrician",)]), vetted=st.booleans(),
    per_household_limit=st.sampled_from([None, 0, 2]), condition=st.sampled_from(["new", "used"]),
)  # fmt: skip
NEEDS = st.builds(
    need, category=st.sampled_from(CATEGORIES), area=st.sampled_from([TOWN, OTHER_TOWN]), point=POINTS,
    quantity=st.integers(0, 4), needed_by=TIMES, vulnerabilities=HELD, minor=st.booleans(),
)  # fmt: skip
TAKEN = st.builds(
    PastAid,
    st.sampled_from(["home-of-n1", "another"]),
    st.just("TEA"),
    st.just(NOW),
    st.just(""),
    IDS,
    st.integers(1, 2),
)
PROMISED = st.builds(PendingAid, st.just("home-of-n1"), st.just("TEA"), st.just("n9"), IDS, st.integers(1, 2))
ASIDE = st.fixed_dictionaries(
    {
        "past": st.lists(TAKEN, max_size=3),
        "pending": st.lists(PROMISED, max_size=3),
        "shares": st.dictionaries(st.sampled_from([TOWN, "DIBAO"]), st.integers(0, 1000)),
        "declined": st.frozensets(st.tuples(st.sampled_from(["n1", "n2"]), IDS), max_size=3),
        "policy": st.builds(Policy, substitute_milli=st.sampled_from([0, 1000]), edges_per_need=st.integers(1, 4)),
    }
)  # fmt: skip
SOME = st.lists(OFFERS, max_size=12, unique_by=lambda o: o.id)


def judged(standing: Standing, one: Need, **changes: Any) -> Ranked:
    values: dict[str, Any] = {"catalogue": CATALOGUE, "policy": Policy(), "model": RULES, "now": NOW}
    return standing.judge(one, **(values | changes))


def by_pool(
    one: Need, offers: list[Offer], policy: Policy, aside: dict[str, Any]
) -> tuple[list[Edge], dict[str, str], str]:
    """The possible, the refused and what bars the need whole, from the columns that a round makes of everything."""
    wide = replace(policy, edges_per_need=len(offers) + 1)
    setting = Setting(CATALOGUE, wide, History.of(aside["past"], aside["pending"]), NOW, aside["declined"])
    base = pool([one], offers, setting)
    if whole := barred(base.needs, setting).get(0, ""):
        return [], {}, whole
    best, _ = best_pairs(base, {}, RULES, setting, aside["shares"])
    best = best.fairer(before(base.needs, policy, aside["shares"]))
    refused: dict[str, str] = {}
    for given_, factor in sources(CATALOGUE[one.category], setting):
        some = base.by_category.get(given_.code, np.zeros(0, np.int64)).astype(np.int32)
        kind = kind_of(CATALOGUE[one.category], given_, factor, setting)
        rules = judge(base.need_columns, 0, base.offer_columns, some, kind, base.barred)
        pairs = zip(some, rules, strict=True)
        refused |= {base.offers[o].id: PAIR_RULES[rule] for o, rule in pairs if rule != POSSIBLE}
    return edges_of(base, best, np.arange(best.score.size), setting), refused, ""


@settings(deadline=None, max_examples=300)
@given(NEEDS, SOME, ASIDE)
def test_it_judges_as_a_rounds_columns_do(one: Need, offers: list[Offer], aside: dict[str, Any]) -> None:
    edges, refused, whole = by_pool(one, offers, aside["policy"], aside)
    result = judged(Standing(offers), one, **aside)
    assert list(result.edges) == edges[: aside["policy"].edges_per_need]
    assert (result.possible, result.barred) == (len(edges), whole)
    assert {r.rule: r.count for r in result.refused} == {
        rule: list(refused.values()).count(rule) for rule in PAIR_RULES if rule in refused.values()
    }
    assert all(refused[r.nearest] == r.rule for r in result.refused)
    every = explain(one, offers, catalogue=CATALOGUE, model=RULES, now=NOW, **aside)
    assert (list(every.edges), dict(every.refused), every.barred) == (edges, refused, whole)


@settings(deadline=None, max_examples=150)
@given(st.data(), SOME, NEEDS, ASIDE)
def test_offers_that_came_and_went_leave_no_trace(
    data: st.DataObject, first: list[Offer], one: Need, aside: dict[str, Any]
) -> None:
    standing, left = Standing(first), {o.id: o for o in first}
    standing.ready(CATALOGUE, aside["policy"])
    for change in data.draw(st.lists(st.one_of(OFFERS, IDS), max_size=12)):
        if isinstance(change, Offer):
            standing.put(change)
            left[change.id] = change
        elif left.pop(change, None):
            standing.drop(change)
    assert len(standing) == len(left)
    assert judged(standing, one, **aside) == judged(Standing(left.values()), one, **aside)


def test_many_changes_keep_the_order_and_the_rows() -> None:
    rng, standing, left = np.random.default_rng(3), Standing([offer("first")]), {"first": offer("first")}
    standing.ready(CATALOGUE, Policy())
    for step in range(40 * LEAST):
        name = f"o{rng.integers(200)}"
        if step > 20 * LEAST and name in left:
            standing.drop(name)
            del left[name]
        elif step <= 20 * LEAST:
            left[name] = offer(
                name, quantity=int(rng.integers(1, 4)), origin_area=(TOWN, OTHER_TOWN)[step % 2]
            )
            standing.put(left[name])
        if step % 25 == 0:
            result = judged(standing, need(quantity=3), most=500)
            assert result == judged(Standing(left.values()), need(quantity=3), most=500)
            assert result.possible == len(left)
    assert len(left) < 50


def test_the_refused_are_counted_with_the_nearest_of_each_rule() -> None:
    offers = [
        offer("b", point=FAR, designated_vulnerabilities=("ORPHAN",)),
        offer("c", point=NEAR, designated_vulnerabilities=("ORPHAN",)),
        offer("a", point=None, designated_vulnerabilities=("ORPHAN",)),
        offer("d", category="CEILFAN", point=HERE),
        offer("e", category="RICE"),
        offer("f", category="HEAT", point=None),
    ]
    refused = judged(Standing(offers), need()).refused
    assert [(r.rule, r.count, r.nearest) for r in refused] == [
        ("incompatible", 1, "f"), ("not_designated", 3, "c"), ("licence_missing", 1, "d"),
    ]  # fmt: skip
    assert [r.metres and round(r.metres) for r in refused] == [None, 5_129, 0.0]


def test_another_policy_or_catalogue_is_heeded() -> None:
    standing = Standing(
        [offer(category="RICE", pickup="self_pickup", expires_on=NOW.date() + timedelta(days=5))]
    )
    one = need(category="RICE")
    assert judged(standing, one).possible == 1
    strict = judged(standing, one, policy=Policy(expiry_margin_days={"RICE": 9}))
    assert [r.rule for r in strict.refused] == ["expiring"]
    near = judged(standing, one, policy=Policy(self_pickup_m=100))
    assert [r.rule for r in near.refused] == ["too_far_to_fetch"]
    licensed = {**CATALOGUE, "RICE": replace(CATALOGUE["RICE"], licence="food", safety_class="S3")}
    assert [r.rule for r in judged(standing, one, catalogue=licensed).refused] == ["licence_missing"]
    assert judged(standing, one).possible == 1


def test_a_need_that_is_barred_whole_says_so() -> None:
    assert judged(Standing([offer()]), need(consent=False)) == Ranked((), 0, (), "consent_missing")


def test_nothing_stands() -> None:
    assert judged(Standing(), need()) == Ranked((), 0, (), "")


def test_numbers_of_codes_no_longer_in_use_are_given_anew() -> None:
    standing = Standing()
    standing.ready(CATALOGUE, Policy())
    for number in range(150):
        standing.put(offer("o1", designated_vulnerabilities=(f"V{number}", f"W{number}")))
        assert judged(standing, need(vulnerabilities=(f"W{number}",))).possible == 1
        assert judged(standing, need(vulnerabilities=(f"V{number - 1}",))).possible == 0


def test_a_put_that_fails_changes_nothing() -> None:
    standing = Standing([offer(f"o{n}", designated_vulnerabilities=(f"V{n}",)) for n in range(64)])
    standing.ready(CATALOGUE, Policy())
    one = need(vulnerabilities=("V7",))
    earlier = judged(standing, one)
    for wrong, error in (
        (offer("o7", origin_area="44"), ValueError),
        (offer("o7", available_from=datetime(2024, 8, 20)), ValueError),
        (offer("new", designated_vulnerabilities=("V64",)), TooManyCodes),
    ):
        with pytest.raises(error):
            standing.put(wrong)
        assert (len(standing), judged(standing, one)) == (64, earlier)


def test_an_offer_that_is_not_there_can_not_be_dropped() -> None:
    with pytest.raises(KeyError):
        Standing().drop("o1")
