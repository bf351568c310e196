"""A challenger against the champion on decisions that neither learned from: ranking, discrimination, calibration,
overall and for each vulnerability.
"""

from dataclasses import dataclass

import numpy as np

from matching.columns import Floats, Ints
from matching.learning import Table

MIN_GOOD = 10
"""Fewer good pairs than this say nothing certain of a group."""
TOLERANCE = 0.01


@dataclass(frozen=True, slots=True)
class Bin:
    """Of `rows` decisions the mean predicted and the observed share of approval."""

    predicted: float
    seen: float
    rows: int


@dataclass(frozen=True, slots=True)
class Metrics:
    """`ndcg5` (1 best, mean over boards with a choice), `auc` (1 best) and `brier` (0 best); None where it can't be told."""

    rows: int
    good: int
    ndcg5: float | None
    auc: float | None
    brier: float
    calibration: tuple[Bin, ...]


@dataclass(frozen=True, slots=True)
class Group:
    """One vulnerability. `ahead_*`: how often a good pair of the group stands above a poor pair of anyone, which
    decides whether it is served; `worse`: under the challenger clearly less often.
    """

    code: str
    champion: Metrics
    challenger: Metrics
    ahead_champion: float
    ahead_challenger: float
    worse: bool


@dataclass(frozen=True, slots=True)
class Evaluation:
    """`worse_for`: groups that the challenger serves worse. `too_few`: those of which nothing certain can be said."""

    champion: Metrics
    challenger: Metrics
    groups: tuple[Group, ...]
    worse_for: tuple[str, ...]
    too_few: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """A model's scores of a table's rows, and the probabilities that they stand for."""

    score: Floats
    chance: Floats


def evaluate(table: Table, champion: Judged, challenger: Judged) -> Evaluation:
    """Compare two models on the rows of `table`, which must hold good and poor pairs for the groups to be judged."""
    codes = sorted({code for held in table.vulnerabilities for code in held})
    members = {code: _members(table, code) for code in codes}
    enough = [code for code in codes if table.positive[members[code]].sum() >= MIN_GOOD]
    if (table.positive == 0).sum() < MIN_GOOD:
        enough = []
    groups = tuple(_group(code, table, members[code], champion, challenger) for code in enough)
    return Evaluation(
        metrics(table, champion),
        metrics(table, challenger),
        groups,
        tuple(group.code for group in groups if group.worse),
        tuple(code for code in codes if code not in enough),
    )


def metrics(table: Table, judged: Judged, rows: Ints | None = None) -> Metrics:
    """The measures over some of the rows, or all."""
    rows = np.arange(len(table)) if rows is None else rows
    score, chance, good = judged.score[rows], judged.chance[rows], table.positive[rows]
    above = placement(score[good == 1], score[good == 0])
    return Metrics(
        int(rows.size),
        int(good.sum()),
        ndcg(score, table.gain[rows], table.board[rows]),
        round(float(above.mean()), 4) if above.size else None,
        round(float(np.mean((chance - good) ** 2)), 4) if rows.size else 0.0,
        calibration(chance, good),
    )


def placement(good: Floats, poor: Floats) -> Floats:
    """For each good score the share of poor scores below it, ties counting half; empty if there are no poor ones."""
    if not poor.size:
        return np.zeros(0)
    order = np.sort(poor)
    below = np.searchsorted(order, good, side="left") + np.searchsorted(order, good, side="right")
    return np.asarray(below / (2 * poor.size))


def ndcg(score: Floats, gain: Ints, board: Ints, most: int = 5) -> float | None:
    """The mean over boards whose rows differ in gain; None if there is none."""
    found = []
    order = np.argsort(board, kind="stable")
    for mine in np.split(order, np.flatnonzero(np.diff(board[order])) + 1):
        if len(set(gain[mine].tolist())) > 1:
            ranked = gain[mine][np.argsort(-score[mine], kind="stable")]
            found.append(_discounted(ranked[:most]) / _discounted(np.sort(gain[mine])[::-1][:most]))
    return round(float(np.mean(found)), 4) if found else None


def _discounted(gain: Ints) -> float:
    return float(np.sum(gain / np.log2(np.arange(2, gain.size + 2))))


def calibration(chance: Floats, good: Ints, bins: int = 10) -> tuple[Bin, ...]:
    """Tenths of the rows from the least to the most likely."""
    parts = np.array_split(np.argsort(chance, kind="stable"), bins)
    return tuple(_bin(chance[part], good[part]) for part in parts if part.size)


def _bin(chance: Floats, good: Ints) -> Bin:
    return Bin(round(float(chance.mean()), 4), round(float(good.mean()), 4), int(chance.size))


def _members(table: Table, code: str) -> Ints:
    return np.array([row for row, held in enumerate(table.vulnerabilities) if code in held], dtype=np.int64)


def _group(code: str, table: Table, rows: Ints, champion: Judged, challenger: Judged) -> Group:
    before, now = _ahead(table, rows, champion.score), _ahead(table, rows, challenger.score)
    fall = before - now
    noise = float(fall.std(ddof=1)) / float(np.sqrt(fall.size))
    return Group(
        code,
        metrics(table, champion, rows),
        metrics(table, challenger, rows),
        round(float(before.mean()), 4),
        round(float(now.mean()), 4),
        bool(fall.mean() > max(TOLERANCE, noise)),
    )


def _ahead(table: Table, rows: Ints, score: Floats) -> Floats:
    return placement(score[rows[table.positive[rows] == 1]], score[table.positive == 0])
