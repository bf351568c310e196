"""Codes, days and times as numbers."""

from datetime import UTC, datetime

import pytest

from matching.columns import area_span, day, seconds, town_of


@pytest.mark.parametrize(
    ("code", "last"),
    [
        ("440000000000", 449999999999),
        ("445300000000", 445399999999),
        ("445303000000", 445303999999),
        ("445303104000", 445303104999),
        ("445302001000", 445302001999),
        ("445303104201", 445303104201),
    ],
)
def test_trailing_zeros_cover_everything_below(code: str, last: int) -> None:
    assert area_span(code) == (int(code), last)


@pytest.mark.parametrize("code", ["", "4453", "44530310400x", "４４５３０３１０４０００"])
def test_a_malformed_code_is_refused(code: str) -> None:
    with pytest.raises(ValueError, match="12-digit"):
        area_span(code)


def test_a_village_lies_in_its_town() -> None:
    assert town_of("445303104201") == "445303104000"


def test_days_are_days_in_china() -> None:
    late = datetime(2024, 8, 19, 17, 0, tzinfo=UTC)
    assert day(late) == datetime(2024, 8, 20, tzinfo=UTC).toordinal()


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="zone"):
        seconds(datetime(2024, 8, 20))
