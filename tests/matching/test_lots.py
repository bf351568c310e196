"""What is to be met in full or not at all: against an independent solver, and against every promise of the plan."""

from collections import Counter
from dataclasses import dataclass, replace
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import Bounds, LinearConstraint, milp

from matching.allocation import Allocation, allocate
from matching.columns import Ints
from matching.export import sheet_of
from matching.graph import Graph, Problem, graph_of
from matching.model import Need, Offer
from matching.verify import verify
from tests.bench.allocation import graph_for
from tests.matching.build import NOW, need, offer, plan
from tests.matching.build import given as units_of


@dataclass(frozen=True)
class Case:
    """A small problem: `score` of each need by offer (0 = impossible), what is asked and offered, and what belongs together."""

    score: tuple[tuple[int, ...], ...]
    needs: tuple[int, ...]
    offers: tuple[int, ...]
    whole: tuple[bool, ...]
    bundle: tuple[int, ...]

    def graph(self) -> Graph:
        table = np.array(self.score, dtype=np.int64)
        need, offer = np.nonzero(np.ones_like(table))
        return graph_of(
            Problem(
                need, offer, table.ravel(), np.full(table.size, -1), ints(self.needs), ints(self.offers), ints(()),
                np.array(self.whole), ints(self.bundle),
            )
        )  # fmt: skip


def ints(values: tuple[int, ...]) -> Ints:
    return np.array(values, dtype=np.int64)


@st.composite
def cases(draw: st.DrawFn) -> Case:
    needs, offers = draw(st.integers(1, 7)), draw(st.integers(1, 4))
    row = st.tuples(*[st.sampled_from([0, 0, 1_000, 4_000, 4_001, 7_500, 30_000])] * offers)
    return Case(
        draw(st.tuples(*[row] * needs)),
        draw(st.tuples(*[st.integers(0, 4)] * needs)),
        draw(st.tuples(*[st.integers(0, 6)] * offers)),
        draw(st.tuples(*[st.booleans()] * needs)),
        draw(st.tuples(*[st.integers(-1, min(2, needs - 1))] * needs)),
    )


def oracle(case: Case) -> int:
    """The best objective, from a programme written down another way: a 0-1 choice for each need and bundle, need by need."""
    needs, offers = len(case.needs), len(case.offers)
    pairs = needs * offers
    bundles = max(case.bundle, default=-1) + 1
    # Columns: units of each pair, whether each pair is used, whether each bundle is met.
    width = 2 * pairs + bundles
    rows, low, high = [], [], []

    def rule(cells: dict[int, float], least: float, most: float) -> None:
        row = np.zeros(width)
        for column, value in cells.items():
            row[column] = value
        rows.append(row)
        low.append(least)
        high.append(most)

    for n, asked in enumerate(case.needs):
        own = [n * offers + o for o in range(offers)]
        rule(dict.fromkeys(own, 1.0), 0, asked)
        for k in own:
            rule({k: 1.0, pairs + k: -float(asked)}, -np.inf if not case.whole[n] else 0, 0)
        if case.bundle[n] >= 0:
            rule(dict.fromkeys(own, 1.0) | {2 * pairs + case.bundle[n]: -float(asked)}, 0, 0)
    for o, stock in enumerate(case.offers):
        rule({n * offers + o: 1.0 for n in range(needs)}, 0, stock)
    value = np.array([score for row in case.score for score in row], dtype=float)
    most = np.where(value > 0, 10.0, 0.0)
    answer = milp(
        -np.concatenate([value, np.zeros(pairs + bundles)]),
        constraints=LinearConstraint(np.array(rows), low, high),
        bounds=Bounds(0, np.concatenate([most, np.ones(pairs + bundles)])),
        integrality=np.ones(width),
        options={"mip_rel_gap": 0},
    )
    assert answer.success
    best: int = round(-answer.fun)
    return best


@given(cases())
@settings(max_examples=400, deadline=None)
def test_small_problems_are_solved_to_the_optimum(case: Case) -> None:
    graph = case.graph()
    found = allocate(graph, seed=1)
    assert found.certificate.objective == oracle(case)
    assert found.certificate.upper_bound >= found.certificate.objective
    assert verify(sheet_of(graph, found)).holds


def crowd(seed: int, needs: int, whole: float, bundled: float) -> Graph:
    """Invented needs of a province, some indivisible, some bundled two by two."""
    plain, rng = graph_for(needs)[0], np.random.default_rng(seed)
    asked = plain.need_quantity.astype(np.int64)
    bundle = np.full(asked.size, -1, np.int64)
    some = rng.permutation(asked.size)[: int(asked.size * bundled) // 2 * 2]
    bundle[some] = np.repeat(np.arange(some.size // 2), 2)
    return graph_of(
        Problem(
            plain.need, plain.offer.astype(np.int64), plain.score.astype(np.int64), np.full(plain.score.size, -1), asked,
            plain.offer_quantity.astype(np.int64), ints(()), rng.random(asked.size) < whole, bundle,
        )
    )  # fmt: skip


@pytest.mark.parametrize(("whole", "bundled", "gap"), [(0.3, 0.0, 2e-3), (0.0, 0.2, 5e-3), (0.3, 0.2, 6e-3)])
def test_many_needs_keep_every_rule_and_a_small_gap(whole: float, bundled: float, gap: float) -> None:
    graph = crowd(3, 20_000, whole, bundled)
    found = allocate(graph, seed=1)
    assert verify(sheet_of(graph, found)).holds
    assert found.certificate.gap <= gap
    bundled_needs = graph.bundle >= 0
    assert (met(graph, found) == graph.need_quantity)[bundled_needs].sum() >= 0.1 * bundled_needs.sum()


def met(graph: Graph, found: Allocation) -> Ints:
    return np.bincount(graph.need, weights=found.quantity, minlength=graph.need_quantity.size).astype(
        np.int64
    )


def test_a_bundle_is_worth_what_its_needs_are_worth_together() -> None:
    # Alone, the first need of the bundle would lose its offer to the third need, and the second be of no use.
    case = Case(((4_000, 0), (0, 7_500), (5_000, 0)), (1, 1, 1), (1, 1), (False,) * 3, (0, 0, -1))
    assert allocate(case.graph(), seed=1).quantity.tolist() == [1, 1, 0]
    apart = replace(case, bundle=(-1, -1, -1))
    assert allocate(apart.graph(), seed=1).quantity.tolist() == [0, 1, 1]


def test_who_needs_all_at_once_gives_way_where_it_only_gets_a_part() -> None:
    case = Case(((4_000,), (1_000,)), (3, 2), (2,), (True, False), (-1, -1))
    found = allocate(case.graph(), seed=1)
    assert found.certificate.objective == 2_000


def test_a_plan_that_splits_what_is_whole_is_found_out() -> None:
    graph = crowd(3, 3_000, 0.0, 0.0)
    found = allocate(graph, seed=1)
    split = np.bincount(graph.need, weights=found.quantity > 0, minlength=graph.need_quantity.size) > 1
    assert split.any()
    rules = {fault.rule for fault in verify(sheet_of(replace(graph, whole=split), found)).faults}
    assert "whole_split" in rules


def test_a_small_problem_that_cannot_be_solved_whole_is_bid_for_finely(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    graph = crowd(5, 1_500, 0.2, 0.1)
    best = allocate(graph, seed=1).certificate
    assert best.method == "programme"
    monkeypatch.setattr("matching.allocation.solve", lambda *_: None)
    monkeypatch.setattr("matching.allocation.solve_lots", lambda *_: None)
    plain = allocate(graph, seed=1)
    assert plain.certificate.method == "auction" and verify(sheet_of(graph, plain)).holds
    assert plain.certificate.objective >= (1 - 5e-3) * best.objective


@pytest.mark.parametrize("seed", range(30))
def test_lots_keep_household_limits_dates_and_days(seed: int) -> None:
    rng = np.random.default_rng(seed)
    homes = [f"h{n}" for n in range(12)]
    needs = [
        need(
            f"n{n}", category=str(rng.choice(["FAN", "RICE"])), quantity=int(rng.integers(1, 5)), beneficiary_id=str(rng.choice(homes)),
            beneficiary_kind="institution", whole=bool(rng.random() < 0.4), bundle=str(rng.choice(["", "", "a", "b", "c"])),
            needed_by=NOW + timedelta(days=int(rng.integers(0, 40))) if rng.random() < 0.5 else None,
        )
        for n in range(30)
    ]  # fmt: skip
    offers = [
        offer(
            f"o{n}", category=("FAN", "RICE")[n % 2], quantity=int(rng.integers(1, 15)),
            per_household_limit=int(rng.integers(1, 6)) if rng.random() < 0.7 else None,
            per_day_limit=int(rng.integers(1, 4)) if rng.random() < 0.4 else None,
        )
        for n in range(6)
    ]  # fmt: skip
    for small in (True, False):
        with pytest.MonkeyPatch.context() as patch:
            if not small:
                patch.setattr("matching.allocation.fits", lambda *_: False)
                patch.setattr("matching.allocation.MOST_LOT_EDGES", 0)
            result = plan(needs, offers)
        assert result.sheet is not None and verify(result.sheet()).holds
        obeyed(needs, offers, units_of(result))


def obeyed(needs: list[Need], offers: list[Offer], units: dict[tuple[str, str], int]) -> None:
    """Counted from the plan's pairs alone."""
    met: Counter[str] = Counter()
    home: Counter[tuple[str, str]] = Counter()
    by_id = {one.id: one for one in needs}
    for (name, of), number in units.items():
        met[name] += number
        home[of, by_id[name].beneficiary_id] += number
        assert not by_id[name].whole or number == by_id[name].quantity
    for one in offers:
        assert sum(number for (_, of), number in units.items() if of == one.id) <= one.quantity
        most = max((number for (of, _), number in home.items() if of == one.id), default=0)
        assert one.per_household_limit is None or most <= one.per_household_limit
    for bundle in {one.bundle for one in needs} - {""}:
        assert len({met[one.id] == one.quantity for one in needs if one.bundle == bundle}) == 1
        assert {met[one.id] in (0, one.quantity) for one in needs if one.bundle == bundle} == {True}
