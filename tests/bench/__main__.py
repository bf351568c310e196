"""`python -m tests.bench [name]`."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable
from typing import Any

from shared import logs
from tests.bench import allocation, board, holding, intake, rounds, single, texts, workers
from tests.bench.running import embedded, full

BENCHES: dict[str, Callable[[], Awaitable[list[dict[str, Any]]]]] = {
    "memory": intake.measure_memory,
    "import": intake.measure_import,
    "texts": texts.measure,
    "round-1m": rounds.measure_round,
    "fairness-price": rounds.measure_fairness,
    "greedy": rounds.measure_greedy,
    "incremental": rounds.measure_incremental,
    "allocation-100k": lambda: allocation.measure(100_000),
    "allocation-1m": lambda: allocation.measure(1_000_000),
    "single-need": single.measure,
    "hold-back": holding.measure,
    "workers-2": workers.measure,
    "board-embedded": lambda: board.measure(embedded, "board-20-embedded"),
    "board-rabbitmq": lambda: board.measure(full, "board-20-rabbitmq"),
}


def main() -> None:
    """Run the named bench, or all of them; a figure is a line of JSON."""
    logs.configure("WARNING")
    wanted = sys.argv[1:] or list(BENCHES)
    if unknown := [name for name in wanted if name not in BENCHES]:
        raise SystemExit(f"no bench {', '.join(unknown)}; there are: {', '.join(BENCHES)}")
    for name in wanted:
        for figure in asyncio.run(_run(BENCHES[name])):
            print(json.dumps(figure, ensure_ascii=False), flush=True)


async def _run(bench: Callable[[], Awaitable[list[dict[str, Any]]]]) -> list[dict[str, Any]]:
    return await bench()


if __name__ == "__main__":
    main()
