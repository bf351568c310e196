"""The allocation against every promise that it makes, on random graphs with quantities and per-household
limits.
"""

from collections import defaultdict
from dataclasses import dataclass, replace

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.optimize import Bounds, LinearConstraint, milp

from matching.allocation import Allocation, Graph, NotWhole, _check, allocate, upper_bound
from matching.columns import Ints


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
        return Graph(need, offer, score, ints(group), ints(self.needs), ints(self.offers), caps)


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
    return [(n, o, s, int(q)) for (n, o, s), q in zip(case.pairs, result.quantity, strict=True)]


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
@settings(max_examples=150, deadline=None)
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
@settings(max_examples=60, deadline=None)
def test_any_prices_bound_the_optimum(case: Case, data: st.DataObject) -> None:
    graph = case.graph()
    price = st.integers(0, 200_000)
    offers = ints([data.draw(price) for _ in case.offers])
    groups = ints([data.draw(price) for _ in graph.group_limit])
    assert upper_bound(graph, offers, groups) >= oracle(case)


@given(cases(), st.integers(0, 3))
@settings(max_examples=30, deadline=None)
def test_the_same_input_and_seed_give_the_same_plan(case: Case, seed: int) -> None:
    one, other = allocate(case.graph(), seed=seed), allocate(case.graph(), seed=seed)
    assert one.quantity.tolist() == other.quantity.tolist()
    assert one.certificate == other.certificate


def tie(count: int) -> Graph:
    pairs = tuple((n, 0, 5_000) for n in range(count))
    return Case(pairs, (1,) * count, (1,), tuple(range(count)), ()).graph()


def test_the_seed_decides_between_equals_and_only_between_equals() -> None:
    winners = {int(np.argmax(allocate(tie(6), seed=seed).quantity)) for seed in range(20)}
    assert len(winners) > 2
    better = replace(tie(6), score=ints([5_000, 5_000, 5_001, 5_000, 5_000, 5_000]))
    assert {int(np.argmax(allocate(better, seed=seed).quantity)) for seed in range(20)} == {2}


def test_the_largest_tie_weight_wins() -> None:
    weights = np.random.default_rng(3).random(6)
    assert int(np.argmax(allocate(tie(6), seed=3).quantity)) == int(np.argmax(weights))


@given(cases(), st.data())
@settings(max_examples=60, deadline=None)
def test_a_price_lies_between_what_one_unit_more_adds_and_one_less_costs(
    case: Case, data: st.DataObject
) -> None:
    assume(case.offers)
    number = data.draw(st.integers(0, len(case.offers) - 1))
    result = allocate(case.graph(), seed=1)

    def optimum(change: int) -> int:
        offers = tuple(quantity + change * (n == number) for n, quantity in enumerate(case.offers))
        return oracle(replace(case, offers=offers))

    price, now = int(result.offer_price[number]), result.certificate.objective
    assert optimum(1) - now <= price
    assert case.offers[number] == 0 or price <= now - optimum(-1)


def test_large_quantities_stay_exact() -> None:
    pairs = ((0, 0, 149_999), (1, 0, 150_000), (1, 1, 7))
    result = allocate(Case(pairs, (9_999_999, 3_333_333), (10_000_000, 1), (0, 1), ()).graph(), seed=1)
    assert result.quantity.tolist() == [6_666_668, 3_333_332, 1]
    assert result.certificate.gap == 0


def test_many_components_are_solved_apart_and_add_up() -> None:
    count = 3_000
    score = np.random.default_rng(1).integers(1, 9, 2 * count)
    number = np.arange(count)
    graph = Graph(
        np.repeat(number, 2), np.repeat(number, 2), score, np.full(2 * count, -1),
        np.ones(count, np.int64), np.ones(count, np.int64), ints([]),
    )  # fmt: skip
    assert allocate(graph, seed=1).certificate.objective == int(score.reshape(count, 2).max(axis=1).sum())


def test_nothing_to_do() -> None:
    result = allocate(Case((), (), (), (), ()).graph(), seed=1)
    assert (result.certificate.objective, result.certificate.gap) == (0, 0.0)


def test_a_plan_beyond_a_limit_is_never_passed_on() -> None:
    with pytest.raises(NotWhole, match="household limit"):
        _check(tie(2), ints([1, 1]))


def test_a_large_component_is_solved_by_the_other_method_just_as_exactly(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rng = np.random.default_rng(2)
    size = 1_500
    graph = Graph(
        np.repeat(np.arange(300), 5), rng.integers(0, 40, size), rng.integers(1, 150_000, size), np.full(size, -1),
        rng.integers(1, 4, 300), rng.integers(1, 9, 40), ints([]),
    )  # fmt: skip
    small = allocate(graph, seed=1).certificate
    monkeypatch.setattr("matching.allocation.LARGE_EDGES", 100)
    large = allocate(graph, seed=1).certificate
    assert (large.objective, large.gap) == (small.objective, small.gap) == (small.upper_bound, 0)
