"""The additive model: a score is the sum of one shape per feature, each part a whole number of milli-points
that can be shown.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import isfinite
from typing import Any

import numpy as np

from matching.columns import Floats, Ints
from matching.features import NAMES

BASE = "base"
Shape = tuple[tuple[float, int], ...]
"""Knots (feature value, milli-points) in order of value; linear between them and beyond the end ones."""


@dataclass(frozen=True, slots=True)
class AdditiveModel:
    """`shapes`: what each feature is worth, in the order of `features.NAMES`; `intercept`: milli-points.

    Raises ValueError unless there is one shape a feature, each of two or more finite knots whose values rise.
    """

    name: str
    intercept: int
    shapes: tuple[Shape, ...]

    def __post_init__(self) -> None:
        if len(self.shapes) != len(NAMES):
            raise ValueError(f"the model {self.name!r} has {len(self.shapes)} shapes; it needs {len(NAMES)}")
        for feature, shape in zip(NAMES, self.shapes, strict=True):
            if not _sound(shape):
                raise ValueError(f"the shape of {feature!r} needs two or more knots whose values rise")

    @classmethod
    def linear(cls, name: str, intercept: int, weights: Sequence[int]) -> "AdditiveModel":
        """A model of straight lines: milli-points for one unit of each feature, in the order of `NAMES`."""
        return cls(name, intercept, tuple(((0.0, 0), (1.0, weight)) for weight in weights))

    def contributions(self, matrix: Floats) -> Ints:
        """(rows, 1 + features) whole milli-points, the intercept first; each row's sum is its score."""
        parts = np.empty((len(matrix), 1 + len(NAMES)), dtype=np.int64)
        parts[:, 0] = self.intercept
        for column, shape in enumerate(self.shapes):
            parts[:, 1 + column] = np.rint(height(shape, matrix[:, column]))
        return parts

    def to_dict(self) -> dict[str, Any]:
        """A plain value for JSON."""
        shapes = {
            name: [list(knot) for knot in shape] for name, shape in zip(NAMES, self.shapes, strict=True)
        }
        return {"name": self.name, "intercept": self.intercept, "shapes": shapes}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "AdditiveModel":
        """What `to_dict` wrote, or `weights` by feature in place of `shapes`. Raises ValueError if it was made
        for other features.
        """
        name, intercept = str(data["name"]), int(data["intercept"])
        given = data["shapes"] if "shapes" in data else data["weights"]
        if set(given) != set(NAMES):
            odd = ", ".join(sorted(set(given) ^ set(NAMES)))
            raise ValueError(f"the model {name!r} does not fit these features ({odd}); fit it again")
        if "shapes" not in data:
            return cls.linear(name, intercept, [int(given[feature]) for feature in NAMES])
        return cls(name, intercept, tuple(_shape(given[feature]) for feature in NAMES))


def height(shape: Shape, values: Floats) -> Floats:
    """Milli-points, not yet rounded, that a shape gives to values of its feature."""
    at = np.array([x for x, _ in shape])
    up = np.array([y for _, y in shape], dtype=np.float64)
    slope = np.diff(up) / np.diff(at)
    piece = np.clip(np.searchsorted(at, values, side="right") - 1, 0, len(slope) - 1)
    return np.asarray(up[piece] + (values - at[piece]) * slope[piece])


def _sound(shape: Shape) -> bool:
    at = [x for x, _ in shape]
    return len(at) > 1 and all(map(isfinite, at)) and all(a < b for a, b in pairwise(at))


def _shape(knots: Sequence[Sequence[float]]) -> Shape:
    return tuple((float(x), int(y)) for x, y in knots)


TERMS = (BASE, *NAMES)
"""The name of each column of `AdditiveModel.contributions`."""

RULES = AdditiveModel.from_dict(
    {
        "name": "rules",
        "intercept": 1_000,
        "weights": {
            "vulnerability": 1_000, "urgency": 1_000, "waiting": 1_000, "due": 5_000, "fairness": 1_000,
            "category": 30_000, "area": 5_000, "distance": 10_000, "expiry": 6_000, "designation": 4_000,
            "quantity": 4_000, "condition": 2_000, "delivery": 2_000,
        },
    }
)  # fmt: skip
"""The office's own rules as weights. The features are never negative, so every possible pair scores at
least 1,000.
"""
