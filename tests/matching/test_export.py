"""What the engine claims, checked by code that shares nothing with it."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings

from matching.allocation import allocate
from matching.export import sheet_of
from matching.graph import Graph
from matching.planfile import read, write
from matching.verify import verify
from tests.matching.build import OTHER_TOWN, need, offer, plan
from tests.matching.test_allocation import Case, cases, crowd
from tests.matching.test_shares import fair_cases, shared


@given(fair_cases())
@settings(max_examples=100, deadline=None)
def test_every_fair_plan_holds(pair: tuple[Case, Graph]) -> None:
    _, graph = pair
    assert verify(sheet_of(graph, allocate(graph, seed=1))).faults == ()


@given(cases())
@settings(max_examples=100, deadline=None)
def test_every_plan_with_household_limits_holds(case: Case) -> None:
    graph = case.graph()
    assert verify(sheet_of(graph, allocate(graph, seed=1))).faults == ()


def test_a_crowds_plan_holds_from_its_file_and_a_unit_more_does_not(tmp_path: Path) -> None:
    graph = shared(crowd(3, 3_000, 300, 40), (np.arange(3_000) % 30).tolist(), 20_000)
    sheet = sheet_of(graph, allocate(graph, seed=1), at="2024-08-20")
    write(tmp_path / "crowd.plan.npz", sheet)
    again = read(tmp_path / "crowd.plan.npz")
    assert verify(again).holds
    units = again.units.copy()
    units[np.flatnonzero(units == 0)[0]] += 1
    assert not verify(replace(again, units=units)).holds


@pytest.mark.parametrize("limit", [None, 1])
def test_a_plan_carries_its_sheet_with_the_codes_of_its_groups(limit: int | None) -> None:
    needs = [need("n1"), need("n2", area=OTHER_TOWN), need("n3", quantity=3)]
    found = plan(needs, [offer(quantity=3, per_household_limit=limit)], shares={OTHER_TOWN: 300})
    assert found.sheet is not None
    sheet = found.sheet()
    verdict = verify(sheet)
    assert verdict.holds
    assert (sheet.objective, sheet.gap) == (found.certificate.objective, found.certificate.gap)
    assert OTHER_TOWN in sheet.group_codes.tolist()
    assert sorted(sheet.need_ids.tolist()) == ["n1", "n2", "n3"]
