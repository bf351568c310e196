"""The allocation of an invented province against OR-Tools' min-cost flow, on the same edges in the same process."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
from ortools.graph.python.min_cost_flow import SimpleMinCostFlow

from matching.allocation import allocate
from matching.graph import Graph
from tests.bench.province import graph_of, look, points_of, province

BAR = 12


async def measure(needs: int) -> list[dict[str, Any]]:
    """Seconds of a plan within the certified gap, and how many times longer the flow takes."""
    allocate(_graph(1_000), seed=1)  # compiled before the clock starts
    graph = _graph(needs)
    start = time.perf_counter()
    proof = allocate(graph, seed=1).certificate
    ours = time.perf_counter() - start
    start = time.perf_counter()
    optimum = flow(graph)
    theirs = time.perf_counter() - start
    return [
        {
            "name": "allocation-1m" if needs == 1_000_000 else f"allocation-{needs // 1000}k",
            "value": round(ours, 3), "unit": "s", "against": f"SimpleMinCostFlow {theirs:.1f} s",
            "ratio": round(theirs / ours, 1), "bar": BAR, "met": theirs >= BAR * ours and proof.gap <= 1e-4,
            "gap": proof.gap, "edges": proof.edges, "of_optimum": proof.objective / optimum,
        }
    ]  # fmt: skip


def flow(graph: Graph) -> int:
    """The optimum by SimpleMinCostFlow: needs, offers, and a way past the offers for what stays unmet."""
    solver = SimpleMinCostFlow()
    needs, offers, size = graph.need_quantity.size, graph.offer_quantity.size, graph.offer.size
    sink = needs + offers
    own, given = np.arange(needs), needs + np.arange(offers)
    arcs = solver.add_arcs_with_capacity_and_unit_cost(
        np.concatenate([graph.need, given, own]),
        np.concatenate([needs + graph.offer, np.full(offers, sink), np.full(needs, sink)]),
        np.concatenate([graph.need_quantity[graph.need], graph.offer_quantity, graph.need_quantity]),
        np.concatenate([-graph.score, np.zeros(offers), np.zeros(needs)]).astype(np.int64),
    )
    solver.set_nodes_supplies(
        np.append(own, sink), np.append(graph.need_quantity, -int(graph.need_quantity.sum()))
    )
    if solver.solve() != solver.OPTIMAL:
        raise RuntimeError("the flow has no optimum; a feasible one always exists, so look at its arcs")
    return int(graph.score.astype(np.int64) @ solver.flows(arcs[:size]))


def _graph(needs: int) -> Graph:
    some = province(needs)
    best, _ = look(some, points_of(some))
    return graph_of(some, best)
