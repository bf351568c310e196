"""Fairness in the allocation against an exact programme: the objective, the bound, and what the rule changes."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import Bounds, LinearConstraint, milp

from matching.allocation import allocate
from matching.bargain import Bargain
from matching.columns import Ints
from matching.graph import Graph, Problem, graph_of, worth
from matching.proof import Prices, upper_bound
from matching.shares import Shares
from tests.matching.test_allocation import Case, cases, crowd, ints


def shared(graph: Graph, towns: list[int], points: int) -> Graph:
    """The graph with a group for each town, each need in one."""
    member = np.array(towns, np.int32).reshape(-1, 1)
    size = max(towns, default=0) + 1
    open_ = np.bincount(member[:, 0], weights=graph.need_quantity, minlength=size).astype(np.int64)
    return replace(graph, shares=Shares(member, open_, np.full(size, points)))


@st.composite
def fair_cases(draw: st.DrawFn) -> tuple[Case, Graph]:
    case = replace(draw(cases()), limits=())
    towns = [draw(st.integers(0, 2)) for _ in case.needs]
    graph = shared(case.graph(), towns, draw(st.integers(0, 120_000)))
    return case, replace(graph, held_back=ints([draw(st.integers(0, 90_000)) for _ in case.offers]))


def oracle(graph: Graph) -> float:
    """The optimum by a mixed-integer programme with a column for each unit of a town, kept units by their complement."""
    shares, edges = graph.shares, graph.score.size
    assert shares is not None
    steps = [
        (town, float(shares.points[town]) * (int(shares.open[town]) - k) / int(shares.open[town]))
        for town in range(shares.open.size)
        for k in range(int(shares.open[town]))
    ]
    value = [float(s) - float(graph.least[o]) for s, o in zip(graph.score, graph.offer, strict=True)]
    columns = np.array(value + [worth for _, worth in steps])
    kept = float(graph.least @ graph.offer_quantity)
    if columns.size == 0:
        return kept
    need, town = graph.need, shares.member[graph.need, 0]
    rows = [np.append(need == n, np.zeros(len(steps))) for n in range(graph.need_quantity.size)]
    rows += [np.append(graph.offer == o, np.zeros(len(steps))) for o in range(graph.offer_quantity.size)]
    rows += [
        np.append(-1.0 * (town == t), [float(one == t) for one, _ in steps]) for t in range(shares.open.size)
    ]
    tops = [*graph.need_quantity.tolist(), *graph.offer_quantity.tolist(), *([0] * shares.open.size)]
    most = np.append(np.full(edges, np.inf), np.ones(len(steps)))
    answer = milp(
        -columns,
        constraints=LinearConstraint(np.array(rows, dtype=float), ub=tops),
        bounds=Bounds(0, most),
        integrality=np.ones(columns.size),
    )
    return kept - float(answer.fun)


@given(fair_cases())
@settings(max_examples=200, deadline=None)
def test_no_plan_beats_the_bound_and_none_is_claimed_better_than_it_is(pair: tuple[Case, Graph]) -> None:
    _, graph = pair
    best = oracle(graph)
    found = allocate(graph, seed=1)
    assert found.certificate.objective == found.worth.objective == worth(graph, found.quantity)[0].objective
    assert found.certificate.objective <= best + 1
    assert found.certificate.upper_bound >= best - 1


@given(fair_cases(), st.data())
@settings(max_examples=80, deadline=None)
def test_any_prices_bound_the_optimum(pair: tuple[Case, Graph], data: st.DataObject) -> None:
    _, graph = pair
    assert graph.shares is not None
    price = st.integers(0, 200_000)
    offers = ints([data.draw(price) for _ in graph.offer_quantity])
    towns = ints([data.draw(price) for _ in graph.shares.open])
    assert upper_bound(graph, Prices(offers, ints([]), towns)) >= oracle(graph) - 1


def test_of_two_towns_with_equal_needs_the_one_that_had_nothing_is_served() -> None:
    graph = Case(((0, 0, 50_000), (1, 0, 50_000)), (1, 1), (1,), (0, 1), ()).graph()
    member = np.array([[0], [1]], np.int32)
    for late in (0, 1):
        shares = Shares(member, ints([1, 1]), np.where(np.arange(2) == late, 10_000, 2_500))
        found = allocate(replace(graph, shares=shares), seed=5)
        assert found.quantity[graph.need == late].tolist() == [1]
        assert found.certificate.gap == 0


def test_a_crowd_shares_out_within_the_gap_and_gains_what_it_pays_for() -> None:
    plain = crowd(3, 3_000, 300, 40)
    towns = (np.arange(3_000) % 30).tolist()
    graph = shared(plain, towns, 20_000)
    without, found = allocate(plain, seed=1), allocate(graph, seed=1)
    assert found.certificate.gap <= 1e-3
    fair, unfair = worth(graph, found.quantity)[0], worth(graph, without.quantity)[0]
    assert fair.scored <= unfair.scored * (1 + 1e-4)
    assert fair.fair > unfair.fair
    assert fair.objective > unfair.objective


@pytest.mark.parametrize("seed", [3, 4])
def test_a_need_that_waits_bids_all_that_fairness_gives_it(seed: int) -> None:
    graph = shared(crowd(seed, 3_000, 700, 2_000), (np.arange(3_000) % 30).tolist(), 40_000)
    assert allocate(graph, seed=1).certificate.gap <= 1e-4


def test_a_unit_kept_for_later_is_worth_more_than_a_poor_match() -> None:
    graph = Case(((0, 0, 5_000), (1, 0, 60_000)), (1, 1), (2,), (0, 1), ()).graph()
    found = allocate(replace(graph, held_back=ints([20_000])), seed=1)
    assert found.quantity[graph.need == 1].tolist() == [1]
    assert found.quantity[graph.need == 0].tolist() == [0]
    assert (found.worth.scored, found.worth.kept, found.certificate.gap) == (60_000, 20_000, 0)


@given(st.integers(0, 40), st.integers(0, 12), st.integers(0, 5_000), st.integers(1, 9))
def test_the_worth_of_units_is_the_sum_of_steps_and_the_bound_their_conjugate(
    price: int, open_: int, points: int, scale: int
) -> None:
    shares = Shares(np.zeros((1, 1), np.int32), ints([open_]), ints([points]))
    steps = [Fraction(points * (open_ - k), open_) for k in range(open_)]
    for given_ in range(open_ + 1):
        assert shares.worth(ints([given_])) == int(sum(steps[:given_]))
    most = max(sum(steps[:y]) * scale - price * 7 * y for y in range(open_ + 1))
    assert 0 <= shares.bound(ints([price * 7]), scale) - most < 1 + Fraction(1, 2**39)


def test_prices_that_fit_are_left_alone() -> None:
    shares = Shares(np.zeros((4, 1), np.int32), ints([4]), ints([8_000]))
    bargain = Bargain(shares, 1)
    assert bargain.price.tolist() == [8_000]
    half: Ints = ints([1, 1, 0, 0])
    bargain.move(half)
    assert bargain.price.tolist() == [6_000]  # the second unit's worth: no more than what it takes
    bargain.move(half)
    assert bargain.price.tolist() == [6_000]
    assert bargain.missed(half) == 0


@pytest.mark.parametrize("seed", range(6))
def test_money_is_shared_out_to_the_last_yuan(seed: int) -> None:
    rng, needs, offers = np.random.default_rng(seed), 16, 3
    need, offer = np.indices((needs, offers)).reshape(2, -1)
    asked, stock = rng.integers(300, 4_000, needs), rng.integers(3_000, 9_000, offers)
    score, none = rng.integers(60_000, 90_000, need.size), np.full(need.size, -1)
    graph = graph_of(Problem(need, offer, score, none, asked, stock, ints([])))
    member = np.column_stack([rng.integers(0, 5, needs), rng.integers(5, 8, needs)]).astype(np.int32)
    open_ = np.bincount(member.ravel(), weights=np.repeat(asked, 2), minlength=8).astype(np.int64)
    graph = replace(graph, shares=Shares(member, open_, np.repeat([10_000, 5_000], [5, 3])))
    proof = allocate(graph, seed=1).certificate
    assert proof.method == "programme" and proof.gap < 1e-7
