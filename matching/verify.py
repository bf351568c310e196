"""Whether a plan is what it claims to be, worked out anew from the file alone: nothing of the solver is used.

A verdict that holds means: the plan gives nobody too much and nothing in part that may not be, it is worth what it
claims, and no other plan over the same edges is worth more than the upper bound.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from matching.duality import (
    Flags,
    Ints,
    Progress,
    blocks,
    dot,
    tally,
    upper_bound,
    utility,
    whole_part,
)
from matching.plansheet import Fault, Names, Place, PlanSheet, faults_at, faults_of

SAME = 1e-12

RULES = {
    "need_over": "need {need} gets {given} units, more than the {quantity} that it lacks",
    "offer_over": "offer {offer} gives {given} units, more than the {quantity} that it has",
    "limit_over": "limit {limit} carries {given} units, more than the {most} that it allows",
    "whole_split": "need {need} must be met in full by one offer or not at all; it gets {given} of {quantity} units over {edges} edges",
    "bundle_part": "bundle {bundle} must be met in full or not at all; its need {need} gets {given} of {quantity} units",
    "asked_short": "fairness group {group}: {met_before} units met before and {open} open ones are more than the {asked} asked for",
    "open_short": "fairness group {group}: {open} units are said to be open, fewer than the {quantity} that its needs lack",
    "objective": "the objective is said to be {claimed} milli-points; the plan is worth {found}",
    "upper_bound": "the upper bound is said to be {claimed} milli-points; the prices prove no less than {found}",
    "over_bound": "the plan is worth {objective} milli-points, more than the prices allow any plan: {bound}",
    "gap": "the gap is said to be {claimed}; objective and upper bound make it {found}",
}


@dataclass(frozen=True, slots=True)
class Share:
    """A fairness group and the shares of what it asked for that were met before the plan and are met with it."""

    group: str
    before: float
    after: float


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was found: counts, `objective` and `upper_bound` as worked out anew (milli-points, rounded down), and `faults`.

    `lowest_before`, `lowest_after`: the fairness group that is worst off without and with the plan; None without groups.
    A sheet that is not of the form is not looked at further: all numbers are 0 then.
    """

    needs: int = 0
    offers: int = 0
    edges: int = 0
    units: int = 0
    objective: int = 0
    upper_bound: int = 0
    groups: int = 0
    lowest_before: Share | None = None
    lowest_after: Share | None = None
    faults: tuple[Fault, ...] = ()

    @property
    def holds(self) -> bool:
        """Whether there is no fault."""
        return not self.faults


@dataclass(frozen=True, slots=True)
class _Given:
    """What the plan gives: units by need, offer, limit and fairness group, edges used by need, points for edges."""

    need: Ints
    used: Ints
    offer: Ints
    limit: Ints
    group: Ints
    points: int


def verify(sheet: PlanSheet, progress: Progress = lambda done, needs: None) -> Verdict:
    """Everything that is wrong with the plan and its claims. `progress` hears how many needs are done, of how many."""
    if faults := faults_of(sheet):
        return Verdict(faults=faults)
    given = _given(sheet)
    objective, bound = _objective(sheet, given), upper_bound(sheet, progress)
    lowest_before, lowest_after = _lowest(sheet, given.group)
    return Verdict(
        needs=sheet.need_quantity.size,
        offers=sheet.offer_quantity.size,
        edges=sheet.offer.size,
        units=int(given.need.sum()),
        objective=objective,
        upper_bound=bound,
        groups=sheet.asked.size,
        lowest_before=lowest_before,
        lowest_after=lowest_after,
        faults=(*_infeasible(sheet, given), *_groups(sheet), *_claims(sheet, objective, bound)),
    )


def _given(sheet: PlanSheet) -> _Given:
    need, used = (np.zeros(sheet.need_quantity.size, np.int64) for _ in range(2))
    offer = np.zeros(sheet.offer_quantity.size, np.int64)
    limit = np.zeros(sheet.group_limit.size, np.int64)
    points = 0
    for first, last in blocks(sheet.start):
        start = sheet.start[first : last + 1].astype(np.int64)
        edges = slice(start[0], start[-1])
        units = sheet.units[edges].astype(np.int64)
        need[first:last] = _by_need(start, units)
        used[first:last] = _by_need(start, (units > 0).astype(np.int64))
        np.add.at(offer, sheet.offer[edges], units)
        points += dot(sheet.score[edges], units)
        if sheet.group.size:
            limited = sheet.group[edges] >= 0
            np.add.at(limit, sheet.group[edges][limited], units[limited])
    return _Given(need, used, offer, limit, _by_group(sheet, need), points)


def _by_need(start: Ints, values: Ints) -> Ints:
    sums = np.concatenate([np.zeros(1, np.int64), np.cumsum(values)])
    together: Ints = sums[start[1:] - start[0]] - sums[start[:-1] - start[0]]
    return together


def _by_group(sheet: PlanSheet, units: Ints) -> Ints:
    """Units of needs, added up by the fairness groups that they count to."""
    return tally(sheet.asked.size, sheet.member, np.repeat(units, np.diff(sheet.member_start)))


def _objective(sheet: PlanSheet, given: _Given) -> int:
    """What the plan is worth in milli-points, rounded down."""
    kept = dot(sheet.held_back, sheet.offer_quantity) - dot(sheet.held_back, given.offer)
    columns = (sheet.points, sheet.asked, sheet.met_before, given.group)
    rows = zip(*(column.tolist() for column in columns), strict=True)
    worth = [utility(points, asked, before, units) for points, asked, before, units in rows]
    return given.points + kept + whole_part(worth, sheet.asked.tolist())


def _infeasible(sheet: PlanSheet, given: _Given) -> Iterator[Fault]:
    def need(at: int) -> Place:
        return {"need": _name(sheet.need_ids, at), "given": int(given.need[at]), "edges": int(given.used[at]),
                "quantity": int(sheet.need_quantity[at]), "bundle": int(sheet.bundle[at])}  # fmt: skip

    def offer(at: int) -> Place:
        return {"offer": _name(sheet.offer_ids, at), "given": int(given.offer[at]),
                "quantity": int(sheet.offer_quantity[at])}  # fmt: skip

    def limit(at: int) -> Place:
        return {"limit": f"#{at}", "given": int(given.limit[at]), "most": int(sheet.group_limit[at])}

    for rule, wrong, place in (
        ("need_over", given.need > sheet.need_quantity, need),
        ("offer_over", given.offer > sheet.offer_quantity, offer),
        ("limit_over", given.limit > sheet.group_limit, limit),
        ("whole_split", _split(sheet, given), need),
        ("bundle_part", _half(sheet, given), need),
    ):
        yield from faults_at(rule, RULES, np.flatnonzero(wrong), place)


def _split(sheet: PlanSheet, given: _Given) -> Flags:
    """Needs that one offer must meet in full, or none, and that get something else."""
    right: Flags = (given.used == 0) | ((given.used == 1) & (given.need == sheet.need_quantity))
    wrong: Flags = sheet.whole & ~right
    return wrong


def _half(sheet: PlanSheet, given: _Given) -> Flags:
    """Needs that are not met in full although their bundle gets something."""
    size = int(sheet.bundle.max(initial=-1)) + 1
    inside = sheet.bundle >= 0
    touched = np.zeros(size, np.bool_)
    touched[sheet.bundle[inside & (given.need > 0)]] = True
    half: Flags = given.need != sheet.need_quantity
    half[inside] &= touched[sheet.bundle[inside]]
    return half & inside


def _groups(sheet: PlanSheet) -> Iterator[Fault]:
    """What makes the worth of shares, or the bound on it, meaningless."""
    lacking = _by_group(sheet, sheet.need_quantity.astype(np.int64))

    def place(at: int) -> Place:
        columns = {
            "asked": sheet.asked,
            "met_before": sheet.met_before,
            "open": sheet.open,
            "quantity": lacking,
        }
        return {"group": _name(sheet.group_codes, at)} | {
            name: int(column[at]) for name, column in columns.items()
        }

    short = np.flatnonzero(sheet.asked.astype(np.int64) - sheet.met_before < sheet.open)
    yield from faults_at("asked_short", RULES, short, place)
    yield from faults_at("open_short", RULES, np.flatnonzero(sheet.open < lacking), place)


def _claims(sheet: PlanSheet, objective: int, bound: int) -> Iterator[Fault]:
    if sheet.objective != objective:
        yield _claim("objective", claimed=int(sheet.objective), found=objective)
    if sheet.upper_bound < bound:
        yield _claim("upper_bound", claimed=int(sheet.upper_bound), found=bound)
    if bound < objective:
        yield _claim("over_bound", objective=objective, bound=bound)
    gap = (int(sheet.upper_bound) - int(sheet.objective)) / max(1, int(sheet.objective))
    if abs(gap - sheet.gap) > SAME:
        yield _claim("gap", claimed=float(sheet.gap), found=gap)


def _claim(rule: str, **place: int | float) -> Fault:
    return Fault(rule, RULES[rule], 1, (place,))


def _lowest(sheet: PlanSheet, units: Ints) -> tuple[Share | None, Share | None]:
    if sheet.asked.size == 0:
        return None, None
    before = sheet.met_before / sheet.asked
    after = (sheet.met_before + units) / sheet.asked
    shares = (
        Share(_name(sheet.group_codes, at), float(before[at]), float(after[at]))
        for at in (int(before.argmin()), int(after.argmin()))
    )
    one, other = shares
    return one, other


def _name(names: Names, at: int) -> str:
    """The number of a thing, and its own name where the file has one."""
    return f"#{at} {names[at]}" if names.size else f"#{at}"
