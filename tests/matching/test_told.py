"""Reading and judging of texts that nothing was learned from. The floors keep what is reached; the bars stand in `tests.bench.texts`."""

import csv
from collections import defaultdict

import pytest
from sklearn.metrics import f1_score

from matching.learned import Linear, carried
from matching.text import read
from tests.bench.texts import measure
from tests.matching.judging import judged, verdicts
from tests.matching.refit import DATA as LEARNED_FROM
from tests.matching.told import DATA, aside, reading, terms

RUN = 4


def runs(text: str) -> set[str]:
    """All runs of four signs."""
    return {text[i : i + RUN] for i in range(len(text) - RUN + 1)}


def test_no_text_to_learn_from_shares_a_phrase_with_a_held_aside_one_of_its_category() -> None:
    held: dict[str, set[str]] = defaultdict(set)
    with (DATA / "aside.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            held[row["category"]] |= runs(row["text"])
    with (LEARNED_FROM / "texts.csv").open(encoding="utf-8") as file:
        assert not [row for row in csv.DictReader(file) if runs(row["text"]) & held[row["category"]]]


def test_every_category_is_learned_and_held_aside() -> None:
    codes = {each.code for each in terms()}
    assert set(carried().classes) == codes == {told.category for told in aside()}


async def test_what_is_reached_on_held_aside_texts_stays_reached() -> None:
    reached = {figure["name"]: figure["value"] for figure in await measure()}
    assert reached["text-category"] >= 0.8
    assert reached["text-urgency"] >= 0.65
    assert reached["pairs"] >= 0.9
    assert reached["text-confidently-wrong"] <= 0.025


def test_what_the_household_has_is_not_asked_for_in_any_frame() -> None:
    framed = [told for told in aside() if told.refused]
    assert framed
    assert not [t for t in framed if t.refused in (reading(t).category, *reading(t).also)]


def test_an_unsure_reader_says_so_and_offers_three_to_choose_from() -> None:
    found = read("今天天气不错", terms(), learned=carried())
    assert not found.sure
    assert found.category is None
    assert len(found.alternatives) == 3


def test_a_clear_text_is_read_surely() -> None:
    found = read("电饭煲坏了,想要一个电饭煲", terms(), learned=carried())
    assert (found.category, found.sure) == ("APP-COOK", True)


def test_a_text_of_unknown_signs_makes_all_categories_alike() -> None:
    model: Linear = carried()
    assert len({round(p, 9) for p in model.log_probabilities("@@@").values()}) == 1


@pytest.mark.parametrize("part", ["first", "tuned"])
def test_verdicts_over_the_pairs_that_the_words_were_found_with(part: str) -> None:
    assert f1_score(*zip(*judged(part), strict=True)) >= 0.85


def test_a_verdict_names_its_reason() -> None:
    told = verdicts("first")
    assert sum(said.code == code for _, _, code, said in told) >= len(told) - 2
