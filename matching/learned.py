"""What was learned from labelled texts, as plain numbers: whoever only reads does not load scikit-learn.

`matching.text_training` learns it; the file beside this module carries it.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from math import log, sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float32]
SIZES = (1, 2, 3)
CARRIED = "learned.npz"


@dataclass(frozen=True, slots=True, eq=False)
class Linear:
    """A linear model over weighted counts of neighbouring signs: `weights` is (signs, classes)."""

    classes: tuple[str, ...]
    grams: Mapping[str, int]
    rarity: Numbers
    weights: Numbers
    bias: Numbers

    def log_probabilities(self, said: str) -> dict[str, float]:
        """The logarithm of each class's probability for a text; all alike where no sign is known."""
        counts = Counter(grams(said))
        found = [(at, n) for gram, n in counts.items() if (at := self.grams.get(gram)) is not None]
        if not found:
            return dict.fromkeys(self.classes, -log(len(self.classes)))
        rows = [at for at, _ in found]
        values = np.array([1 + log(n) for _, n in found], dtype=np.float32) * self.rarity[rows]
        logits = (values / sqrt(float(values @ values))) @ self.weights[rows] + self.bias
        logits -= logits.max()
        return dict(zip(self.classes, map(float, logits - log(float(np.exp(logits).sum()))), strict=True))


def grams(said: str) -> list[str]:
    """All runs of one to three neighbouring signs."""
    return [said[i : i + n] for n in SIZES for i in range(len(said) - n + 1)]


@cache
def carried() -> Linear:
    """What the project carries, read once."""
    with (files("matching") / "data" / CARRIED).open("rb") as file, np.load(file) as kept:
        classes, signs = (tuple(str(kept[key]).split("\n")) for key in ("classes", "grams"))
        rarity, weights, bias = (kept[key].astype(np.float32) for key in ("rarity", "weights", "bias"))
        return Linear(classes, {gram: at for at, gram in enumerate(signs)}, rarity, weights, bias)


def stored(linear: Linear) -> dict[str, NDArray[Any]]:
    """The arrays that `carried` reads back; half precision is enough for a choice among categories."""
    return {
        "classes": np.array("\n".join(linear.classes)),
        "grams": np.array("\n".join(linear.grams)),
        "rarity": linear.rarity.astype(np.float16),
        "weights": linear.weights.astype(np.float16),
        "bias": linear.bias,
    }
