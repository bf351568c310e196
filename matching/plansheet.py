"""What a plan's sheet must be like: its arrays, their kinds, lengths and ranges, and every way of missing that."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

VERSION = "nuanlian-plan/1"
MOST = 2**31 - 1
"""Scores and units of one place: sums over them fit 64 bits."""
FAR = 2**62
"""Prices, and units of many places together."""
SHOWN = 20

Whole = NDArray[np.integer[Any]]
Flags = NDArray[np.bool_]
Names = NDArray[np.str_]
Arrays = Mapping[str, NDArray[Any]]
Place = Mapping[str, int | float | str]


@dataclass(frozen=True, slots=True, eq=False)
class PlanSheet:
    """A plan, what it was asked about, and its proof: whole numbers by number of need, offer, limit or fairness group.

    Need i has the edges start[i] to start[i + 1]. One entry an edge: `offer`, `score` (milli-points a unit, above 0),
    `group` (the per-household limit that it counts to, or -1; empty = no limits at all), `units` (what the plan gives).
    `held_back`: milli-points that a unit kept for later needs is worth, one an offer. One a need: `whole` (met in full
    over one edge or not at all), `bundle` (its needs are all met in full or none; -1 = none).

    A fairness group is a town or a vulnerability class within categories that may stand for one another. Units of need
    i count to the groups member[member_start[i]] to member[member_start[i + 1]]. One a group: `asked` (units asked for
    in all, above 0, past met ones included), `met_before` (units of earlier rounds), `open` (units of its needs here),
    `points` (milli-points that the first unit is worth while nothing is met; each further one is worth the share of
    `asked` that is still unmet before it).

    The proof: `offer_price`, `group_price` (one a limit), `share_price` (one a fairness group), in 1/`scale`
    milli-points. Claims: `objective` (rounded down) and `upper_bound` in milli-points, `gap` = (upper_bound −
    objective) / max(1, objective). `need_ids`, `offer_ids`, `group_codes` (of the fairness groups) may be empty.
    `meta`: a JSON object: created, seed, policy digest, engine.
    """

    start: Whole
    offer: Whole
    score: Whole
    group: Whole
    units: Whole
    need_quantity: Whole
    offer_quantity: Whole
    group_limit: Whole
    held_back: Whole
    whole: Flags
    bundle: Whole
    member_start: Whole
    member: Whole
    asked: Whole
    met_before: Whole
    open: Whole
    points: Whole
    offer_price: Whole
    group_price: Whole
    share_price: Whole
    need_ids: Names
    offer_ids: Names
    group_codes: Names
    scale: int
    objective: int
    upper_bound: int
    gap: float
    meta: str


class Column(NamedTuple):
    """An array of whole numbers: `length` and `most` are numbers or the name of a count (`most` lies under a count)."""

    length: str
    least: int = 0
    most: int | str = MOST
    optional: bool = False


COLUMNS: Mapping[str, Column] = {
    "start": Column("needs + 1", most=FAR),
    "offer": Column("edges", most="offers"),
    "score": Column("edges", least=1),
    "group": Column("edges", least=-1, most="limits", optional=True),
    "units": Column("edges"),
    "need_quantity": Column("needs"),
    "offer_quantity": Column("offers"),
    "group_limit": Column("limits"),
    "held_back": Column("offers"),
    "bundle": Column("needs", least=-1, most="needs"),
    "member_start": Column("needs + 1", most=FAR),
    "member": Column("", most="groups"),
    "asked": Column("groups", least=1, most=FAR),
    "met_before": Column("groups", most=FAR),
    "open": Column("groups", most=FAR),
    "points": Column("groups"),
    "offer_price": Column("offers", most=FAR),
    "group_price": Column("limits", most=FAR),
    "share_price": Column("groups", most=FAR),
}
NAMES = {"need_ids": "needs", "offer_ids": "offers", "group_codes": "groups"}
NUMBERS = {"scale": 1, "objective": 0, "upper_bound": 0}
COUNTS = {
    "needs": ("need_quantity", 0),
    "needs + 1": ("need_quantity", 1),
    "offers": ("offer_quantity", 0),
    "edges": ("offer", 0),
    "limits": ("group_limit", 0),
    "groups": ("asked", 0),
}
LENGTHS = {
    **{name: (column.length, column.optional) for name, column in COLUMNS.items()},
    **{name: (length, True) for name, length in NAMES.items()},
    "whole": ("needs", False),
}
EVERY = tuple(field.name for field in fields(PlanSheet))

FORM: Mapping[str, str] = {
    "no_plan": "this is no plan file, or it is cut off ({reason})",
    "version": "the version is {version}; {known} can be read",
    "missing": "the array {name} is missing",
    "unknown": "the array {name} belongs to no plan of this version",
    "unreadable": "the array {name} can't be read ({reason})",
    "kind": "the array {name} holds {found}, not {wanted}",
    "length": "the array {name} has {found} entries, not {wanted}",
    "below": "the array {name} holds {value} at {place}; the least allowed is {least}",
    "above": "the array {name} holds {value} at {place}; the most allowed is {most}",
    "ends": "the array {name} goes from {first} to {last}, not from 0 to {wanted}",
    "descends": "the array {name} descends at {place}",
    "twice": "need {need} counts to fairness group {group} more than once",
    "meta": "meta is no JSON object ({reason})",
}


@dataclass(frozen=True, slots=True)
class Fault:
    """One kind of fault: at how many places it occurs, and the first 20 of them with their numbers.

    `text` is English; what stands in braces is in each place.
    """

    rule: str
    text: str
    count: int
    places: tuple[Place, ...]

    @property
    def lines(self) -> tuple[str, ...]:
        """One sentence for each place that is shown."""
        return tuple(self.text.format_map(place) for place in self.places)


def faults_of(sheet: PlanSheet) -> tuple[Fault, ...]:
    """Everything by which `sheet` is not of the form; nothing about whether the plan is any good."""
    return faults_in({name: np.asarray(getattr(sheet, name)) for name in EVERY})


def faults_in(arrays: Arrays) -> tuple[Fault, ...]:
    """The same of arrays by name, not all of which need be there."""
    kinds = {name: wrong for name, values in arrays.items() if (wrong := kind_fault(name, values))}
    right = {name: values for name, values in arrays.items() if name not in kinds}
    counts = {name: right[column].size + more for name, (column, more) in COUNTS.items() if column in right}
    lengths = {name: wrong for name in right if (wrong := _length(name, right[name], counts))}
    long = {name: values for name, values in right.items() if name not in lengths}
    return (*kinds.values(), *lengths.values(), *_ranges(right, counts), *_orders(long), *_meta(right))


def kind_fault(name: str, values: NDArray[Any]) -> Fault | None:
    wanted, kinds, rank = _wanted(name)
    if values.dtype.kind in kinds and values.ndim == rank:
        return None
    return fault("kind", name=name, found=f"{values.ndim}-d {values.dtype.name}", wanted=f"{rank}-d {wanted}")


def _wanted(name: str) -> tuple[str, str, int]:
    if name in COLUMNS:
        return "whole numbers with a sign", "i", 1
    if name in NAMES:
        return "text", "U", 1
    if name == "whole":
        return "bool", "b", 1
    if name in NUMBERS:
        return "whole number with a sign", "i", 0
    return ("text", "U", 0) if name == "meta" else ("float", "f", 0)


def _length(name: str, values: NDArray[Any], counts: Mapping[str, int]) -> Fault | None:
    length, optional = LENGTHS.get(name, ("", True))
    wanted = counts.get(length, values.size)
    if values.size == wanted or (optional and values.size == 0):
        return None
    return fault("length", name=name, found=values.size, wanted=f"{wanted} ({length})")


def _ranges(arrays: Arrays, counts: Mapping[str, int]) -> Iterator[Fault]:
    for name, (_, least, most, _) in COLUMNS.items():
        top = most if isinstance(most, int) else counts.get(most, FAR) - 1
        if name in arrays:
            yield from _range(name, arrays[name], least, top)
    for name, least in NUMBERS.items():
        if name in arrays:
            yield from _range(name, arrays[name].reshape(1), least, FAR)
    if "gap" in arrays and not np.isfinite(arrays["gap"]):
        yield fault("kind", name="gap", found=str(arrays["gap"]), wanted="a finite number")


def _range(name: str, values: Whole, least: int, most: int) -> Iterator[Fault]:
    def place(at: int) -> Place:
        return {"name": name, "place": at, "value": int(values[at]), "least": least, "most": most}

    if values.size and int(values.min()) < least:
        yield from faults_at("below", FORM, np.flatnonzero(values < least), place)
    if values.size and int(values.max()) > most:
        yield from faults_at("above", FORM, np.flatnonzero(values > most), place)


def _orders(arrays: Arrays) -> Iterator[Fault]:
    for name, counted in (("start", "offer"), ("member_start", "member")):
        if name in arrays and counted in arrays:
            yield from _order(name, arrays[name], arrays[counted].size)
    if "member_start" in arrays and "member" in arrays:
        yield from _twice(arrays["member_start"], arrays["member"])


def _order(name: str, start: Whole, last: int) -> Iterator[Fault]:
    if start.size == 0 or (start[0], start[-1]) != (0, last):
        first, end = (int(start[0]), int(start[-1])) if start.size else (-1, -1)
        yield fault("ends", name=name, first=first, last=end, wanted=last)
    descends = np.flatnonzero(start[1:] < start[:-1]) + 1
    yield from faults_at("descends", FORM, descends, lambda at: {"name": name, "place": at})


def _twice(start: Whole, member: Whole) -> Iterator[Fault]:
    if any(_order("member_start", start, member.size)):
        return
    need = np.repeat(np.arange(start.size - 1), np.diff(start))
    order = np.lexsort((member, need))
    need, group = need[order], member[order]
    again = np.flatnonzero((need[1:] == need[:-1]) & (group[1:] == group[:-1]))
    yield from faults_at("twice", FORM, again, lambda at: {"need": int(need[at]), "group": int(group[at])})


def _meta(arrays: Arrays) -> Iterator[Fault]:
    try:
        if "meta" in arrays and not isinstance(json.loads(str(arrays["meta"])), dict):
            yield fault("meta", reason=str(arrays["meta"])[:80])
    except (ValueError, RecursionError) as error:
        yield fault("meta", reason=str(error)[:200] or type(error).__name__)


def faults_at(
    rule: str, texts: Mapping[str, str], at: NDArray[np.intp], place: Callable[[int], Place]
) -> Iterator[Fault]:
    """The fault at the places `at`, if there are any; `place` tells the numbers of one."""
    if at.size:
        yield Fault(rule, texts[rule], at.size, tuple(place(int(one)) for one in at[:SHOWN]))


def fault(rule: str, **place: int | float | str) -> Fault:
    return Fault(rule, FORM[rule], 1, (place,))
