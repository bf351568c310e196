"""The assignment instances of the OR-Library (J. E. Beasley, 1990), which are not ours to carry: `python -m tests.matching.orlib
FOLDER` plans each assign*.txt of a folder and tells its cost beside SciPy's optimum. Not equal: exit code 1.
"""

import json
import sys
from pathlib import Path

import numpy as np
from scipy.optimize import linear_sum_assignment

from matching.allocation import allocate
from matching.columns import Ints
from matching.graph import Graph, Problem, graph_of

MILLI = 1_000


def graph_for(cost: Ints) -> tuple[Graph, int]:
    """The instance as a board on which everybody is served, and the points that one unit at no cost is worth."""
    size, worth = len(cost), 10 * (int(cost.max()) + 1)
    need, offer = np.indices(cost.shape).reshape(2, -1)
    one, none = np.ones(size, np.int64), np.full(cost.size, -1)
    score = MILLI * (worth - cost.ravel())
    return graph_of(Problem(need, offer, score, none, one, one, np.zeros(0, np.int64))), worth


def costs(file: Path) -> Ints:
    """The size, then a row of costs for each item."""
    size, *values = (int(word) for word in file.read_text("ascii").split())
    return np.array(values, dtype=np.int64).reshape(size, size)


def main(folder: Path) -> int:
    """Plan every instance; 1 if a cost is not the optimum, or there is no instance."""
    wrong = 0
    files = sorted(folder.glob("assign*.txt"))
    for file in files:
        cost = costs(file)
        graph, worth = graph_for(cost)
        proof = allocate(graph, seed=1, gap=0.0).certificate
        found = len(cost) * worth - proof.objective // MILLI
        best = int(cost[linear_sum_assignment(cost)].sum())
        wrong += found != best
        print(json.dumps({"instance": file.stem, "cost": found, "optimum": best, "gap": proof.gap}))
    return int(wrong > 0 or not files)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
