"""A model's shapes as tables for compiled loops; the same sums as `AdditiveModel.contributions`, one number at a time."""

from typing import NamedTuple

import numpy as np

from matching.columns import Floats, Ints
from matching.compiled import compiled, inlined
from matching.features import NAMES
from matching.ranking import AdditiveModel


class Worth(NamedTuple):
    """Knots of each feature in the order of `features.NAMES`, padded; `size` says how many count."""

    at: Floats
    up: Floats
    size: Ints


CATEGORY, AREA, DISTANCE, QUANTITY = (
    NAMES.index(name) for name in ("category", "area", "distance", "quantity")
)


def worth_of(model: AdditiveModel) -> Worth:
    """The model's shapes, side by side."""
    width = max(len(shape) for shape in model.shapes)
    at, up = np.zeros((len(NAMES), width)), np.zeros((len(NAMES), width))
    for row, shape in enumerate(model.shapes):
        at[row, : len(shape)], up[row, : len(shape)] = zip(*shape, strict=True)
    return Worth(at, up, np.array([len(shape) for shape in model.shapes]))


@inlined
def worth(w: Worth, feature: int, value: float) -> int:
    """Whole milli-points that the model gives to a value of a feature."""
    piece = 0
    while piece < w.size[feature] - 2 and value >= w.at[feature, piece + 1]:
        piece += 1
    slope = (w.up[feature, piece + 1] - w.up[feature, piece]) / (
        w.at[feature, piece + 1] - w.at[feature, piece]
    )
    return int(np.rint(w.up[feature, piece] + (value - w.at[feature, piece]) * slope))


@compiled
def highest(w: Worth, feature: int) -> int:
    """The most that a feature between 0 and 1 may add."""
    top = max(worth(w, feature, 0.0), worth(w, feature, 1.0))
    for knot in range(w.size[feature]):
        if 0.0 <= w.at[feature, knot] <= 1.0:
            top = max(top, int(np.rint(w.up[feature, knot])))
    return int(top)
