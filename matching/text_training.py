"""Learn from labelled texts. Apart from `learned` so that who only reads does not load scikit-learn."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

import numpy as np
from scipy.sparse import csr_matrix, hstack
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import KFold

from matching.dialect import folded
from matching.learned import Levels, Linear, Numbers, grams
from matching.lexicon import EXTRA
from matching.mentions import GAP, Side, Terms
from matching.model import Urgency
from matching.numerals import plain
from matching.text import chances
from matching.text_urgency import LEVELS, marks

STRENGTH, LEVEL_STRENGTH = 30.0, 10.0
WORD = 0.3
"""A word of the catalogue or of the lexicon counts this much of a text: more, and what is told without names is read worse."""
PARTS = 5


@dataclass(frozen=True, slots=True)
class Sample:
    """A text whose category somebody told, and its urgency if that was told too."""

    text: str
    category: str
    side: Side = "need"
    urgency: Urgency | None = None


def learn(
    samples: Sequence[Sample], catalogue: Sequence[Terms], rarest: int = 2, today: date | None = None
) -> Linear:
    """A logistic model of the category, and one of the urgency of needs over the same signs.

    Signs in fewer than `rarest` texts are left out. The words of the catalogue and of the lexicon are texts of
    their own category. `today` dates the texts.
    """
    linear = _categories(samples, catalogue, rarest)
    needs = [sample for sample in samples if sample.side == "need" and sample.urgency]
    if not needs:
        return linear
    likely = _likely_elsewhere(samples, catalogue, rarest)
    return replace(linear, levels=_levels(linear, needs, likely, today))


def _categories(samples: Sequence[Sample], catalogue: Sequence[Terms], rarest: int) -> Linear:
    words = [(word, terms.code) for terms in catalogue for word in _words(terms)]
    told = [(sample.text, sample.category) for sample in samples] + words
    counter = TfidfVectorizer(analyzer=grams, sublinear_tf=True, min_df=rarest)
    matrix = counter.fit_transform([folded(plain(text)) for text, _ in told])
    weights = [1.0] * len(samples) + [WORD] * len(words)
    model = LogisticRegression(C=STRENGTH, max_iter=300, tol=1e-3, class_weight="balanced")
    model.fit(matrix, [code for _, code in told], sample_weight=weights)
    return Linear(
        tuple(map(str, model.classes_)),
        {str(gram): at for at, gram in enumerate(counter.get_feature_names_out())},
        counter.idf_.astype(np.float32),
        model.coef_.T.astype(np.float32),
        model.intercept_.astype(np.float32),
    )


def _likely_elsewhere(
    samples: Sequence[Sample], catalogue: Sequence[Terms], rarest: int
) -> Mapping[str, Mapping[str, float]]:
    """The chances of each text's categories as read by who has not learned from it: in use nobody tells the category."""
    found: dict[str, Mapping[str, float]] = {}
    for kept, left in KFold(min(PARTS, len(samples)), shuffle=True, random_state=7).split(samples):
        linear = _categories([samples[at] for at in kept], catalogue, rarest)
        for sample in (samples[at] for at in left):
            found[sample.text] = chances(sample.text, catalogue, side=sample.side, learned=linear)
    return found


def _levels(
    linear: Linear, needs: Sequence[Sample], likely: Mapping[str, Mapping[str, float]], today: date | None
) -> Levels:
    said = [folded(plain(need.text)) for need in needs]
    beside = np.array(
        [
            marks(text, likely.get(need.text, {}), today)
            for text, need in zip(said, needs, strict=True)
        ]
    )  # fmt: skip
    model = LogisticRegression(C=LEVEL_STRENGTH, max_iter=500, class_weight="balanced")
    model.fit(
        hstack([_matrix(linear, said), csr_matrix(beside)]).tocsr(),
        [LEVELS.index(need.urgency) for need in needs if need.urgency],
    )
    if len(model.classes_) < len(LEVELS):
        raise ValueError("each level of urgency must be told at least once")
    weights, bias = model.coef_.T.astype(np.float32), model.intercept_.astype(np.float32)
    return Levels(weights[: len(linear.grams)], weights[len(linear.grams) :], bias)


def _matrix(linear: Linear, said: Sequence[str]) -> csr_matrix:
    found = [linear.signs(text) for text in said]
    ends = np.cumsum([0, *(len(rows) for rows, _ in found)])
    values: Numbers = np.concatenate([values for _, values in found])
    return csr_matrix(
        (values, [at for rows, _ in found for at in rows], ends), shape=(len(said), len(linear.grams))
    )


def _words(terms: Terms) -> Iterable[str]:
    words = dict.fromkeys([*terms.synonyms, *terms.phrases, *EXTRA.get(terms.code, ())])
    return (word.replace(GAP, "") for word in words)
