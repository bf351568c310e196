"""The additive model: a score is the sum of weight × feature, each part a whole number of milli-points that
can be shown.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from matching.columns import Floats, Ints
from matching.features import NAMES

BASE = "base"


@dataclass(frozen=True, slots=True)
class AdditiveModel:
    """`weights`: milli-points for one unit of each feature, in the order of `features.NAMES`; `intercept`:
    milli-points.
    """

    name: str
    intercept: int
    weights: tuple[int, ...]

    def contributions(self, matrix: Floats) -> Ints:
        """(rows, 1 + features) whole milli-points, the intercept first; each row's sum is its score."""
        parts = np.rint(matrix * np.array(self.weights, dtype=np.float64)).astype(np.int64)
        return np.column_stack([np.full(len(matrix), self.intercept, dtype=np.int64), parts])

    def to_dict(self) -> dict[str, Any]:
        """A plain value for JSON."""
        return {
            "name": self.name,
            "intercept": self.intercept,
            "weights": dict(zip(NAMES, self.weights, strict=True)),
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "AdditiveModel":
        """What `to_dict` wrote. Raises ValueError if it was made for other features."""
        weights = data["weights"]
        if set(weights) != set(NAMES):
            odd = ", ".join(sorted(set(weights) ^ set(NAMES)))
            raise ValueError(f"the model {data['name']!r} does not fit these features ({odd}); fit it again")
        return cls(str(data["name"]), int(data["intercept"]), tuple(int(weights[name]) for name in NAMES))


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
