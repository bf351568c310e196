"""`python -m tests.matching.refit`: learn again from the texts that the project carries, and keep it beside `matching.learned`."""

import csv
from pathlib import Path
from typing import cast

import numpy as np

import matching
from matching.learned import CARRIED, stored
from matching.mentions import Side
from matching.model import Urgency
from matching.text_training import Sample, learn
from tests.matching.told import TODAY, terms

DATA = Path(matching.__file__).parent / "data"


def samples() -> list[Sample]:
    """The invented texts to learn from."""
    with (DATA / "texts.csv").open(encoding="utf-8") as file:
        return [
            Sample(row["text"], row["category"], cast(Side, row["side"]), cast(Urgency, row["urgency"]))
            for row in csv.DictReader(file)
        ]


if __name__ == "__main__":
    learned = learn(samples(), terms(), today=TODAY)
    np.savez_compressed(DATA / CARRIED, allow_pickle=False, **stored(learned))
