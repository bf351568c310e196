"""Fit the additive model to decisions. Apart from `ranking` so that who only scores does not load
scikit-learn.
"""

from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from matching.columns import Floats, Ints
from matching.features import NAMES
from matching.ranking import AdditiveModel


class OneSided(ValueError):
    """The decisions are all alike, so nothing can be learned; gather both approved and declined pairs."""


def fit(matrix: Floats, approved: Ints, *, name: str = "fitted", strength: float = 1.0) -> AdditiveModel:
    """The logistic model of `approved` (0 or 1) over the rows of `matrix` (rows, `features.NAMES`).

    A score is then 1,000 × the log-odds of approval, so it may be negative; `strength` is the inverse of
    the L2 penalty. Raises `OneSided` if only one answer occurs.
    """
    if len(set(approved.tolist())) < 2:
        raise OneSided(OneSided.__doc__)
    if matrix.shape[1] != len(NAMES):
        raise ValueError(
            f"the matrix has {matrix.shape[1]} columns; it needs {len(NAMES)}: {', '.join(NAMES)}"
        )
    scaler = StandardScaler().fit(matrix)
    model = LogisticRegression(C=strength, max_iter=1000).fit(scaler.transform(matrix), approved)
    slopes = model.coef_[0] / scaler.scale_
    intercept = float(model.intercept_[0] - slopes @ scaler.mean_)
    return AdditiveModel.linear(name, round(1000 * intercept), [round(1000 * float(s)) for s in slopes])
