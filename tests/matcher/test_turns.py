"""Every change that the engine tells has its sentence, in both languages."""

from __future__ import annotations

import re
from typing import Any

import pytest

from matching.model import Reason
from matching.turning import Bid, Turn, Turning
from services.matcher.turns import CHANGES, aheads, bids_of, firsts
from tests.matching.build import need, offer
from tests.matching.test_turning import explained
from tests.shared.test_reasons import ENGLISH, words

PARAMS: dict[str, Any] = {
    "metres": 3_200, "was": 10_000, "area": "445381108000", "units": 3, "date": "2024-06-03", "vulnerability": "ORPHAN",
    "vulnerabilities": "ORPHAN;DIBAO", "level": "critical", "days": 4, "percent": 15, "licence": "低压电工作业证",
}  # fmt: skip
CHINESE = re.compile(r"[\u4e00-\u9fff]")


def test_every_change_of_the_engine_has_its_sentence() -> None:
    told = set(re.findall(r"(\w+)(?:\([^)]*\))?[,.]", (Turning.__doc__ or "").split("Of the offer:")[1]))
    assert set(CHANGES) <= told | {"it", "rule"}
    assert {"distance", "share", "decision"} <= told
    assert set(CHANGES.values()) <= set(ENGLISH)


@pytest.mark.parametrize("code", CHANGES)
def test_sentences_are_filled_in_both_languages(code: str) -> None:
    for language in ("zh-CN", "en"):
        said = words(language).filled(CHANGES[code], PARAMS)
        assert "{" not in said
        assert bool(CHINESE.search(said)) == (language == "zh-CN")
    assert words("zh-CN").filled(CHANGES["radius"], PARAMS) == "服务半径是 3.2 公里，而不是 10.0 公里"
    assert words("en").filled(CHANGES["held"], PARAMS).endswith("Orphan, Minimum-living-allowance household")


def test_only_offers_that_go_to_others_whole_have_a_score_to_pass() -> None:
    rows = [
        {"offer_id": "a", "units": 3, "beats": 90_000, "kin": True},
        {"offer_id": "b", "units": 2, "beats": 90_000, "kin": False},
        {"offer_id": "c", "units": 9, "beats": 90_000, "kin": False},
    ]
    offers = {"a": {"quantity": 3}, "b": {"quantity": 3}}
    assert bids_of(rows, offers, 2) == {"a": Bid(92_000, True)}


def test_what_is_missing_is_told_with_the_score_to_reach() -> None:
    edges = explained(need(), [offer("a"), offer("b", pickup="self_pickup")]).edges
    turn = Turn("b", 2_001, (Reason("delivery"),))
    shown = firsts(Turning(first=(turn,)), edges, words("zh-CN"))["b"]
    assert (shown.beats, shown.missing, shown.changes[0].sentence) == (edges[0].score, 2_001, "改为送货上门")
    ahead = aheads(Turning(ahead=(turn,)), {"b": Bid(70_000)}, words("en"))["b"]
    assert (ahead.beats, ahead.changes[0].sentence) == (70_000, "It is delivered to the door")
