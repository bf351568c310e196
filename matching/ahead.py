"""Compile the engine's loops before anybody waits for them: `python -m matching.ahead`, once after an update."""

from datetime import UTC, datetime, timedelta

import numpy as np

from matching.allocation import allocate
from matching.explain import explain
from matching.graph import Problem, graph_of
from matching.model import Category, Need, Offer, Policy
from matching.propose import propose
from matching.ranking import RULES
from matching.resume import Last

NEED, OFFER, SCORE, GROUP, ASKED, STOCK, LIMITS = (
    np.array(column, dtype=np.int64)
    for column in ([0, 0, 1], [0, 1, 0], [5, 4, 6], [-1, -1, -1], [2, 1], [1, 2], [])
)
TOWN, NOW = "445381100000", datetime(2024, 8, 20, tzinfo=UTC)
CATALOGUE = {"FAN": Category("FAN", "APP", "item", False)}


def main() -> None:
    """Plan and explain a few invented needs, with and without a household's limit, in want and in plenty."""
    needs = [
        Need(f"n{n}", f"home{n // 2}", TOWN, None, "FAN", 2, "normal", None, NOW - timedelta(days=n))
        for n in range(6)
    ]
    pairs = Problem(NEED, OFFER, SCORE, GROUP, ASKED, STOCK, LIMITS)
    graph = graph_of(pairs)
    allocate(graph, seed=1, last=Last(np.zeros(3, np.int32), allocate(graph, seed=1).prices))
    allocate(graph_of(pairs._replace(whole=ASKED > 1, bundle=np.zeros(2, np.int64))), seed=1)
    for limit, quantity in ((None, 1), (None, 50), (1, 5)):
        offers = [
            Offer(f"o{n}", "charity", "FAN", quantity, (TOWN,), TOWN, per_household_limit=limit)
            for n in range(3)
        ]
        propose(needs, offers, catalogue=CATALOGUE, policy=Policy(), model=RULES, now=NOW, seed=1)
        explain(needs[0], offers, catalogue=CATALOGUE, policy=Policy(), model=RULES, now=NOW)


if __name__ == "__main__":
    main()
