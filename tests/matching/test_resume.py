"""Going on from an earlier plan: as good as a fresh one, and only what a change reaches moves."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matching.allocation import Allocation, allocate
from matching.graph import Graph
from matching.resume import Last
from tests.matching.test_allocation import Case, cases, crowd
from tests.matching.test_shares import shared


def gone_on(graph: Graph, before: Allocation) -> Allocation:
    return allocate(graph, seed=1, last=Last(before.quantity, before.prices))


@given(cases(), st.data())
@settings(max_examples=150, deadline=None)
def test_a_changed_problem_gives_the_same_objective_as_a_fresh_one(case: Case, data: st.DataObject) -> None:
    graph = replace(case, limits=()).graph()
    before = allocate(graph, seed=1)
    needs = data.draw(st.lists(st.integers(1, 6), min_size=len(case.needs), max_size=len(case.needs)))
    offers = data.draw(st.lists(st.integers(1, 8), min_size=len(case.offers), max_size=len(case.offers)))
    changed = replace(
        graph, need_quantity=np.array(needs, np.int32), offer_quantity=np.array(offers, np.int32)
    )
    again = gone_on(changed, before).certificate
    assert again.objective == allocate(changed, seed=1).certificate.objective
    assert again.gap == 0


@pytest.mark.parametrize(("fair", "ties", "most"), [(False, 40, 40), (False, 2_000, 40), (True, 2_000, 300)])
def test_in_a_crowd_few_move_and_the_gap_is_kept(fair: bool, ties: int, most: int) -> None:
    graph = crowd(5, 3_000, 700, ties)
    if fair:
        graph = shared(graph, (np.arange(3_000) % 10).tolist(), 5_000)
    before = allocate(graph, seed=1)
    quantity = graph.need_quantity.copy()
    quantity[7] += 2
    changed = replace(graph, need_quantity=quantity)
    if changed.shares is not None:
        changed = shared(replace(changed, shares=None), (np.arange(3_000) % 10).tolist(), 5_000)
    after, fresh = gone_on(changed, before), allocate(changed, seed=1)
    assert after.certificate.gap <= 1e-4
    assert (
        abs(after.certificate.objective - fresh.certificate.objective) <= 2e-4 * fresh.certificate.objective
    )
    assert (after.quantity != before.quantity).sum() <= most


def test_an_earlier_plan_of_another_size_is_not_gone_on_from() -> None:
    graph = crowd(5, 300, 70, 40)
    other = allocate(crowd(5, 200, 70, 40), seed=1)
    assert gone_on(graph, other).quantity.tolist() == allocate(graph, seed=1).quantity.tolist()
