"""Numbers and dates as people write them."""

from datetime import date

import pytest

from matching.numerals import dates, number, plain

TODAY = date(2024, 8, 20)


@pytest.mark.parametrize(
    ("words", "value"),
    [("12", 12), ("两", 2), ("十", 10), ("十二", 12), ("二十三", 23), ("三千", 3_000), ("一万二", 12_000), ("三千五", 3_500), ("一百零五", 105), ("1.5万", 15_000), ("", None), ("床", None)],
)  # fmt: skip
def test_numbers(words: str, value: float | None) -> None:
    assert number(words) == value


def test_full_width_signs_become_plain() -> None:
    assert plain("ＬＥＤ灯　１２ 盏，") == "led灯12盏,"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("8月31日前自提", [date(2024, 8, 31)]),
        ("八月底报到", [date(2024, 8, 31)]),
        ("8月21日至27日", [date(2024, 8, 27)]),
        ("9月施工", [date(2024, 9, 30)]),
        ("2026年10月", [date(2026, 10, 31)]),
        ("1月5号", [date(2025, 1, 5)]),
        ("2月30日", [date(2025, 2, 28)]),
        ("13月", []),
        ("停发两个月", []),
    ],
)
def test_dates(text: str, found: list[date]) -> None:
    assert dates(text, TODAY) == found
