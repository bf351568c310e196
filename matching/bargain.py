"""The prices of fairness: moved until each group's price is what its next unit is worth to it.

A subgradient method whose pace is kept for each group apart and halved where the group overshot (M. Riedmiller and
H. Braun, "A direct adaptive method for faster backpropagation learning: the RPROP algorithm", 1993).
"""

import numpy as np

from matching.columns import Ints
from matching.shares import Shares

SLOWER, FASTER, NEARLY_ALL = 0.5, 1.1, 0.99


class Bargain:
    """`price`: of each group, in 1/scale milli-points; at first what its first unit is worth."""

    def __init__(self, shares: Shares, scale: int) -> None:
        self.shares, self.scale = shares, scale
        self.price = shares.first(scale)
        self._pace = np.ones(self.price.size)
        self._last = np.zeros(self.price.size)

    def move(self, met: Ints) -> int:
        """Move the prices towards what the groups' next units are worth when needs get `met`; how far nearly all moved at most."""
        low, high = self.shares.between(self.shares.given(met), self.scale)
        way = np.clip(self.price, low, np.maximum(low, high)) - self.price
        self._pace = np.where(way * self._last < 0, SLOWER * self._pace, np.minimum(1.0, FASTER * self._pace))
        self._last = np.where(way == 0, self._last, way)
        moved = np.rint(self._pace * way).astype(np.int64)
        self.price = self.price + moved
        return int(np.quantile(np.abs(moved), NEARLY_ALL)) if moved.size else 0

    def missed(self, met: Ints) -> float:
        """Milli-points that the bound loses because prices and units don't fit each other."""
        given = self.shares.given(met)
        paid = int(self.price @ given)
        return (self.shares.bound(self.price, self.scale) + paid) / self.scale - self.shares.worth(given)
