"""Reasons as sentences: every code of the engine has one, in both languages, with its parameters filled in."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from matching.candidates import DUPLICATE_OPEN, NO_OFFER, NOTHING_OPEN
from matching.ranking import TERMS
from matching.rules import NEED_RULES, PAIR_RULES
from matching.shortfall import EXHAUSTED, HELD_BACK, INCOMPLETE, OUTRANKED, TOO_LOW
from shared.i18n import Language, merge, say
from shared.reasons import FACTORS, RULES, Words, tell

SERVICES = Path(__file__).parent.parent.parent / "services"
ENGLISH = merge([SERVICES / "matcher", SERVICES.parent / "shared" / "web"])


def words(language: Language) -> Words:
    def speak(message: str, params: Mapping[str, object] | None) -> str:
        return say(ENGLISH, language, message, params)

    return Words(speak, language)


def test_every_code_of_the_engine_has_its_sentence() -> None:
    assert set(FACTORS) == set(TERMS)
    rules = {code for code, _ in NEED_RULES} | set(PAIR_RULES)
    assert set(RULES) == rules | {
        NOTHING_OPEN,
        DUPLICATE_OPEN,
        NO_OFFER,
        OUTRANKED,
        EXHAUSTED,
        INCOMPLETE,
        TOO_LOW,
        HELD_BACK,
    }


def test_every_sentence_has_its_english() -> None:
    messages = {text for pair in FACTORS.values() for text in pair} | set(RULES.values())
    assert {text for text in messages if text not in ENGLISH} == set()


def test_parameters_are_said_as_people_say_them() -> None:
    zh, en = words("zh-CN"), words("en")
    assert zh.factor("vulnerability", {"vulnerability": "ORPHAN"}) == "困难类别：孤儿"
    assert en.factor("category", {"category": "APP-CEILFAN", "factor": 500}) == (
        "Ceiling fan incl. installation in its place, counted at 50%"
    )
    assert zh.factor("category", {}) == "类别相符"
    assert zh.factor("distance", {"metres": 12_340}) == "直线距离约 12.3 公里"
    assert zh.factor("expiry", {"date": "2024-08-20"}) == "资源须在 2024年8月20日 前用上"
    assert en.factor("expiry", {"date": "2024-08-20"}) == "The offer has to be used by 20 Aug 2024"
    assert zh.factor("quantity", {"offered": 1, "asked": 3}) == "资源有 1，需要 3，先满足一部分"
    assert en.rule("declined_before") == "This pair was declined before and is not proposed again"


def test_the_weightiest_reason_comes_first_and_points_keep_their_sign() -> None:
    factors = [
        {"code": "base", "points": 1_000, "params": {}},
        {"code": "waiting", "points": -2_500, "params": {"days": 2}},
        {"code": "urgency", "points": 40_000, "params": {"level": "critical"}},
    ]
    told = tell(factors, words("zh-CN"))
    assert [(t.code, t.points) for t in told] == [("urgency", 40_000), ("waiting", -2_500), ("base", 1_000)]
    assert told[0].sentence == "紧急程度：危急"
