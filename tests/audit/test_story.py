"""Every kind of fact as a sentence, with its parameters filled in."""

from __future__ import annotations

from services.audit import story
from services.audit.rules import follow_up_id
from shared.events import Event, FollowUpDue
from shared.labels import LABELS
from tests.audit.facts import THEN, TOWN, Case, round_completed


def label(kind: str, code: str) -> str:
    return LABELS[kind][code]


WORDS: story.Words = {
    "label": label,
    "category": lambda code: "电风扇",
    "unit": lambda code: "台",
    "moment": lambda text: text[:10],
}


def told(event: Event) -> tuple[str, str]:
    role, message, params = story.sentence(event.TYPE, event.model_dump(mode="json"), WORDS)
    return role, message.format_map(params)


def test_a_case_reads_as_a_story() -> None:
    case = Case()
    assert [told(event) for event in case.whole()] == [
        ("worker", "走访，记下 1 项需求"),
        ("worker", "提出需求：电风扇 2台，紧急"),
        ("", "提出匹配建议：数量 2，61.5 分"),
        ("coordinator", "批准：电风扇 2台"),
        ("charity", "已发出"),
        ("worker", "签收：电风扇 收到 2台，少 0台"),
    ]


def test_reasons_outcomes_and_days_are_said_in_words() -> None:
    case = Case()
    due = FollowUpDue(
        follow_up_id=follow_up_id(case.delivery, "safety"), kind="safety", need_id=case.need, beneficiary_id=case.household,
        delivery_id=case.delivery, area=TOWN, due_at=THEN,
    )  # fmt: skip
    assert told(due) == ("", "安排安全检查，期限 2026-03-01")
    assert told(case.answered(due.follow_up_id)) == ("worker", "完成回访：有帮助")
    assert told(round_completed()) == ("", "完成一轮匹配：1 项需求，1 项资源，建议 1 项")
    assert told(case.released(1)) == ("", "退回未送成的数量：1")


def test_a_proposal_by_hand_is_a_coordinators() -> None:
    by_hand = Case().proposed().model_copy(update={"proposed_by": Case().person})
    assert told(by_hand)[0] == "coordinator"


def test_an_unknown_fact_is_named_by_its_type() -> None:
    assert story.sentence("hazard.found.v9", {}, WORDS) == ("", story.UNKNOWN, {"type": "hazard.found.v9"})
