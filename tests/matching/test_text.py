"""Texts of needs and offers (all invented) against what a person read in them."""

from datetime import date
from typing import Any

import pytest
from sklearn.metrics import f1_score

from matching.text import Reading, read, similar
from tests.matching.told import rows, terms


def reading(row: dict[str, Any]) -> Reading:
    return read(row["text"], terms(), side=row["side"], today=date.fromisoformat(row["today"]))


def need(text: str) -> Reading:
    return read(text, terms())


@pytest.mark.parametrize("side", ["need", "offer"])
def test_category_and_urgency_of_the_cases(side: str) -> None:
    cases = [row for row in rows("cases.jsonl") if row["side"] == side]
    found = [reading(row) for row in cases]
    right = sum(r.category == row["category"] for r, row in zip(found, cases, strict=True))
    assert right / len(cases) >= 0.95
    assert f1_score([row["urgency"] for row in cases], [r.urgency for r in found], average="macro") >= 0.9


def test_a_quantity_that_is_read_is_nearly_always_right() -> None:
    read_ones = [(row["quantity"], reading(row).quantity) for row in rows("cases.jsonl") if row["quantity"]]
    answered = [(true, said) for true, said in read_ones if said is not None]
    assert sum(true == said for true, said in answered) / len(answered) >= 0.9


@pytest.mark.parametrize("row", rows("pairs.jsonl"), ids=lambda row: row["reason_code"])
def test_both_sides_of_the_tricky_pairs(row: dict[str, Any]) -> None:
    assert need(row["need_text"]).category == row["need_category"]
    assert read(row["offer_text"], terms(), side="offer").category == row["offer_category"]


def test_a_thing_the_household_has_is_not_asked_for() -> None:
    found = need("需要一张单人床,床垫她自己有。")
    assert (found.category, found.also, found.negated) == ("FUR-BED", (), ("FUR-MATT",))


@pytest.mark.parametrize(
    "text",
    ["棉被不用给,要一台电风扇", "已有棉被,要一台电风扇", "不缺被子,想要风扇一台", "除了棉被,还要一台电风扇"],
)
def test_words_of_refusal(text: str) -> None:
    found = need(text)
    assert found.category == "APP-FAN"
    assert "FUR-QUILT" in found.negated
    assert "FUR-QUILT" not in found.also


def test_without_means_lacking_in_a_need_and_excluded_in_an_offer() -> None:
    assert need("家里没有床垫").category == "FUR-MATT"
    offered = read("捐木床12张,不含床垫", terms(), side="offer")
    assert (offered.category, offered.negated) == ("FUR-BED", ("FUR-MATT",))


def test_a_phone_of_the_brand_little_rice_is_no_food() -> None:
    assert read("小米手机2部,九成新", terms(), side="offer").category == "EDU-DEVICE"
    assert need("家里快没大米了").category == "FOD-RICE"
    assert need("想要一根1.2米的竹竿").category != "FOD-RICE"


def test_a_bed_frame_is_no_mattress() -> None:
    assert need("想要一张床架").category == "FUR-BED"
    assert need("想要一张床垫").category == "FUR-MATT"


def test_repair_wanted_is_no_new_thing() -> None:
    assert need("电风扇坏了想找人修一修,不用给新的").category == "APP-FIX"


@pytest.mark.parametrize("text", ["", "你好", "今天天气不错", "一切都好,谢谢关心"])
def test_no_guess_where_nothing_is_said(text: str) -> None:
    found = need(text)
    assert found.category is None
    assert found.also == ()
    assert found.quantity is None


def test_rice_and_oil_together_are_a_parcel() -> None:
    found = need("先送点米和油应急")
    assert found.category == "FOD-PACK"
    assert set(found.also) >= {"FOD-OIL", "FOD-RICE"}


def test_the_evidence_stands_in_the_text() -> None:
    found = need("想要一张床垫")
    assert ("FUR-MATT", "床垫") in found.evidence
    assert 0.4 <= found.confidence <= 1


@pytest.mark.parametrize(
    ("text", "quantity"),
    [
        ("需要棉被两床", 2),
        ("需要棉被２床", 2),
        ("需要十二床棉被", 12),
        ("一家五口,需要棉被3床", 3),
        ("学费6500元还差3000元", 3_000),
        ("助学金还差1.5万元", 15_000),
        ("两个月没有棉被盖了", None),
    ],
)
def test_quantities_as_people_write_them(text: str, quantity: int | None) -> None:
    assert need(text).quantity == quantity


@pytest.mark.parametrize(
    ("text", "urgency"),
    [
        ("闻到煤气味,胶管裂了", "critical"),
        ("家属很着急,想配助听器", "normal"),
        ("急需一张床垫", "high"),
        ("想要一张床垫", "normal"),
        ("想要一张床垫,不急", "low"),
    ],
)
def test_urgency(text: str, urgency: str) -> None:
    assert need(text).urgency == urgency


def test_an_offer_is_as_urgent_as_its_end_is_near() -> None:
    def urgency(text: str) -> str:
        return read(text, terms(), side="offer", today=date(2024, 8, 20)).urgency

    assert urgency("捐牛奶50箱,8月底到期") == "high"
    assert urgency("捐牛奶50箱,9月30日到期") == "normal"
    assert urgency("捐牛奶50箱,2026年10月到期") == "low"
    assert urgency("捐牛奶50箱") == "low"


def test_near_duplicates_are_alike_and_others_are_not() -> None:
    one = "金鸡镇低保户,家里一台风扇坏了,想申请一台落地扇"
    assert similar(one, one) == pytest.approx(1)
    assert similar(one, "金鸡镇一低保户家里的风扇坏了,申请落地扇一台。") > 0.6
    assert similar(one, "天堂镇老人耳朵背,想配助听器") < 0.2
    assert similar("", one) == 0
