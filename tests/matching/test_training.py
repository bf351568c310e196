"""A fitted model finds what decisions went by, in milli-points."""

import numpy as np
import pytest

from matching.columns import Floats, Ints
from matching.features import NAMES
from matching.training import OneSided, fit


def decisions(rows: int = 600) -> tuple[Floats, Ints]:
    rng = np.random.default_rng(5)
    matrix = rng.random((rows, len(NAMES)))
    matrix[:, NAMES.index("vulnerability")] *= 100
    odds = 0.08 * (matrix[:, NAMES.index("vulnerability")] - 50) - 3 * (
        matrix[:, NAMES.index("distance")] - 0.5
    )
    return matrix, (rng.random(rows) < 1 / (1 + np.exp(-odds))).astype(np.int64)


def test_the_weights_point_where_the_decisions_did() -> None:
    matrix, approved = decisions()
    model = fit(matrix, approved)
    weights = {name: shape[-1][1] for name, shape in zip(NAMES, model.shapes, strict=True)}
    assert 50 < weights["vulnerability"] < 120
    assert -4_500 < weights["distance"] < -1_500
    score = model.contributions(matrix).sum(axis=1)
    assert score[approved == 1].mean() > score[approved == 0].mean() + 1_000


def test_decisions_that_are_all_alike_teach_nothing() -> None:
    matrix, _ = decisions(10)
    with pytest.raises(OneSided, match="declined"):
        fit(matrix, np.ones(10, np.int64))


def test_a_matrix_of_other_features_is_refused() -> None:
    with pytest.raises(ValueError, match="vulnerability"):
        fit(np.zeros((4, 2)), np.array([0, 1, 0, 1]))
