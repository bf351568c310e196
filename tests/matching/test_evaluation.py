"""The measures are the known ones, and a group that loses is named."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.metrics import ndcg_score, roc_auc_score

from matching.columns import Floats
from matching.evaluation import Judged, calibration, evaluate, metrics, ndcg, placement
from matching.learning import Table
from tests.matching.deciding import GROUPS, odds, table

SCORES = arrays(np.float64, 30, elements=st.integers(-5, 5).map(float))


def judged(score: Floats) -> Judged:
    return Judged(score, 1 / (1 + np.exp(-score)))


@given(SCORES, arrays(np.int64, 30, elements=st.integers(0, 1)))
def test_placements_mean_the_area_under_the_curve(score: Floats, good: np.ndarray) -> None:
    if 0 < good.sum() < good.size:
        found = placement(score[good == 1], score[good == 0])
        assert found.mean() == pytest.approx(roc_auc_score(good, score))


@given(
    arrays(np.float64, 12, elements=st.floats(-9, 9), unique=True),
    arrays(np.int64, 12, elements=st.integers(0, 3)),
)
def test_one_boards_ranking_is_judged_as_usual(score: Floats, gain: np.ndarray) -> None:
    found = ndcg(score, gain, np.zeros(12, np.int64))
    if len(set(gain.tolist())) > 1:
        assert found == pytest.approx(ndcg_score([gain], [score], k=5), abs=1e-4)
    else:
        assert found is None


def test_boards_are_judged_apart() -> None:
    gain, board = np.array([1, 0, 0, 1]), np.array([7, 7, 9, 9])
    assert ndcg(np.array([2.0, 1.0, 1.0, 2.0]), gain, board) == 1.0
    assert ndcg(np.array([2.0, 1.0, 2.0, 1.0]), gain, board) == pytest.approx(
        (1 + 1 / np.log2(3)) / 2, abs=1e-4
    )


def test_calibration_is_told_by_tenths() -> None:
    chance = np.linspace(0.05, 0.95, 100)
    bins = calibration(chance, (chance > 0.5).astype(np.int64))
    assert [one.rows for one in bins] == [10] * 10
    assert [one.seen for one in bins] == [0.0] * 5 + [1.0] * 5
    assert [one.predicted for one in bins] == sorted(one.predicted for one in bins)


def test_a_better_model_measures_better() -> None:
    decided = table(600)
    good, poor = metrics(decided, judged(odds(decided.features))), metrics(decided, judged(np.zeros(600)))
    assert good.auc is not None and good.ndcg5 is not None and poor.ndcg5 is not None
    assert good.auc > 0.8 and poor.auc == 0.5
    assert good.ndcg5 > poor.ndcg5
    assert good.brier < poor.brier == 0.25


def test_the_group_that_is_pushed_back_is_named_and_no_other() -> None:
    decided = table(900)
    fair = odds(decided.features)
    pushed = fair - 1.5 * np.array(["ORPHAN" in held for held in decided.vulnerabilities])
    result = evaluate(decided, judged(fair), judged(pushed))
    assert result.worse_for == ("ORPHAN",)
    assert {group.code for group in result.groups} == set(GROUPS)
    orphans = next(group for group in result.groups if group.code == "ORPHAN")
    assert orphans.ahead_challenger < orphans.ahead_champion - 0.1
    assert evaluate(decided, judged(fair), judged(fair)).worse_for == ()


def test_small_groups_are_not_judged_but_named() -> None:
    decided = table(60)
    held = (("HOMELESS",), *decided.vulnerabilities[1:])
    few = Table(
        decided.features, decided.positive, decided.weight, decided.gain, decided.at, decided.board, held
    )
    result = evaluate(few, judged(odds(few.features)), judged(np.zeros(60)))
    assert "HOMELESS" in result.too_few
    assert "HOMELESS" not in {group.code for group in result.groups}


def test_without_poor_pairs_no_group_is_judged() -> None:
    decided = table(60)
    every = Table(
        decided.features, np.ones(60, np.int64), decided.weight, decided.gain, decided.at, decided.board,
        decided.vulnerabilities,
    )  # fmt: skip
    result = evaluate(every, judged(np.zeros(60)), judged(np.zeros(60)))
    assert (result.groups, result.challenger.auc) == ((), None)
