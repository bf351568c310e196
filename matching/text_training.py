"""Learn from labelled texts. Apart from `learned` so that who only reads does not load scikit-learn."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

from matching.dialect import folded
from matching.learned import Linear, grams
from matching.lexicon import EXTRA
from matching.mentions import GAP, Terms
from matching.numerals import plain

STRENGTH = 10.0


@dataclass(frozen=True, slots=True)
class Sample:
    """A text whose category somebody told."""

    text: str
    category: str


def learn(samples: Sequence[Sample], catalogue: Sequence[Terms], rarest: int = 2) -> Linear:
    """A logistic model of the category; signs in fewer than `rarest` texts are left out.

    The words of the catalogue and of the lexicon are texts of their own category: half of what is learned.
    """
    told = [*samples, *(Sample(word, terms.code) for terms in catalogue for word in _words(terms))]
    counter = TfidfVectorizer(analyzer=grams, sublinear_tf=True, min_df=rarest)
    matrix = counter.fit_transform([folded(plain(sample.text)) for sample in told])
    model = LogisticRegression(C=STRENGTH, max_iter=500).fit(matrix, [s.category for s in told])
    return Linear(
        tuple(map(str, model.classes_)),
        {str(gram): at for at, gram in enumerate(counter.get_feature_names_out())},
        counter.idf_.astype(np.float32),
        model.coef_.T.astype(np.float32),
        model.intercept_.astype(np.float32),
    )


def _words(terms: Terms) -> Iterable[str]:
    words = dict.fromkeys([*terms.synonyms, *terms.phrases, *EXTRA.get(terms.code, ())])
    return (word.replace(GAP, "") for word in words)
