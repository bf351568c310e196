"""What must not change a plan's worth, and what must change it in step; and independent solvers on structured cases."""

from dataclasses import replace
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment

from matching.allocation import allocate
from matching.graph import Problem, graph_of
from tests.bench.allocation import flow
from tests.matching.test_allocation import Case, cases, crowd, ints


def objective(case: Case) -> int:
    return allocate(case.graph(), seed=1).certificate.objective


@given(cases(), st.integers(2, 9))
@settings(max_examples=100, deadline=None)
def test_scores_times_a_number_are_worth_that_many_times(case: Case, times: int) -> None:
    more = replace(case, pairs=tuple((n, o, score * times) for n, o, score in case.pairs))
    assert objective(more) == times * objective(case)


@given(cases(), st.randoms(use_true_random=False))
@settings(max_examples=100, deadline=None)
def test_the_numbers_that_needs_and_offers_carry_do_not_matter(case: Case, draw: Random) -> None:
    needs, offers = list(range(len(case.needs))), list(range(len(case.offers)))
    draw.shuffle(needs)
    draw.shuffle(offers)
    moved = Case(
        tuple((needs[n], offers[o], score) for n, o, score in case.pairs),
        tuple(case.needs[needs.index(n)] for n in range(len(needs))),
        tuple(case.offers[offers.index(o)] for o in range(len(offers))),
        tuple(case.homes[needs.index(n)] for n in range(len(needs))),
        tuple((offers[o], limit) for o, limit in case.limits),
    )
    assert objective(moved) == objective(case)


@given(cases(), st.integers(0, 5), st.integers(-5_000, 0))
@settings(max_examples=100, deadline=None)
def test_a_useless_offer_changes_nothing(case: Case, units: int, score: int) -> None:
    last = len(case.offers)
    useless = tuple((n, last, score) for n in range(len(case.needs)))
    more = replace(case, pairs=case.pairs + useless, offers=(*case.offers, units))
    one, other = allocate(case.graph(), seed=1), allocate(more.graph(), seed=1)
    assert one.certificate.objective == other.certificate.objective
    assert one.quantity.tolist() == other.quantity.tolist()


@given(cases())
@settings(max_examples=100, deadline=None)
def test_a_further_unit_of_an_offer_is_worth_its_price_at_most_and_never_harms(case: Case) -> None:
    plain = replace(case, limits=())
    found = allocate(plain.graph(), seed=1)
    # An offer of nothing is not looked at and has no price.
    for number in np.flatnonzero(plain.offers).tolist():
        more = replace(plain, offers=tuple(q + (o == number) for o, q in enumerate(plain.offers)))
        gain = objective(more) - found.certificate.objective
        assert 0 <= gain <= found.prices.offer[number] / found.prices.scale + 1


@given(cases())
@settings(max_examples=100, deadline=None)
def test_an_offer_in_two_halves_is_worth_the_same(case: Case) -> None:
    plain = replace(case, limits=())
    if not plain.offers:
        return
    half = plain.offers[0] // 2
    twin = tuple((n, len(plain.offers), score) for n, o, score in plain.pairs if o == 0)
    split = replace(plain, pairs=plain.pairs + twin, offers=(plain.offers[0] - half, *plain.offers[1:], half))
    assert objective(split) == objective(plain)


@pytest.mark.parametrize("seed", range(40))
def test_assignment_problems_against_scipy(seed: int) -> None:
    rng = np.random.default_rng(seed)
    needs, offers = int(rng.integers(1, 60)), int(rng.integers(1, 60))
    score = rng.integers(1, (10, 1_000, 100_000)[seed % 3], (needs, offers))
    pairs = np.indices(score.shape).reshape(2, -1)
    graph = graph_of(
        Problem(
            pairs[0], pairs[1], score.ravel(), np.full(score.size, -1), np.ones(needs, np.int64),
            np.ones(offers, np.int64), ints([]),
        )
    )  # fmt: skip
    rows, columns = linear_sum_assignment(score, maximize=True)
    found = allocate(graph, seed=seed).certificate
    assert found.objective == score[rows, columns].sum()
    assert found.gap == 0


@pytest.mark.parametrize("seed", range(60))
def test_transport_problems_against_a_min_cost_flow(seed: int) -> None:
    rng = np.random.default_rng(seed)
    graph = crowd(seed, int(rng.integers(20, 400)), int(rng.integers(5, 120)), (3, 40, 2_000)[seed % 3])
    proof = allocate(graph, seed=seed).certificate
    best = flow(graph)
    assert proof.objective <= best <= proof.upper_bound
    assert best - proof.objective <= 1e-4 * best
