"""The allocation against every promise that it makes, on random graphs with quantities and per-household
limits.
"""

from collections import defaultdict
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from scipy.optimize import Bounds, LinearConstraint, milp

from matching.allocation import Allocation, NotWhole, _check, allocate
from matching.columns import Ints
from matching.graph import Graph, Problem, TooLarge, graph_of
from matching.proof import Prices, upper_bound
from tests.bench.allocation import flow


@dataclass(frozen=True)
class Case:
    """A small problem in plain numbers: pairs (need, offer, score), who lives where, limits by (offer,
    home).
    """

    pairs: tuple[tuple[int, int, int], ...]
    needs: tuple[int, ...]
    offers: tuple[int, ...]
    homes: tuple[int, ...]
    limits: tuple[tuple[int, int], ...]

    def graph(self) -> Graph:
        limit = dict(self.limits)
        keys = sorted({(o, self.homes[n]) for n, o, _ in self.pairs if o in limit})
        group = [keys.index((o, self.homes[n])) if o in limit else -1 for n, o, _ in self.pairs]
        need, offer, score = (ints([pair[i] for pair in self.pairs]) for i in range(3))
        caps = ints([limit[o] for o, _ in keys])
        return graph_of(Problem(need, offer, score, ints(group), ints(self.needs), ints(self.offers), caps))


def ints(values: list[int] | tuple[int, ...]) -> Ints:
    return np.array(values, dtype=np.int64)


@st.composite
def cases(draw: st.DrawFn) -> Case:
    needs = tuple(draw(st.lists(st.integers(0, 6), max_size=7)))
    offers = tuple(draw(st.lists(st.integers(0, 8), max_size=5)))
    every = [(n, o) for n in range(len(needs)) for o in range(len(offers))]
    chosen = draw(st.lists(st.sampled_from(every), unique=True)) if every else []
    pairs = tuple((n, o, draw(st.integers(-2_000, 150_000))) for n, o in sorted(chosen))
    homes = tuple(draw(st.integers(0, 2)) for _ in needs)
    limited = draw(st.lists(st.integers(0, len(offers) - 1), unique=True)) if offers else []
    return Case(pairs, needs, offers, homes, tuple((o, draw(st.integers(0, 4))) for o in sorted(limited)))


def units(case: Case, result: Allocation) -> list[tuple[int, int, int, int]]:
    quantity = case.graph().spread(result.quantity, len(case.pairs)).tolist()
    return [(n, o, s, q) for (n, o, s), q in zip(case.pairs, quantity, strict=True)]


def oracle(case: Case) -> int:
    """The optimum by a mixed-integer programme, one dense row for each limit written out by hand."""
    if not case.pairs:
        return 0
    rows, tops = [], []
    for number, quantity in enumerate(case.needs):
        rows.append([float(n == number) for n, _, _ in case.pairs])
        tops.append(quantity)
    for number, quantity in enumerate(case.offers):
        rows.append([float(o == number) for _, o, _ in case.pairs])
        tops.append(quantity)
    for offer, limit in case.limits:
        for home in set(case.homes):
            rows.append([float(o == offer and case.homes[n] == home) for n, o, _ in case.pairs])
            tops.append(limit)
    answer = milp(
        [-score for _, _, score in case.pairs],
        constraints=LinearConstraint(np.array(rows), ub=tops),
        bounds=Bounds(0, np.inf),
        integrality=np.ones(len(case.pairs)),
    )
    return round(-float(answer.fun))


def greedy(case: Case) -> int:
    """The best pair first, as much as fits."""
    need, offer, total = list(case.needs), list(case.offers), 0
    limit = dict(case.limits)
    used: dict[tuple[int, int], int] = defaultdict(int)
    for n, o, score in sorted(case.pairs, key=lambda pair: -pair[2]):
        home = (o, case.homes[n])
        room = min(need[n], offer[o], limit[o] - used[home] if o in limit else need[n])
        if score > 0 and room > 0:
            need[n], offer[o], total = need[n] - room, offer[o] - room, total + score * room
            used[home] += room
    return total


@given(cases(), st.integers(0, 3))
@settings(max_examples=300, deadline=None)
def test_optimal_feasible_and_proved(case: Case, seed: int) -> None:
    result = allocate(case.graph(), seed=seed)
    taken_of_need: dict[int, int] = defaultdict(int)
    taken_of_offer: dict[int, int] = defaultdict(int)
    taken_by_home: dict[tuple[int, int], int] = defaultdict(int)
    for n, o, _, quantity in units(case, result):
        assert quantity >= 0
        taken_of_need[n] += quantity
        taken_of_offer[o] += quantity
        taken_by_home[o, case.homes[n]] += quantity
    assert all(quantity <= case.needs[n] for n, quantity in taken_of_need.items())
    assert all(quantity <= case.offers[o] for o, quantity in taken_of_offer.items())
    limits = dict(case.limits)
    assert all(quantity <= limits[o] for (o, _), quantity in taken_by_home.items() if o in limits)

    proof = result.certificate
    assert proof.objective == sum(s * q for _, _, s, q in units(case, result))
    assert proof.objective == oracle(case)
    assert proof.objective >= greedy(case)
    assert proof.upper_bound == proof.objective
    assert proof.gap == 0


@given(cases(), st.data())
@settings(max_examples=80, deadline=None)
def test_any_prices_bound_the_optimum(case: Case, data: st.DataObject) -> None:
    graph = case.graph()
    price = st.integers(0, 200_000)
    offers = ints([data.draw(price) for _ in case.offers])
    groups = ints([data.draw(price) for _ in graph.group_limit])
    assert upper_bound(graph, Prices(offers, groups, ints([]))) >= oracle(case)


@given(cases(), st.integers(0, 3))
@settings(max_examples=30, deadline=None)
def test_the_same_input_and_seed_give_the_same_plan(case: Case, seed: int) -> None:
    one, other = allocate(case.graph(), seed=seed), allocate(case.graph(), seed=seed)
    assert one.quantity.tolist() == other.quantity.tolist()
    assert one.certificate == other.certificate


def made(*columns: Any) -> Graph:
    return graph_of(Problem(*columns))


def one_home() -> Graph:
    """Two needs of one household, which may take one unit of the offer."""
    return Case(((0, 0, 5_000), (1, 0, 5_000)), (1, 1), (2,), (0, 0), ((0, 1),)).graph()


def tie(count: int) -> Graph:
    pairs = tuple((n, 0, 5_000) for n in range(count))
    return Case(pairs, (1,) * count, (1,), tuple(range(count)), ()).graph()


def test_the_seed_decides_between_equals_and_only_between_equals() -> None:
    winners = {int(np.argmax(allocate(tie(6), seed=seed).quantity)) for seed in range(20)}
    assert len(winners) > 2
    better = replace(tie(6), score=np.array([5_000, 5_000, 5_001, 5_000, 5_000, 5_000], np.int32))
    assert {int(np.argmax(allocate(better, seed=seed).quantity)) for seed in range(20)} == {2}


@given(cases(), st.data())
@settings(max_examples=80, deadline=None)
def test_a_price_lies_between_what_one_unit_more_adds_and_one_less_costs_to_a_milli_point(
    case: Case, data: st.DataObject
) -> None:
    assume(any(case.offers))
    number = data.draw(st.sampled_from([n for n, units in enumerate(case.offers) if units]))
    result = allocate(case.graph(), seed=1)

    def optimum(change: int) -> int:
        offers = tuple(quantity + change * (n == number) for n, quantity in enumerate(case.offers))
        return oracle(replace(case, offers=offers))

    price, now = int(result.offer_points[number]), result.certificate.objective
    assert optimum(1) - now <= price + 1
    assert price - 1 <= now - optimum(-1)


def test_large_quantities_stay_exact() -> None:
    pairs = ((0, 0, 149_999), (1, 0, 150_000), (1, 1, 7))
    result = allocate(Case(pairs, (9_999_999, 3_333_333), (10_000_000, 1), (0, 1), ()).graph(), seed=1)
    assert result.quantity.tolist() == [6_666_668, 3_333_332, 1]  # the edges in order of need and score
    assert result.certificate.gap == 0


def test_many_components_are_solved_apart_and_add_up() -> None:
    count = 3_000
    score = np.random.default_rng(1).integers(1, 9, 2 * count)
    number = np.arange(count)
    graph = made(
        np.repeat(number, 2), np.repeat(number, 2), score, np.full(2 * count, -1),
        np.ones(count, np.int64), np.ones(count, np.int64), ints([]),
    )  # fmt: skip
    assert allocate(graph, seed=1).certificate.objective == int(score.reshape(count, 2).max(axis=1).sum())


def test_nothing_to_do() -> None:
    result = allocate(Case((), (), (), (), ()).graph(), seed=1)
    assert (result.certificate.objective, result.certificate.gap) == (0, 0.0)


def test_a_plan_beyond_a_limit_is_never_passed_on() -> None:
    with pytest.raises(NotWhole, match="a household more than its limit"):
        _check(one_home(), np.array([1, 1], np.int32), ints([1, 1]), ints([2]))


@given(cases(), st.integers(1, 3))
@example(Case(((0, 0, 100), (1, 0, 90)), (3, 3), (6,), (0, 0), ((0, 2),)), 1)
@settings(max_examples=80, deadline=None)
def test_limits_that_are_shared_out_leave_a_feasible_plan_and_an_honest_bound(case: Case, seed: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("matching.programme.LARGE_EDGES", 0)
        proof = allocate(case.graph(), seed=seed).certificate
    assert proof.objective <= oracle(case) <= proof.upper_bound


def crowd(seed: int, needs: int, offers: int, ties: int) -> Graph:
    """Many needs of up to three units, six edges each, with few different scores."""
    rng = np.random.default_rng(seed)
    size = needs * 6
    return made(
        np.repeat(np.arange(needs), 6), rng.integers(0, offers, size), rng.integers(1, ties, size) * 1_000,
        np.full(size, -1), rng.integers(1, 4, needs), rng.integers(0, 12, offers), ints([]),
    )  # fmt: skip


@pytest.mark.parametrize("ties", [3, 40, 150])
@pytest.mark.parametrize("seed", range(4))
def test_a_crowd_among_equals_is_within_the_gap_of_the_linear_programme(seed: int, ties: int) -> None:
    graph = crowd(seed, 3_000, 700, ties)
    found = allocate(graph, seed=seed)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("matching.programme.SMALL_EDGES", 10**9)
        patch.setattr("matching.allocation.FINEST", 1)
        exact = allocate(graph, seed=seed).certificate
    assert exact.gap == 0
    assert found.certificate.objective <= exact.objective <= found.certificate.upper_bound
    assert found.certificate.gap <= 1e-4


@pytest.mark.parametrize("seed", range(3))
def test_a_min_cost_flow_finds_no_better_plan(seed: int) -> None:
    graph = crowd(seed, 2_000, 600, 120)
    proof = allocate(graph, seed=seed).certificate
    assert proof.objective <= flow(graph) <= proof.upper_bound


def test_threads_change_nothing() -> None:
    graph = crowd(9, 2_000, 900, 50)
    one, other = allocate(graph, seed=1, threads=1), allocate(graph, seed=1, threads=2)
    assert one.quantity.tolist() == other.quantity.tolist()
    assert one.prices.offer.tolist() == other.prices.offer.tolist()


def test_numbers_beyond_the_solver_are_refused() -> None:
    with pytest.raises(TooLarge, match="larger unit"):
        Case(((0, 0, 5),), (2**30,), (1,), (0,), ()).graph()


def test_long_work_tells_how_far_it_is_and_can_be_ended() -> None:
    graph, told = crowd(3, 2_000, 600, 2_000), list[tuple[str, float]]()
    found = allocate(graph, seed=1, report=lambda what, much: told.append((what, much)))
    assert told[-1] == ("gap", found.certificate.gap)
    assert [much for what, much in told if what == "bids"] == sorted(
        (much for what, much in told if what == "bids"), reverse=True
    )

    def stop(what: str, much: float) -> None:
        raise InterruptedError(what)

    with pytest.raises(InterruptedError):
        allocate(graph, seed=1, report=stop)
