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
from matching.ranking import RULES, TERMS, AdditiveModel, Shape, height

FEATURES = arrays(np.float64, (3, len(NAMES)), elements=st.floats(0, 100))
POINTS = st.integers(-50_000, 50_000)
AT = st.integers(0, 1_000).map(lambda n: n / 10)
SHAPES = st.lists(st.tuples(AT, POINTS), min_size=2, max_size=6, unique_by=lambda knot: knot[0]).map(
    lambda knots: tuple(sorted(knots))
)
MODELS = st.builds(
    AdditiveModel,
    st.just("some"),
    POINTS,
    st.lists(SHAPES, min_size=len(NAMES), max_size=len(NAMES)).map(tuple),
)


@given(MODELS, FEATURES)
def test_parts_are_whole_and_each_is_what_its_shape_says(model: AdditiveModel, features: Floats) -> None:
    parts = model.contributions(features)
    assert parts.shape == (3, len(TERMS))
    assert parts.dtype == np.int64
    assert (parts[:, 0] == model.intercept).all()
    for column, shape in enumerate(model.shapes):
        assert np.abs(parts[:, 1 + column] - height(shape, features[:, column])).max() <= 0.5


@given(SHAPES)
def test_a_shape_passes_through_its_knots(shape: Shape) -> None:
    at = np.array([x for x, _ in shape])
    assert height(shape, at) == pytest.approx([y for _, y in shape], abs=1e-6)


def test_a_shape_is_straight_between_and_beyond_its_knots() -> None:
    shape = ((1.0, 0), (2.0, 10), (4.0, -10))
    assert height(shape, np.array([0.0, 1.5, 3.0, 5.0])).tolist() == [-10.0, 5.0, 0.0, -20.0]


@given(FEATURES)
def test_the_rules_are_weights(features: Floats) -> None:
    weights = np.array([shape[-1][1] for shape in RULES.shapes])
    assert (RULES.contributions(features)[:, 1:] == np.rint(features * weights)).all()


@given(FEATURES)
def test_the_rules_never_score_a_possible_pair_at_nothing(features: Floats) -> None:
    assert (RULES.contributions(features).sum(axis=1) >= RULES.intercept).all()
    assert RULES.intercept > 0


@given(MODELS)
def test_a_model_survives_being_written_down(model: AdditiveModel) -> None:
    assert AdditiveModel.from_dict(json.loads(json.dumps(model.to_dict()))) == model


def test_a_model_written_as_weights_is_read() -> None:
    weights = {name: number for number, name in enumerate(NAMES)}
    data = {"name": "old", "intercept": 5, "weights": weights}
    assert AdditiveModel.from_dict(data) == AdditiveModel.linear("old", 5, range(len(NAMES)))


def test_a_model_of_other_features_is_refused() -> None:
    data = RULES.to_dict()
    del data["shapes"]["waiting"]
    with pytest.raises(ValueError, match="waiting"):
        AdditiveModel.from_dict(data)


@pytest.mark.parametrize(
    "shape",
    [((0.0, 1),), ((0.0, 1), (0.0, 2)), ((1.0, 1), (0.0, 2)), ((0.0, 1), (float("inf"), 2))],
    ids=["one knot", "twice the same", "falling", "endless"],
)
def test_a_shape_that_says_nothing_certain_is_refused(shape: Shape) -> None:
    with pytest.raises(ValueError, match="vulnerability"):
        replace(RULES, shapes=(shape, *RULES.shapes[1:]))


def test_a_model_with_a_shape_too_few_is_refused() -> None:
    with pytest.raises(ValueError, match="12 shapes"):
        replace(RULES, shapes=RULES.shapes[1:])
