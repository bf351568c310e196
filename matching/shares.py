"""The rule of fairness: the less of what a group asked for is met, the more its next unit is worth.

A group is a town or a class of vulnerability, among categories that may stand in for one another. Its y-th further
unit is worth `points` × the share that is still unmet before it: a concave utility, so that its prices bound
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
    """`member`: (needs, kinds of group) the groups that a need counts to, -1 for none. `asked`, `met`: units that each
    group asked for in all and those met before; `open`: units that it asks for now; `points`: milli-points of a
    first unit of a group of which nothing was met; `codes`: of the towns and classes, if they are known.
    """

    member: NDArray[np.int32]
    asked: Ints
    met: Ints
    open: Ints
    points: Ints
    codes: tuple[str, ...] = ()

    @cached_property
    def _inside(self) -> NDArray[np.bool_]:
        return np.asarray(self.member >= 0)

    @property
    def unmet(self) -> Ints:
        """Units of each group that are not met before the plan, at least those that are open."""
        unmet: Ints = np.maximum(self.open, self.asked - self.met)
        return unmet

    def first(self, scale: int) -> Ints:
        """What each group's next unit is worth before anything is given, in 1/scale milli-points."""
        worth: Ints = self.points * scale * self.unmet // self._whole
        return worth

    @property
    def _whole(self) -> Ints:
        whole: Ints = np.maximum(1, np.maximum(self.asked, self.met + self.open))
        return whole

    def bonus(self, price: Ints) -> Ints:
        """For each need what a unit of it is worth at these prices of its groups."""
        bonus: Ints = (np.append(price, 0)[self.member] * self._inside).sum(axis=1)
        return bonus

    def given(self, met: Ints) -> Ints:
        """Units of each group when needs get `met`."""
        total = np.zeros(self.asked.size, np.int64)
        for kind in range(self.member.shape[1]):
            inside = self._inside[:, kind]
            counted = np.bincount(self.member[inside, kind], weights=met[inside], minlength=total.size)
            total += counted.astype(np.int64)
        return total

    def between(self, given: Ints, scale: int) -> tuple[Ints, Ints]:
        """The prices at which a group would neither take one unit more nor give one back."""
        unit = self.points * scale
        more = -(-unit * (self.unmet - given) // self._whole)
        last = unit * (self.unmet - given + 1) // self._whole
        return np.where(given < self.open, np.maximum(0, more), 0), np.where(given > 0, last, 2**62)

    def worth(self, given: Ints) -> int:
        """What these units are worth to the groups, in milli-points, rounded down once."""
        columns = (self.points, self.unmet, self._whole, given)
        rows = list(zip(*(column.tolist() for column in columns), strict=True))
        total = sum(
            (points * y * (2 * left - y + 1) << FRACTION - 1) // whole for points, left, whole, y in rows
        )
        # Each group lost less than 2^-40: only where a whole number lies so near are fractions needed.
        if total >> FRACTION == (total + len(rows)) >> FRACTION:
            return int(total) >> FRACTION
        return int(sum(Fraction(p * y * (2 * left - y + 1), 2 * whole) for p, left, whole, y in rows))

    def bound(self, price: Ints, scale: int) -> int:
        """What the groups gain at most at these prices, in 1/scale milli-points, rounded up."""
        columns = (self.points, self.unmet, self._whole, self.open, price)
        rows = zip(*(column.tolist() for column in columns), strict=True)
        total: int = sum(_most(p, left, whole, units, price, scale) for p, left, whole, units, price in rows)
        return -(-total >> FRACTION)


def _most(points: int, left: int, whole: int, units: int, price: int, scale: int) -> int:
    """The largest worth less price over whole numbers of units, times 2^40, rounded up: at the last unit that pays."""
    unit = points * scale
    y = min(units, max(0, left + 1 - -(-price * whole // unit))) if unit else 0
    return -((-(unit * y * (2 * left - y + 1) << FRACTION - 1) // whole) + (price * y << FRACTION))
