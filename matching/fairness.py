"""How a plan treats the towns."""

from collections.abc import Mapping

import numpy as np

from matching.columns import Ints
from matching.model import Fairness
from matching.pool import Pool
from matching.scoring import Scored


def fairness(base: Pool, best: Scored, quantity: Ints, shares: Mapping[str, int]) -> tuple[Fairness, ...]:
    """One row a town with open needs, in order of the codes."""
    asked = base.need_columns.quantity
    given = np.zeros_like(asked)
    np.add.at(given, best.pairs.need, quantity)
    open_ = np.flatnonzero(asked > 0)
    towns, which = np.unique(base.need_columns.area[open_] // 1000 * 1000, return_inverse=True)
    needs = np.bincount(which, minlength=towns.size)
    met = np.bincount(which, weights=given[open_] >= asked[open_], minlength=towns.size)
    share = np.bincount(which, weights=given[open_] / asked[open_], minlength=towns.size) / np.maximum(
        1, needs
    )
    rows = zip(towns.tolist(), needs.tolist(), met.tolist(), share.tolist(), strict=True)
    return tuple(_row(f"{town:012d}", count, int(full), part, shares) for town, count, full, part in rows)


def _row(town: str, needs: int, met: int, part: float, shares: Mapping[str, int]) -> Fairness:
    before = shares.get(town, 0)
    return Fairness(town, needs, met, before, before + round((1000 - before) * part))
