"""Fit the additive model to decisions. Apart from `ranking` so that who only scores does not load
scikit-learn.
"""

from dataclasses import dataclass

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import SplineTransformer

from matching.columns import Floats
from matching.learning import Table
from matching.ranking import AdditiveModel, Shape

FLAT: Shape = ((0.0, 0), (1.0, 0))
LEAST = 1_000
"""Milli-points of the worst pair that there can be: as with the rules, every possible pair scores above zero."""


class OneSided(ValueError):
    """The decisions are all alike, so nothing can be learned; gather both approved and declined pairs."""


@dataclass(frozen=True, slots=True)
class Fitted:
    """A model, and what to take off its score to get 1,000 × the log-odds of approval."""

    model: AdditiveModel
    lift: int


def fit(table: Table, *, name: str = "fitted", knots: int = 6, strength: float = 1.0) -> Fitted:
    """The logistic model of `table.positive` over one broken line of up to `knots` knots a feature.

    No part of its score is negative, and beyond the values learned from a line is level. `strength` is the
    inverse of the L2 penalty. Raises `OneSided` if only one answer occurs.
    """
    if len(set(table.positive.tolist())) < 2:
        raise OneSided(OneSided.__doc__)
    places = [_knots(column, knots) for column in table.features.T]
    model = logistic(basis(table.features, places), table, strength)
    heights = np.split(1000 * model.coef_[0], np.cumsum([len(at) for at in places])[:-1])
    lines = [_line(at, up) for at, up in zip(places, heights, strict=True)]
    fallen = sum(float(up.min()) for up in heights if up.size)
    lift = round(LEAST - fallen - 1000 * float(model.intercept_[0]))
    return Fitted(AdditiveModel(name, LEAST, tuple(lines)), lift)


def logistic(matrix: Floats, table: Table, strength: float) -> LogisticRegression:
    return LogisticRegression(C=strength, max_iter=2000).fit(
        matrix, table.positive, sample_weight=table.weight
    )


def basis(features: Floats, places: list[Floats]) -> Floats:
    """The degree-1 splines of each feature side by side: a column a knot, 1 at its own knot and 0 at the others."""
    columns = [
        SplineTransformer(degree=1, knots=at[:, None], extrapolation="constant").fit_transform(
            column[:, None]
        )
        for column, at in zip(features.T, places, strict=True)
        if at.size
    ]
    return np.hstack([np.zeros((len(features), 0)), *columns])


def _knots(column: Floats, most: int) -> Floats:
    """Values of about equally many rows between them; none for a feature that never differs."""
    at = np.unique(np.quantile(column, np.linspace(0, 1, most)))
    return at if at.size > 1 else at[:0]


def _line(at: Floats, up: Floats) -> Shape:
    if not at.size:
        return FLAT
    points = [round(float(height)) for height in up - up.min()]
    inner = tuple(zip(at.tolist(), points, strict=True))
    return ((float(at[0]) - 1, points[0]), *inner, (float(at[-1]) + 1, points[-1]))


def likelihood(score: Floats, table: Table, of: Floats) -> Floats:
    """The probability of approval at scores `of`, by a logistic curve through `score` and answers of `table`.

    Any score becomes a probability this way, so that models of different scales compare.
    """
    middle, spread = float(score.mean()), float(score.std()) or 1.0
    curve = logistic((score[:, None] - middle) / spread, table, 1e6)
    return np.asarray(curve.predict_proba((of[:, None] - middle) / spread)[:, 1])
