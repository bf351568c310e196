"""A whole round over an invented province, what fairness costs, and greedy beside the plan."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from dataclasses import dataclass, replace
from math import log
from typing import Any

import numpy as np
from numpy.typing import NDArray

from matching.allocation import Allocation, allocate
from matching.columns import Ints
from matching.compiled import compiled
from matching.features import NAMES, matrix, offer_points
from matching.graph import Graph, worth
from matching.market import Small
from matching.pool import Pairs
from matching.ranking import RULES
from matching.resume import Last
from matching.shares import Shares
from tests.bench.allocation import highest_kib
from tests.bench.province import Province, graph_of, look, points_of, province, setting

SMALL, LARGE = 10_000, 1_000_000
BAR_S, BAR_GIB, BAR_EXPONENT = 30, 4, 1.1
TOWN_POINTS, CLASS_POINTS = 10_000, 5_000


@dataclass(frozen=True, slots=True)
class Round:
    """Seconds of each part, and what came of it."""

    seconds: dict[str, float]
    found: Allocation
    graph: Graph
    changed: int

    @property
    def whole(self) -> float:
        """All parts."""
        return sum(self.seconds.values())


def shares_of(some: Province, scale: float = 1.0) -> Shares:
    """Towns and classes within each category; the class is the highest bit held. `scale` multiplies the rule's points."""
    holds = some.needs.holds.astype(np.int64)
    highest = np.where(holds > 0, np.floor(np.log2(np.maximum(1, holds))), -1).astype(np.int64)
    keys = (some.needs.area // 1_000 * 100 + some.need_category, highest * 100 + some.need_category)
    member, points, size = [], [], 0
    for key, worth_ in zip(keys, (TOWN_POINTS, CLASS_POINTS), strict=True):
        codes, which = np.unique(key, return_inverse=True)
        member.append(which + size)
        points.append(np.full(codes.size, round(worth_ * scale)))
        size += codes.size
    groups = np.column_stack(member).astype(np.int32)
    open_ = np.zeros(size, np.int64)
    for kind in range(groups.shape[1]):
        np.add.at(open_, groups[:, kind], some.needs.quantity)
    return Shares(groups, open_, np.concatenate(points))


def round_of(some: Province, last: Small | None = None) -> Round:
    """Candidates, scores with their contributions, the fair plan, and the difference from a `last` one."""
    seconds: dict[str, float] = {}

    def took(name: str, since: float) -> float:
        seconds[name] = time.perf_counter() - since
        return time.perf_counter()

    at = time.perf_counter()
    best, _ = look(some, points_of(some))
    graph = replace(graph_of(some, best), shares=shares_of(some))
    at = took("candidates and scores", at)
    found = allocate(graph, seed=1)
    at = took("fair allocation", at)
    contributions(some, graph, found)
    at = took("contributions", at)
    changed = int((found.quantity != (np.zeros_like(found.quantity) if last is None else last)).sum())
    took("difference", at)
    return Round(seconds, found, graph, changed)


def contributions(some: Province, graph: Graph, found: Allocation) -> Ints:
    """What the scores of all assigned pairs are made of, fairness included; each row sums to the score. Raises if not."""
    used = np.flatnonzero(found.quantity)
    pairs = Pairs(graph.need[used], graph.offer[used].astype(np.int64), np.full(used.size, 1_000))
    table, _ = matrix(
        some.needs, some.offers, pairs, some.points, offer_points(some.offers, setting()), setting()
    )
    parts = RULES.contributions(table)
    fairness = 1 + NAMES.index("fairness")
    parts[:, fairness] = 0
    if (parts.sum(axis=1) != graph.score[used]).any():
        raise RuntimeError("a score is not the sum of its contributions")
    parts[:, fairness] = found.bonus(graph)[pairs.need]
    return parts


async def measure_round() -> list[dict[str, Any]]:
    """The whole round at 10,000 and 1,000,000 needs, in processes of their own."""
    small, large = (_apart(needs) for needs in (SMALL, LARGE))
    exponent = log(large["seconds"] / small["seconds"]) / log(LARGE / SMALL)
    return [
        _figure("round-1m", large["seconds"], "s", BAR_S, {"parts": large["parts"], "gap": large["gap"]}),
        _figure("round-1m-memory", large["gib"], "GiB", BAR_GIB, {}),
        _figure("round-1m-growth", exponent, "exponent", BAR_EXPONENT, {"at_10k": small["seconds"]}),
    ]


def _figure(name: str, value: float, unit: str, bar: float, more: dict[str, Any]) -> dict[str, Any]:
    figure = {"name": name, "value": round(value, 3), "unit": unit, "against": f"bar {bar} {unit}"}
    return figure | {"ratio": round(value / bar, 3), "bar": bar, "met": value <= bar} | more


def _apart(needs: int) -> dict[str, Any]:
    said = subprocess.run(
        [sys.executable, "-m", "tests.bench.rounds", str(needs)], check=True, capture_output=True, text=True
    )
    return dict(json.loads(said.stdout))


async def measure_fairness() -> list[dict[str, Any]]:
    """The plan of 100,000 needs with and without the rule of fairness, at once, three and ten times its points."""
    some = province(100_000)
    best, _ = look(some, points_of(some))
    graph = graph_of(some, best)
    plain = allocate(graph, seed=1)
    towns = _towns(some)
    figures = []
    for times in (1, 3, 10):
        fair = allocate(replace(graph, shares=shares_of(some, times)), seed=1)
        given_up = 1 - fair.worth.scored / plain.worth.scored
        figures.append(
            {
                "name": "fairness-price", "value": round(given_up, 6), "unit": "share of the scores given up",
                "against": f"no rule; towns {TOWN_POINTS * times // 1000}, classes {CLASS_POINTS * times // 1000} points",
                "ratio": fair.worth.scored / plain.worth.scored, "bar": None, "met": None, "gap": fair.certificate.gap,
                "scored_with": fair.worth.scored, "scored_without": plain.worth.scored,
                "town_share_without": _spread(graph, plain, towns), "town_share_with": _spread(graph, fair, towns),
            }
        )  # fmt: skip
    return figures


def _towns(some: Province) -> NDArray[np.int64]:
    return np.unique(some.needs.area // 1_000, return_inverse=True)[1]


def _spread(graph: Graph, found: Allocation, towns: NDArray[np.int64]) -> dict[str, float]:
    """The share of units met in the worst town, the worst twentieth, and the median one."""
    _, met, _ = worth(graph, found.quantity)
    share = np.bincount(towns, weights=met) / np.bincount(towns, weights=graph.need_quantity)
    low, twentieth, middle = np.percentile(share, [0, 5, 50])
    return {"worst": round(low, 4), "p5": round(twentieth, 4), "median": round(middle, 4)}


async def measure_greedy() -> list[dict[str, Any]]:
    """The plan's objective against the best pair first, in want and in plenty, at three sizes."""
    figures = []
    for needs in (1_000, 10_000, 100_000):
        some = province(needs)
        best, _ = look(some, points_of(some))
        graph = graph_of(some, best)
        for name, times in (("want", 1), ("plenty", 4)):
            figures.append(
                _against_greedy(replace(graph, offer_quantity=graph.offer_quantity * times), needs, name)
            )
    return figures


def _against_greedy(graph: Graph, needs: int, name: str) -> dict[str, Any]:
    order = np.argsort(-graph.score, kind="stable")
    theirs = greedy(
        order,
        graph.need.astype(np.int64),
        graph.offer,
        graph.score,
        graph.need_quantity.copy(),
        graph.offer_quantity.copy(),
    )
    ours = allocate(graph, seed=1).certificate.objective
    return {
        "name": "greedy", "value": ours, "unit": "milli-points", "against": f"greedy {theirs}, {needs} needs, {name}",
        "ratio": round(ours / theirs, 5), "bar": 1, "met": ours >= theirs,
    }  # fmt: skip


@compiled
def greedy(order: Ints, need: Ints, offer: Small, score: Small, lacks: Small, left: Small) -> int:
    """The best pair first, as much as fits: milli-points."""
    total = 0
    for edge in order:
        units = min(lacks[need[edge]], left[offer[edge]])
        lacks[need[edge]] -= units
        left[offer[edge]] -= units
        total += np.int64(score[edge]) * units
    return total


async def measure_incremental() -> list[dict[str, Any]]:
    """Seconds to go on from the last plan after five needs and three offers changed, against planning anew."""
    figures = []
    for needs in (100_000, LARGE):
        some = province(needs)
        best, _ = look(some, points_of(some))
        graph = graph_of(some, best)
        before = allocate(graph, seed=1)
        changed, last = _changed(graph), Last(before.quantity, before.prices)
        allocate(changed, seed=1, last=last)  # compiled before the clock starts
        (ours, after), (theirs, fresh) = _timed(changed, last), _timed(changed, None)
        proof, other = after.certificate, fresh.certificate
        figures.append(
            {
                "name": "incremental", "value": round(ours, 3), "unit": "s",
                "against": f"a fresh plan {theirs:.3f} s, {needs} needs", "ratio": round(theirs / ours, 2), "bar": None,
                "met": None, "gap": proof.gap, "of_fresh": proof.objective / other.objective,
                "moved": int((after.quantity != before.quantity).sum()),
                "moved_by_fresh": int((fresh.quantity != before.quantity).sum()),
            }
        )  # fmt: skip
    return figures


def _changed(graph: Graph) -> Graph:
    rng = np.random.default_rng(1)
    quantity, stock = graph.need_quantity.copy(), graph.offer_quantity.copy()
    quantity[rng.choice(quantity.size, 5)] += 1
    stock[rng.choice(stock.size, 3)] += 1
    return replace(graph, need_quantity=quantity, offer_quantity=stock)


def _timed(graph: Graph, last: Last | None) -> tuple[float, Allocation]:
    start = time.perf_counter()
    found = allocate(graph, seed=1, last=last)
    return time.perf_counter() - start, found


def main(needs: int) -> None:
    """One round in this process: what it took."""
    warm = province(2_000)
    round_of(warm)
    some = province(needs)
    first = round_of(some)
    again = round_of(some, first.found.quantity)
    if again.changed:
        raise RuntimeError("the same round gave another plan")
    parts = {name: round(value, 3) for name, value in again.seconds.items()}
    gib = highest_kib() / 2**20
    print(
        json.dumps({"seconds": again.whole, "parts": parts, "gap": again.found.certificate.gap, "gib": gib})
    )


if __name__ == "__main__":
    main(int(sys.argv[1]))
