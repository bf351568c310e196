"""The allocation of an invented province against OR-Tools' min-cost flow, on the same edges in the same process."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from concurrent.futures import ProcessPoolExecutor
from dataclasses import fields
from multiprocessing import get_context
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from numpy.typing import NDArray
from ortools.graph.python.min_cost_flow import SimpleMinCostFlow

from matching.allocation import allocate
from matching.graph import Graph
from matching.model import Certificate
from tests.bench.province import graph_of, look, points_of, province

BAR, BAR_SPLIT, BAR_MB = 12, 4, 900
PROCESSES, RUNS = 2, 3


async def measure(needs: int) -> list[dict[str, Any]]:
    """Seconds of a plan within the certified gap, how many times longer the flow takes, whole and split by category over
    two processes, and the memory that a process of its own needs for the plan.
    """
    allocate(graph_for(20_000)[0], seed=1)  # compiled before the clock starts
    graph, category = graph_for(needs)
    runs = [timed(graph) for _ in range(RUNS)]
    ours, proof = median(seconds for seconds, _ in runs), runs[0][1]
    megabytes = peak(graph)
    split = split_flow(graph, category)
    start = time.perf_counter()
    optimum = flow(graph)
    theirs = time.perf_counter() - start
    name = "allocation-1m" if needs == 1_000_000 else f"allocation-{needs // 1000}k"
    done = proof.gap <= 1e-4
    return [
        {
            "name": name, "value": round(ours, 3), "unit": "s", "against": f"SimpleMinCostFlow {theirs:.2f} s",
            "ratio": round(theirs / ours, 1), "bar": BAR, "met": done and theirs >= BAR * ours,
            "gap": proof.gap, "edges": proof.edges, "of_optimum": proof.objective / optimum,
        },
        {
            "name": f"{name}-split", "value": round(ours, 3), "unit": "s",
            "against": f"SimpleMinCostFlow by category over {PROCESSES} processes {split:.2f} s",
            "ratio": round(split / ours, 1), "bar": BAR_SPLIT, "met": done and split >= BAR_SPLIT * ours,
        },
        {
            "name": f"{name}-memory", "value": megabytes, "unit": "MB", "against": "a process that only plans, its peak",
            "ratio": round(megabytes / BAR_MB, 2), "bar": BAR_MB, "met": megabytes <= BAR_MB,
        },
    ]  # fmt: skip


def timed(graph: Graph) -> tuple[float, Certificate]:
    """Seconds of a plan, and its certificate."""
    start = time.perf_counter()
    proof = allocate(graph, seed=1).certificate
    return time.perf_counter() - start, proof


def graph_for(needs: int) -> tuple[Graph, NDArray[np.int64]]:
    """The invented province's edges, and the category of each need."""
    some = province(needs)
    best, _ = look(some, points_of(some))
    return graph_of(some, best), some.need_category


def peak(graph: Graph) -> int:
    """Megabytes that a process needs at most which reads the edges from a file and plans."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "graph.npz"
        np.savez(
            file,
            **{field.name: getattr(graph, field.name) for field in fields(Graph) if field.name != "shares"},
        )
        said = subprocess.run(
            [sys.executable, "-m", "tests.bench.allocation", str(file)], check=True, capture_output=True, text=True
        )  # fmt: skip
    return int(said.stdout)


def highest_kib() -> int:
    """This process's peak resident memory; getrusage would count what the starting process had when it forked."""
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0])


def split_flow(graph: Graph, category: NDArray[np.int64]) -> float:
    """Seconds of the flow by category, the largest first, over two processes: those of the process that takes longer."""
    parts = sorted(
        (part_of(graph, category == one) for one in np.unique(category)), key=lambda part: -part.score.size
    )
    busy: dict[int, float] = defaultdict(float)
    with ProcessPoolExecutor(PROCESSES, mp_context=get_context("spawn")) as pool:
        for process, seconds in pool.map(_timed_flow, parts):
            busy[process] += seconds
    return max(busy.values())


def _timed_flow(graph: Graph) -> tuple[int, float]:
    start = time.perf_counter()
    flow(graph)
    return os.getpid(), time.perf_counter() - start


def part_of(graph: Graph, needs: NDArray[np.bool_]) -> Graph:
    """The needs of a part with the offers that they may have, numbered anew; no other part may share an offer."""
    inside = needs[graph.need]
    offers, offer = np.unique(graph.offer[inside], return_inverse=True)
    start = np.append(0, np.cumsum(np.diff(graph.start)[needs]))
    quantities = (graph.need_quantity[needs], graph.offer_quantity[offers])
    none = np.zeros(0, np.int32)
    return Graph(
        start, offer.astype(np.int32), graph.score[inside], none, *quantities, none, np.zeros(0, np.int64)
    )


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


if __name__ == "__main__":
    with np.load(sys.argv[1]) as kept:
        read = Graph(**{name: kept[name] for name in kept.files})
    allocate(read, seed=1)
    print(highest_kib() // 1024)
