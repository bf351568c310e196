"""An earlier plan by names, so that a later one over other needs and offers can go on from it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np

from matching.allocation import FINEST, Allocation
from matching.columns import Ints
from matching.graph import Graph
from matching.market import Small
from matching.proof import Prices
from matching.resume import Last

Name = TypeVar("Name", str, tuple[str, str])
Pair = tuple[str, str]


@dataclass(frozen=True, slots=True)
class LastPlan:
    """What an earlier plan gave and at which prices.

    `units` by (need id, offer id); `offers`: prices by the names that the graph's offers have; `groups`: prices of fairness by
    (code of town or class, family of categories). Prices are in 1/scale milli-points; what is not there cost the least it may.
    Raises ValueError for a scale below 1.
    """

    units: Mapping[Pair, int] = field(default_factory=dict)
    offers: Mapping[str, int] = field(default_factory=dict)
    groups: Mapping[Pair, int] = field(default_factory=dict)
    scale: int = 1

    def __post_init__(self) -> None:
        if self.scale < 1:
            raise ValueError(f"prices are in whole parts of a milli-point, not in 1/{self.scale}")


@dataclass(frozen=True, slots=True)
class Names:
    """What the numbers of a graph stand for: `needs`; `offers`, of which several may be parts of one, which `of` names for each;
    `groups` of fairness.
    """

    needs: Sequence[str]
    offers: Sequence[str]
    of: Sequence[str]
    groups: Sequence[Pair] = ()


def last_of(graph: Graph, plan: LastPlan, names: Names) -> Last:
    """The earlier plan in the numbers of this graph. What is gone is left out; an offer that is new costs its least, a group nothing.

    Prices that nothing here could be worth are cut, so that a plan of another board only costs time.
    """
    scale = min(plan.scale, FINEST)
    offers = np.minimum(_prices(plan.offers, names.offers), _most(graph) * scale)
    groups = _prices(plan.groups, names.groups)
    if graph.shares is not None:
        groups = np.minimum(groups, graph.shares.first(scale))
    limits = np.zeros(graph.group_limit.size, np.int64)
    return Last(
        _units(graph, plan, names), Prices(np.maximum(offers, graph.least * scale), limits, groups, scale)
    )


def _most(graph: Graph) -> Ints:
    """The most that a unit of each offer may be worth to anybody, in milli-points."""
    worth = graph.score.astype(np.int64)
    if graph.shares is not None:
        worth += graph.shares.bonus(graph.shares.first(1))[graph.need]
    most = np.zeros(graph.offer_quantity.size, np.int64)
    np.maximum.at(most, graph.offer, worth)
    return most


def kept(graph: Graph, found: Allocation, names: Names) -> LastPlan:
    """The plan by names: the units of a pair added up, and the prices above the least."""
    edges = np.flatnonzero(found.quantity)
    units: dict[Pair, int] = {}
    for need, offer, quantity in zip(
        graph.need[edges].tolist(), graph.offer[edges].tolist(), found.quantity[edges].tolist(), strict=True
    ):
        pair = names.needs[need], names.of[offer]
        units[pair] = units.get(pair, 0) + quantity
    price, scale = found.prices, found.prices.scale
    dear = np.flatnonzero(price.offer > graph.least * scale).tolist()
    paid = np.flatnonzero(price.share > 0).tolist()
    return LastPlan(
        units,
        {names.offers[offer]: int(price.offer[offer]) for offer in dear},
        {names.groups[group]: int(price.share[group]) for group in paid},
        scale,
    )


def _prices(known: Mapping[Name, int], names: Sequence[Name]) -> Ints:
    return np.array([min(max(0, known.get(name, 0)), FINEST) for name in names], dtype=np.int64)


def _units(graph: Graph, plan: LastPlan, names: Names) -> Small:
    """The units of each edge. Those of a pair that has several edges fill the first as far as its part of the offer goes."""
    need, of = _numbers(names.needs), _numbers(names.of)
    rows = [
        (need[n] * len(of) + of[o], min(units, FINEST))
        for (n, o), units in plan.units.items()
        if n in need and o in of and units > 0
    ]
    held = np.array(sorted(rows), dtype=np.int64).reshape(-1, 2)
    whose = np.array([of[name] for name in names.of], dtype=np.int64)
    key = graph.need * len(of) + whose[graph.offer]
    place = np.searchsorted(held[:, 0], key)
    known = np.flatnonzero(np.append(held[:, 0], -1)[place] == key)
    left = held[place[known], 1] - _before(key[known], graph.offer_quantity[graph.offer[known]])
    units = np.zeros(graph.score.size, np.int32)
    units[known] = np.clip(left, 0, graph.offer_quantity[graph.offer[known]])
    return units


def _before(key: Ints, room: Small) -> Ints:
    """What the earlier edges of the same pair have room for."""
    order = np.argsort(key, kind="stable")
    total = np.cumsum(room[order], dtype=np.int64) - room[order]
    first = np.searchsorted(key[order], key[order])
    found = np.empty_like(total)
    found[order] = total - total[first]
    return found


def _numbers(names: Sequence[str]) -> dict[str, int]:
    return {name: number for number, name in enumerate(dict.fromkeys(names))}
