"""Reading and judging of texts that nothing was learned from. The floors keep what is reached; the bars stand in `tests.bench.texts`."""

from collections import defaultdict
from collections.abc import Callable
from datetime import date

import numpy as np
import pytest
from sklearn.metrics import f1_score, recall_score

from matching.dialect import folded
from matching.learned import Linear, carried
from matching.model import Urgency
from matching.numerals import plain
from matching.text import read, similar
from matching.text_training import Sample, learn
from matching.text_urgency import LEVELS, by_rules, likeliest, marks
from tests.bench.texts import measure
from tests.matching.judging import judged, verdicts
from tests.matching.refit import samples
from tests.matching.told import TODAY, Told, aside, reading, terms, unseen

TWICE = 0.7


@pytest.mark.parametrize("held", [unseen, aside])
def test_no_text_to_learn_from_is_told_again_among_those_held_aside(
    held: Callable[[], tuple[Told, ...]],
) -> None:
    learned: dict[str, list[str]] = defaultdict(list)
    for sample in samples():
        learned[sample.category].append(sample.text)
    assert not [t for t in held() if max(similar(t.text, text) for text in learned[t.category]) >= TWICE]


def test_every_category_is_learned_and_held_aside() -> None:
    codes = {each.code for each in terms()}
    assert set(carried().classes) == codes
    assert {told.category for told in aside()} == codes == {told.category for told in unseen()}


async def test_what_is_reached_on_held_aside_texts_stays_reached() -> None:
    reached = {figure["name"]: figure["value"] for figure in await measure()}
    assert reached["text-category"] >= 0.94
    assert reached["text-urgency"] >= 0.79
    assert reached["text-confidently-wrong"] <= 0.01
    assert reached["pairs"] >= 0.9
    assert reached["text-category-earlier"] >= 0.89
    assert reached["text-urgency-earlier"] >= 0.76
    assert reached["text-confidently-wrong-earlier"] <= 0.02


def test_what_was_learned_sees_more_dangers_than_the_words_of_the_lexicon() -> None:
    needs = [told for told in aside() if told.side == "need"]
    true = [told.urgency for told in needs]
    learned = [reading(told).urgency for told in needs]
    words = [by_rules(folded(plain(told.text)), reading(told).category, None) for told in needs]
    assert _dangers(true, learned) > _dangers(true, words)
    assert f1_score(true, learned, average="macro") > f1_score(true, words, average="macro")


def _dangers(true: list[str], said: list[Urgency]) -> float:
    return float(recall_score(true, said, labels=["critical"], average="macro"))


@pytest.mark.parametrize(
    ("text", "urgency"),
    [
        ("闻到煤气味,胶管裂了", "critical"),
        ("阿伯话唔想活喇,农药摆喺床头", "critical"),
        ("瓦面漏雨,床都湿了,赶紧找人补", "high"),
        ("想要一台电视机,不急,过年前有就行", "low"),
    ],
)
def test_learned_urgency(text: str, urgency: str) -> None:
    assert read(text, terms(), learned=carried()).urgency == urgency


def test_a_date_that_is_near_makes_a_need_more_urgent_once_today_is_known() -> None:
    def mass(today: date | None) -> float:
        said = "9月1日要交给学校"
        found = carried().urgency(said, marks(said, {}, today))
        assert found is not None
        return float(np.exp(found[:2]).sum())

    assert mass(TODAY) > mass(None)


def test_an_urgency_of_unknown_signs_is_left_to_the_words() -> None:
    assert carried().urgency("@@@", marks("@@@", {}, None)) is None
    assert read("@@@", terms(), learned=carried()).urgency == "normal"


def test_a_danger_wins_over_a_level_that_is_barely_likelier() -> None:
    assert likeliest(np.log(np.array([0.3, 0.4, 0.2, 0.1], np.float32))) == "critical"
    assert likeliest(np.log(np.array([0.2, 0.4, 0.3, 0.1], np.float32))) == "high"


def test_urgency_is_learned_only_where_it_was_told() -> None:
    words = terms()[:3]
    told = [Sample(f"第{n}户家里要{each.synonyms[0]}", each.code) for n in range(4) for each in words]
    assert learn(told, words).levels is None
    some = [
        Sample(s.text + word, s.category, "need", LEVELS[n % 4])
        for s in told
        for n, word in enumerate(("危险", "尽快", "", "不急"))
    ]
    model = learn(some, words)
    said = some[0].text
    found = model.urgency(said, marks(said, {}, None))
    assert found is not None
    assert LEVELS[int(found.argmax())] == "critical"
    with pytest.raises(ValueError, match="each level"):
        learn([s for s in some if s.urgency != "low"], words)


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
