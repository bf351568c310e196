"""A score is the sum of its parts, and a model survives being written down."""

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from matching.columns import Floats
from matching.features import NAMES
from matching.ranking import RULES, TERMS, AdditiveModel

FEATURES = arrays(np.float64, (3, len(NAMES)), elements=st.floats(0, 100))


@given(FEATURES)
def test_parts_are_whole_and_each_is_weight_times_feature(features: Floats) -> None:
    parts = RULES.contributions(features)
    assert parts.shape == (3, len(TERMS))
    assert parts.dtype == np.int64
    assert (parts[:, 0] == RULES.intercept).all()
    assert np.abs(parts[:, 1:] - features * np.array(RULES.weights)).max() <= 0.5


@given(FEATURES)
def test_the_rules_never_score_a_possible_pair_at_nothing(features: Floats) -> None:
    assert (RULES.contributions(features).sum(axis=1) >= RULES.intercept).all()
    assert RULES.intercept > 0


def test_a_model_survives_being_written_down() -> None:
    model = replace(RULES, name="ours", intercept=-7)
    assert AdditiveModel.from_dict(json.loads(json.dumps(model.to_dict()))) == model


def test_a_model_of_other_features_is_refused() -> None:
    data = RULES.to_dict()
    del data["weights"]["waiting"]
    with pytest.raises(ValueError, match="waiting"):
        AdditiveModel.from_dict(data)
