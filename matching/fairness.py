"""How a plan treats towns and classes of vulnerability: the rule that the optimisation follows, and what came of it."""

from collections.abc import Mapping, Sequence

import numpy as np

from matching.columns import Ints
from matching.features import fairness_points, groups_of
from matching.model import Catalogue, Fairness, Need, Policy
from matching.pool import Pool
from matching.scoring import Scored
from matching.shares import Shares

MILLI = 1_000


def before(needs: Sequence[Need], policy: Policy, shares: Mapping[str, int]) -> Ints:
    """Milli-points that the rule gives each need before anything is planned."""
    return np.array([round(MILLI * fairness_points(need, policy, shares)) for need in needs], dtype=np.int64)


def families(catalogue: Catalogue) -> dict[str, str]:
    """For each category the first, by code, of those that substitutes join it with."""
    head = {code: code for code in catalogue}

    def first(code: str) -> str:
        while head[code] != code:
            code = head[code]
        return code

    for code, category in catalogue.items():
        for other in (accepted for accepted, _ in category.accepts if accepted in head):
            one, two = sorted((first(code), first(other)))
            head[two] = one
    return {code: first(code) for code in head}


def rule_of(base: Pool, catalogue: Catalogue, policy: Policy, shares: Mapping[str, int]) -> Shares:
    """The fairness groups of a round: each town and each class within a family of categories, in units.

    `shares`: by town or class, thousandths met so far. A group of which a share s was met before starts at
    points × (1 - s) and comes to 0 when all that is open is met, as if s had been met of a longer list.
    """
    family = families(catalogue)
    numbers: dict[tuple[str, str], int] = {}
    points: list[int] = []
    member = np.full((len(base.needs), 2), -1, np.int32)
    for place, need in enumerate(base.needs):
        for kind, (code, worth) in enumerate(groups_of(need, policy)):
            key = (code, family.get(need.category, need.category))
            if key not in numbers:
                numbers[key] = len(points)
                points.append(round(worth * (MILLI - min(MILLI, max(0, shares.get(code, 0))))))
            member[place, kind] = numbers[key]
    open_ = _counted(member, base.need_columns.quantity, len(points))
    return Shares(member, open_, np.array(points, dtype=np.int64), tuple(code for code, _ in numbers))


def names_of(base: Pool, catalogue: Catalogue, shares: Shares) -> list[tuple[str, str]]:
    """For each group its town or class and its family of categories."""
    family = families(catalogue)
    some = np.zeros(shares.open.size, np.int64)
    for kind in range(shares.member.shape[1]):
        inside = np.flatnonzero(shares.member[:, kind] >= 0)
        some[shares.member[inside, kind]] = inside
    categories = [base.needs[need].category for need in some.tolist()]
    return [(code, family.get(one, one)) for code, one in zip(shares.codes, categories, strict=True)]


def _counted(member: np.ndarray[tuple[int, ...], np.dtype[np.int32]], quantity: Ints, size: int) -> Ints:
    total = np.zeros(size, np.int64)
    for kind in range(member.shape[1]):
        inside = member[:, kind] >= 0
        np.add.at(total, member[inside, kind], np.maximum(0, quantity[inside]))
    return total


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
