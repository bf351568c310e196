"""The compiled sums are the model's own."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from matching.features import NAMES
from matching.ranking import AdditiveModel
from matching.scoring import heights
from matching.worth import worth_of
from tests.matching.test_ranking import MODELS


@given(MODELS, st.lists(st.floats(0, 120), max_size=8))
@settings(max_examples=60, deadline=None)
def test_heights_are_the_contributions_of_those_features(model: AdditiveModel, values: list[float]) -> None:
    table = np.repeat(np.array(values, dtype=np.float64)[:, None], len(NAMES), axis=1)
    every = heights(worth_of(model), np.arange(len(NAMES)), table)
    assert np.array_equal(every, model.contributions(table)[:, 1:])
    some = np.array([3, 8])
    assert np.array_equal(heights(worth_of(model), some, table[:, :2].copy()), every[:, some])
