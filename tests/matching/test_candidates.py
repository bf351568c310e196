"""The search agrees with a look at each pair."""

from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from matching import candidates
from matching.explain import explain
from matching.fairness import before
from matching.history import History
from matching.model import Need, Offer, Policy
from matching.pool import pool, sources
from matching.ranking import RULES
from matching.rules import Setting
from matching.scoring import best_pairs
from matching.search import Tally
from tests.matching.build import CATALOGUE, HERE, NEAR, NOW, OTHER_COUNTY, OTHER_TOWN, TOWN, need, offer


def setting(**changes: Any) -> Setting:
    return Setting(CATALOGUE, Policy(**changes), History.of((), ()), NOW)


def found(needs: list[Need], offers: list[Offer], width: int = 20) -> tuple[set[tuple[str, str]], Tally]:
    rule = setting(edges_per_need=width)
    base = pool(needs, offers, rule)
    scored, tally = best_pairs(base, candidates.barred(base.needs, rule), RULES, rule, {})
    return {
        (base.needs[n].id, base.offers[o].id)
        for n, o in zip(scored.pairs.need, scored.pairs.offer, strict=True)
    }, tally


def market() -> tuple[list[Need], list[Offer]]:
    rng = np.random.default_rng(4)
    areas = (TOWN, OTHER_TOWN, OTHER_COUNTY)
    needs = [need(f"n{n:02}", area=areas[rng.integers(3)], category="RICE") for n in range(25)]
    offers = [
        offer(
            f"o{n:02}",
            category="RICE",
            service_areas=(areas[rng.integers(3)],),
            quantity=int(rng.integers(2)),
        )
        for n in range(12)
    ]
    return needs, offers


def test_every_pair_is_found_or_counted() -> None:
    needs, offers = market()
    pairs, tally = found(needs, offers)
    assert pairs == {(n.id, o.id) for n in needs for o in offers if n.area in o.service_areas and o.quantity}
    assert (tally.candidates == len(offers)).all()
    assert tally.refused.sum() + len(pairs) == len(needs) * len(offers)


@given(st.lists(st.tuples(*[st.integers(0, 2)] * 4), min_size=1, max_size=12), st.integers(1, 4))
@settings(max_examples=60, deadline=None)
def test_the_kept_pairs_are_the_best_and_add_up(rows: list[tuple[int, int, int, int]], width: int) -> None:
    areas = (TOWN, OTHER_TOWN, OTHER_COUNTY)
    points = (HERE, NEAR, None)
    offers = [
        offer(f"o{n:02}", category="RICE", service_areas=(areas[a],), point=points[p], quantity=q, radius_m=3_000 * r or None)
        for n, (a, p, q, r) in enumerate(rows)
    ]  # fmt: skip
    needs = [need(f"n{n}", area=areas[n], category="RICE", quantity=2) for n in range(3)]
    rule = setting(edges_per_need=width)
    base = pool(needs, offers, rule)
    best, _ = best_pairs(base, {}, RULES, rule, {})
    best = best.fairer(before(base.needs, rule.policy, {}))
    every = {
        n.id: explain(n, offers, catalogue=CATALOGUE, policy=Policy(), model=RULES, now=NOW) for n in needs
    }
    for n, one in enumerate(base.needs):
        mine = np.flatnonzero(best.pairs.need == n)
        kept = [(base.offers[best.pairs.offer[k]].id, int(best.score[k])) for k in mine]
        assert kept == [(edge.offer_id, edge.score) for edge in every[one.id].edges[:width]]
        assert best.parts(mine).parts.sum(axis=1).tolist() == best.score[mine].tolist()


def test_a_need_that_stops_looking_has_missed_nothing() -> None:
    rng = np.random.default_rng(8)
    offers = [
        offer(f"o{n:03}", category="RICE", quantity=int(rng.integers(1, 9)), point=(111.5 + n / 400, 22.7))
        for n in range(150)
    ]
    one, rule = need(category="RICE", quantity=8), setting(edges_per_need=5)
    base = pool([one], offers, rule)
    best, tally = best_pairs(base, {}, RULES, rule, {})
    every = explain(one, offers, catalogue=CATALOGUE, policy=Policy(), model=RULES, now=NOW).edges
    assert [base.offers[o].id for o in best.pairs.offer] == [edge.offer_id for edge in every[:5]]
    assert len(every) == 150
    assert tally.candidates.tolist() == [150]


def test_sources_are_the_category_and_its_substitutes_with_their_factor() -> None:
    def codes(**changes: Any) -> list[tuple[str, int]]:
        return [(c.code, factor) for c, factor in sources(CATALOGUE["FAN"], setting(**changes))]

    assert codes() == [("FAN", 1000), ("CEILFAN", 500), ("HEAT", 900)]
    assert codes(substitute_milli=500) == [("FAN", 1000), ("CEILFAN", 250), ("HEAT", 450)]
    assert codes(substitute_milli=0) == [("FAN", 1000)]
