"""Where words stand, and what hides them."""

from matching.mentions import Terms, mentions

TERMS = (
    Terms("FUR-MATT", ("床垫",), ("垫子发霉",)),
    Terms("FUR-BED", ("床", "床架"), ("睡地上",)),
    Terms("FOD-RICE", ("米",), homonyms=("米糊机",)),
)


def said(text: str) -> set[tuple[str, str]]:
    return {(m.code, m.phrase) for m in mentions(text, TERMS, "need")}


def test_a_word_inside_a_longer_one_says_nothing_of_its_own() -> None:
    assert said("要床垫") == {("FUR-MATT", "床垫")}


def test_homonyms_of_the_catalogue_hide_a_name() -> None:
    assert said("要米糊机") == set()
    assert ("FOD-RICE", "米") in said("要米")


def test_a_measure_is_no_grain() -> None:
    assert said("长1.2米") == set()


def test_parts_of_a_phrase_may_stand_apart_within_a_clause() -> None:
    assert any(code == "FUR-BED" for code, _ in said("床板昨天塌了"))
    assert not any(code == "FUR-BED" for code, _ in said("板子。昨天塌了"))


def test_a_phrase_told_a_little_differently_counts_in_part() -> None:
    fence = (Terms("HSE-X", phrases=("院墙快要倒了",)),)
    whole, altered = (mentions(text, fence, "need") for text in ("院墙快要倒了", "院墙眼看快要倒了"))
    assert [m.phrase for m in altered] == ["院墙快要倒了"]
    assert 0 < altered[0].weight < whole[0].weight
    assert mentions("院子里很好", fence, "need") == []


def test_a_request_weighs_more_than_a_word_in_passing() -> None:
    asked, passing = (
        max(m.weight for m in mentions(text, TERMS, "need")) for text in ("想要床垫", "床垫旁边")
    )
    assert asked > passing
