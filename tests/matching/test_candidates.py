"""The search agrees with a naive look at each pair, whatever the size of the blocks."""

from typing import Any

import numpy as np
import pytest

from matching import candidates
from matching.history import History
from matching.model import Need, Offer, Policy
from matching.rules import Setting
from tests.matching.build import CATALOGUE, NOW, OTHER_COUNTY, OTHER_TOWN, TOWN, need, offer


def setting(**changes: Any) -> Setting:
    return Setting(CATALOGUE, Policy(**changes), History.of((), ()), NOW)


def found(needs: list[Need], offers: list[Offer]) -> tuple[set[tuple[str, str]], candidates.Tally]:
    base = candidates.pool(needs, offers, setting())
    tally = candidates.new_tally(len(needs))
    out = candidates.barred(base.needs, setting())
    pairs = candidates.search(base, setting(), out, tally)
    return {(needs[n].id, offers[o].id) for p in pairs for n, o in zip(p.need, p.offer, strict=True)}, tally


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


@pytest.mark.parametrize("cells", [1, 30, 1_000_000])
def test_blocks_of_any_size_find_the_same_pairs(cells: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(candidates, "CELLS", cells)
    needs, offers = market()
    pairs, tally = found(needs, offers)
    assert pairs == {(n.id, o.id) for n in needs for o in offers if n.area in o.service_areas and o.quantity}
    assert (tally.candidates == len(offers)).all()
    assert tally.refused.sum() + len(pairs) == len(needs) * len(offers)


def test_sources_are_the_category_and_its_substitutes_with_their_factor() -> None:
    def codes(**changes: Any) -> list[tuple[str, int]]:
        return [(c.code, factor) for c, factor in candidates.sources(CATALOGUE["FAN"], setting(**changes))]

    assert codes() == [("FAN", 1000), ("CEILFAN", 500), ("HEAT", 900)]
    assert codes(substitute_milli=500) == [("FAN", 1000), ("CEILFAN", 250), ("HEAT", 450)]
    assert codes(substitute_milli=0) == [("FAN", 1000)]
