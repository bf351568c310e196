"""The rule of fairness: the less of what a group asked for is met, the more its next unit is worth.

A group is a town or a class of vulnerability, among categories that may stand in for one another. Each further unit is
worth `points` × the share of what is open that is still unmet before it: a concave utility, so that its prices bound
every plan (Fenchel duality). Sums are kept in 2^-40 milli-points, rounded against the claim.
"""

from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from matching.columns import Ints

FRACTION = 40


@dataclass(frozen=True, eq=False)
class Shares:
    """`member`: (needs, kinds of group) the groups that a need counts to, -1 for none. `open`: units that each group asks
    for; `points`: milli-points that the first of them is worth; `codes`: of the towns and classes, if they are known.
    """

    member: NDArray[np.int32]
    open: Ints
    points: Ints
    codes: tuple[str, ...] = ()

    @cached_property
    def _inside(self) -> NDArray[np.bool_]:
        return np.asarray(self.member >= 0)

    @property
    def asked(self) -> Ints:
        """`open`, at least 1: what shares are shares of."""
        asked: Ints = np.maximum(1, self.open)
        return asked

    def first(self, scale: int) -> Ints:
        """What each group's next unit is worth before anything is given, in 1/scale milli-points."""
        return np.where(self.open > 0, self.points * scale, 0)

    def bonus(self, price: Ints) -> Ints:
        """For each need what a unit of it is worth at these prices of its groups."""
        bonus: Ints = (np.append(price, 0)[self.member] * self._inside).sum(axis=1)
        return bonus

    def given(self, met: Ints) -> Ints:
        """Units of each group when needs get `met`."""
        total = np.zeros(self.open.size, np.int64)
        for kind in range(self.member.shape[1]):
            inside = self._inside[:, kind]
            counted = np.bincount(self.member[inside, kind], weights=met[inside], minlength=total.size)
            total += counted.astype(np.int64)
        return total

    def between(self, given: Ints, scale: int) -> tuple[Ints, Ints]:
        """The prices at which a group would neither take one unit more nor give one back."""
        unit = self.points * scale
        more = -(-unit * (self.open - given) // self.asked)
        last = unit * (self.open - given + 1) // self.asked
        return np.where(given < self.open, np.maximum(0, more), 0), np.where(given > 0, last, 2**62)

    def worth(self, given: Ints) -> int:
        """What these units are worth to the groups, in milli-points, rounded down once."""
        rows = list(zip(*(column.tolist() for column in (self.points, self.asked, given)), strict=True))
        total = sum((points * y * (2 * units - y + 1) << FRACTION - 1) // units for points, units, y in rows)
        # Each group lost less than 2^-40: only where a whole number lies so near are fractions needed.
        if total >> FRACTION == (total + len(rows)) >> FRACTION:
            return int(total) >> FRACTION
        return int(sum(Fraction(points * y * (2 * units - y + 1), 2 * units) for points, units, y in rows))

    def bound(self, price: Ints, scale: int) -> int:
        """What the groups gain at most at these prices, in 1/scale milli-points, rounded up."""
        rows = zip(*(column.tolist() for column in (self.points, self.open, price)), strict=True)
        total: int = sum(_most(points * scale, units, price) for points, units, price in rows)
        return -(-total >> FRACTION)


def nobody(needs: int) -> Shares:
    """No groups: so many needs count to none."""
    none = np.zeros(0, np.int64)
    return Shares(np.full((needs, 1), -1, np.int32), none, none)


def _most(first: int, units: int, price: int) -> int:
    """The largest worth less price over whole numbers of units, times 2^40, rounded up: at the last unit that pays. `first`: what
    the first is worth.
    """
    if not units or not first:
        return 0
    y = min(units, max(0, units + 1 - -(-price * units // first)))
    return -((-(first * y * (2 * units - y + 1) << FRACTION - 1) // units) + (price * y << FRACTION))
