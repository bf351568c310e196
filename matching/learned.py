"""What was learned from labelled texts, as plain numbers: whoever only reads does not load scikit-learn.

`matching.text_training` learns it; the file beside this module carries it.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from math import log, sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float32]
SIZES = (1, 2)
CARRIED = "learned.npz"


@dataclass(frozen=True, slots=True, eq=False)
class Levels:
    """How signs and marks weigh for each level of urgency: `weights` is (signs, levels), `marks` (marks, levels)."""

    weights: Numbers
    marks: Numbers
    bias: Numbers


@dataclass(frozen=True, slots=True, eq=False)
class Linear:
    """A linear model over weighted counts of neighbouring signs: `weights` is (signs, classes).

    `levels`: the urgency of needs over the same signs; None where no urgency was learned.
    """

    classes: tuple[str, ...]
    grams: Mapping[str, int]
    rarity: Numbers
    weights: Numbers
    bias: Numbers
    levels: Levels | None = None

    def log_probabilities(self, said: str) -> dict[str, float]:
        """The logarithm of each class's probability for a text; all alike where no sign is known."""
        rows, values = self.signs(said)
        if not rows:
            return dict.fromkeys(self.classes, -log(len(self.classes)))
        logits = _normal(values @ self.weights[rows] + self.bias)
        return dict(zip(self.classes, map(float, logits), strict=True))

    def urgency(self, said: str, marks: Numbers) -> Numbers | None:
        """The logarithm of each level's probability; None where none was learned or no sign is known."""
        rows, values = self.signs(said)
        if not rows or self.levels is None:
            return None
        return _normal(
            values @ self.levels.weights[rows] + marks @ self.levels.marks + self.levels.bias,
        )

    def signs(self, said: str) -> tuple[list[int], Numbers]:
        """The known signs of a text and how much each says of it."""
        counts = Counter(grams(said))
        found = [(at, n) for gram, n in counts.items() if (at := self.grams.get(gram)) is not None]
        rows = [at for at, _ in found]
        values = np.array([1 + log(n) for _, n in found], dtype=np.float32) * self.rarity[rows]
        return rows, values / max(sqrt(float(values @ values)), 1e-9)


def _normal(logits: Numbers) -> Numbers:
    logits = logits - logits.max()
    return np.asarray(logits - log(float(np.exp(logits).sum())), dtype=np.float32)


def grams(said: str, sizes: Iterable[int] = SIZES) -> list[str]:
    """All runs of neighbouring signs that are as long as `sizes` say."""
    return [said[i : i + n] for n in sizes for i in range(len(said) - n + 1)]


@cache
def carried() -> Linear:
    """What the project carries, read once."""
    with (files("matching") / "data" / CARRIED).open("rb") as file, np.load(file) as kept:
        classes, signs = (tuple(str(kept[key]).split("\n")) for key in ("classes", "grams"))
        rarity, weights, bias, *levels = (
            kept[key].astype(np.float32)
            for key in ("rarity", "weights", "bias", "levels", "marks", "levels_bias")
        )
        places = {gram: at for at, gram in enumerate(signs)}
        return Linear(classes, places, rarity, weights, bias, Levels(*levels))


def stored(linear: Linear) -> dict[str, NDArray[Any]]:
    """The arrays that `carried` reads back; half precision is enough for a choice among categories."""
    assert linear.levels is not None, "what is carried tells the urgency too"
    return {
        "classes": np.array("\n".join(linear.classes)),
        "grams": np.array("\n".join(linear.grams)),
        "rarity": linear.rarity.astype(np.float16),
        "weights": linear.weights.astype(np.float16),
        "bias": linear.bias,
        "levels": linear.levels.weights.astype(np.float16),
        "marks": linear.levels.marks,
        "levels_bias": linear.levels.bias,
    }
