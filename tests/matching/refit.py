"""`python -m tests.matching.refit`: learn again from the texts that the project carries, and keep it beside `matching.learned`."""

import csv
from pathlib import Path

import numpy as np

import matching
from matching.learned import CARRIED, stored
from matching.text_training import Sample, learn
from tests.matching.told import terms

DATA = Path(matching.__file__).parent / "data"


def samples() -> list[Sample]:
    """The invented texts to learn from."""
    with (DATA / "texts.csv").open(encoding="utf-8") as file:
        return [Sample(row["text"], row["category"]) for row in csv.DictReader(file)]


if __name__ == "__main__":
    np.savez_compressed(DATA / CARRIED, allow_pickle=False, **stored(learn(samples(), terms())))
