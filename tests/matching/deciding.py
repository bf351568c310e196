"""Invented decisions: what a coordinator with known habits would have said, from a seed."""

from datetime import datetime, timedelta

import numpy as np

from matching.columns import CHINA, Floats
from matching.features import NAMES
from matching.learning import Decision, Table, table_of

START = datetime(2024, 1, 1, 9, 0, tzinfo=CHINA)
NOW = START + timedelta(days=365)
GROUPS = ("DIBAO", "ORPHAN", "ELD_ALONE")


def features(rows: int, seed: int = 5) -> Floats:
    """Uniform features in the ranges that the policy gives them."""
    most = np.array([102, 40, 20, 1, 10, 1, 1, 1, 1, 1, 1, 1, 1])
    matrix = np.random.default_rng(seed).random((rows, len(NAMES))) * most
    matrix[:, NAMES.index("designation")] = matrix[:, NAMES.index("designation")] > 0.9
    return np.asarray(matrix)


def odds(matrix: Floats) -> Floats:
    """The habit: the poorer the household the better, up to 60 points; near is good; a used thing is as good as new."""
    vulnerability, distance = matrix[:, NAMES.index("vulnerability")], matrix[:, NAMES.index("distance")]
    return np.asarray(0.1 * (np.minimum(vulnerability, 60) - 40) + 4 * (distance - 0.5))


def decisions(rows: int = 1_200, seed: int = 5) -> list[Decision]:
    """One every few hours, evenly over a year; each household in one of `GROUPS`, by turns."""
    rng, matrix = np.random.default_rng(seed + 1), features(rows, seed)
    approved = rng.random(rows) < 1 / (1 + np.exp(-odds(matrix)))
    step = timedelta(days=360) / rows
    return [
        Decision(
            at=START + n * step,
            approved=bool(approved[n]),
            features=tuple(matrix[n].tolist()),
            board=f"week {n // 20}",
            vulnerabilities=(GROUPS[n % len(GROUPS)],),
            reason="" if approved[n] else "not_suitable",
        )
        for n in range(rows)
    ]


def table(rows: int = 1_200, seed: int = 5) -> Table:
    return table_of(decisions(rows, seed), NOW)
