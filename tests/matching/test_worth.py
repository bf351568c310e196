"""What a compiled loop gives a value is what the model's own contributions say."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from matching.features import NAMES
from matching.ranking import AdditiveModel
from matching.worth import highest, worth, worth_of
from tests.matching.test_ranking import MODELS

VALUES = st.lists(st.floats(0, 120), min_size=1, max_size=8)


@given(MODELS, VALUES)
@settings(max_examples=60, deadline=None)
def test_each_part_is_the_same_whole_number(model: AdditiveModel, values: list[float]) -> None:
    table, rows = worth_of(model), np.repeat(np.array(values)[:, None], len(NAMES), axis=1)
    parts = model.contributions(rows)[:, 1:]
    assert [[worth(table, f, v) for f in range(len(NAMES))] for v in values] == parts.tolist()


@given(MODELS, st.floats(0, 1))
@settings(max_examples=60, deadline=None)
def test_nothing_between_0_and_1_is_worth_more_than_the_highest(model: AdditiveModel, value: float) -> None:
    table = worth_of(model)
    assert all(worth(table, f, value) <= highest(table, f) for f in range(len(NAMES)))
