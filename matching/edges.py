"""Scored pairs as edges with their reasons, put together only for those that somebody looks at."""

from collections.abc import Iterator, Mapping
from functools import partial

import numpy as np

from matching.columns import Ints
from matching.model import Assignment, Edge
from matching.pool import Pool
from matching.ranking import TERMS
from matching.reasons import need_reasons, reasons
from matching.rules import Setting
from matching.scoring import Scored


class Edges:
    """The kept pairs by their place in `best`."""

    def __init__(self, base: Pool, best: Scored, setting: Setting) -> None:
        self.base, self.best, self.setting = base, best, setting

    def assignment(self, pair: int, quantity: int) -> Assignment:
        """`quantity` of this pair's offer to its need."""
        need, offer = self.best.pairs.need[pair], self.best.pairs.offer[pair]
        return Assignment(
            self.base.needs[need].id, self.base.offers[offer].id, quantity, partial(self.edge, pair)
        )

    def edge(self, pair: int) -> Edge:
        return self.some(np.array([pair]))[0]

    def some(self, index: Ints) -> list[Edge]:
        """The edges of these pairs, in the order of `index`."""
        return edges_of(self.base, self.best, index, self.setting)


class Alternatives(Mapping[str, tuple[Edge, ...]]):
    """For each need its best pairs that the plan does not use, best first, at most `policy.alternatives`."""

    def __init__(self, edges: Edges, quantity: Ints) -> None:
        pairs, score = edges.best.pairs, edges.best.score
        spare = np.flatnonzero(quantity == 0)
        self._edges = edges
        self._order = spare[np.lexsort((pairs.offer[spare], -score[spare], pairs.need[spare]))]
        need = pairs.need[self._order]
        starts = np.flatnonzero(np.diff(need, prepend=-1)).tolist()
        ends = [*starts[1:], need.size][: len(starts)]
        numbers = need[starts].tolist()
        self._places = {
            edges.base.needs[n].id: (start, end) for n, start, end in zip(numbers, starts, ends, strict=True)
        }

    def __getitem__(self, need_id: str) -> tuple[Edge, ...]:
        start, end = self._places[need_id]
        end = min(end, start + self._edges.setting.policy.alternatives)
        return tuple(self._edges.some(self._order[start:end]))

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)


def edges_of(base: Pool, best: Scored, index: Ints, setting: Setting) -> list[Edge]:
    """Kept pairs as edges with their reasons, in the order of `index`."""
    detail = best.parts(index)
    need, offer = best.pairs.need[index], best.pairs.offer[index]
    columns = (need, offer, best.pairs.factor[index], best.score[index], detail.metres, detail.parts)
    person = {n: need_reasons(base.needs[n], setting.policy, setting.now) for n in np.unique(need).tolist()}
    edges = []
    for n, o, factor, score, metres, parts in zip(*(c.tolist() for c in columns), strict=True):
        why = person[n] + reasons(base.needs[n], base.offers[o], factor, metres)
        points = tuple((name, part) for name, part in zip(TERMS, parts, strict=True) if part)
        edges.append(Edge(base.needs[n].id, base.offers[o].id, score, points, why))
    return edges
