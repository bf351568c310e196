"""A fitted model finds what decisions went by, and its shapes are what scikit-learn's own model says."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matching.features import NAMES
from matching.training import FLAT, LEAST, OneSided, _knots, basis, fit, likelihood, logistic
from tests.matching.deciding import features, odds, table


@given(st.integers(0, 10_000), st.integers(2, 9), st.sampled_from([0.05, 1.0, 30.0]))
@settings(max_examples=15, deadline=None)
def test_the_shapes_are_the_models_own_decisions_to_rounding(seed: int, knots: int, strength: float) -> None:
    learned = table(150, seed)
    fitted = fit(learned, knots=knots, strength=strength)
    unseen = features(60, seed + 1) * 1.5 - 0.2  # some beyond all that was learned from
    places = [_knots(column, knots) for column in learned.features.T]
    model = logistic(basis(learned.features, places), learned, strength)
    clamped = np.clip(unseen, learned.features.min(axis=0), learned.features.max(axis=0))
    wanted = 1000 * model.decision_function(basis_at(clamped, places))
    parts = fitted.model.contributions(np.clip(unseen, clamped - 1, clamped + 1))
    assert np.abs(parts.sum(axis=1) - fitted.lift - wanted).max() <= len(NAMES) + 1


def basis_at(matrix: np.ndarray, places: list[np.ndarray]) -> np.ndarray:
    """Hats by interpolation, apart from the code under test."""
    hats = [
        np.interp(column, at, np.eye(at.size)[k])
        for column, at in zip(matrix.T, places, strict=True)
        for k in range(at.size)
    ]
    return np.column_stack(hats)


@given(st.integers(0, 10_000))
@settings(max_examples=10, deadline=None)
def test_no_part_is_negative_and_every_pair_scores_above_zero(seed: int) -> None:
    parts = fit(table(120, seed)).model.contributions(features(80, seed + 1) * 3)
    assert parts.min() >= 0
    assert parts.sum(axis=1).min() >= LEAST


def test_planted_habits_are_found() -> None:
    fitted = fit(table())
    shapes = dict(zip(NAMES, fitted.model.shapes, strict=True))
    at, up = zip(*shapes["vulnerability"][1:-1], strict=True)
    assert np.interp(60, at, up) - np.interp(20, at, up) == pytest.approx(4_000, rel=0.25)
    assert abs(np.interp(100, at, up) - np.interp(65, at, up)) < 900  # levels off where the habit does
    assert shapes["distance"][-1][1] - shapes["distance"][0][1] == pytest.approx(4_000, rel=0.25)
    assert max(y for _, y in shapes["condition"]) < 1_000
    unseen = features(500, 77)
    score = fitted.model.contributions(unseen).sum(axis=1)
    assert np.corrcoef(score, odds(unseen))[0, 1] > 0.95


def test_a_feature_that_never_differs_counts_nothing() -> None:
    learned = table(200)
    learned.features[:, NAMES.index("due")] = 0.3
    assert fit(learned).model.shapes[NAMES.index("due")] == FLAT


def test_what_counts_more_weighs_more() -> None:
    learned = table(400)
    trusting = replace(learned, weight=np.where(learned.positive == 1, 1.0, 0.1))
    assert fit(trusting).lift < fit(learned).lift


def test_decisions_that_are_all_alike_teach_nothing() -> None:
    learned = table(50)
    with pytest.raises(OneSided, match="declined"):
        fit(replace(learned, positive=np.ones_like(learned.positive)))


def test_a_likelihood_rises_with_the_score_whatever_its_scale() -> None:
    learned = table(400)
    score = odds(learned.features)
    plain, stretched = (
        likelihood(score, learned, score),
        likelihood(9_000 * score + 5, learned, 9_000 * score + 5),
    )
    assert plain == pytest.approx(stretched, abs=1e-4)
    assert (np.diff(plain[np.argsort(score)]) >= 0).all()
    assert plain.mean() == pytest.approx(learned.positive.mean(), abs=0.01)


def test_equal_scores_are_all_as_likely_as_the_rest() -> None:
    learned = table(100)
    assert likelihood(np.ones(100), learned, np.ones(3)) == pytest.approx(learned.positive.mean(), abs=0.01)
