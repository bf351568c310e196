"""How long aid received bars more of it."""

from datetime import datetime

import pytest

from matching.columns import CHINA
from matching.history import barred_since, lasts, months_before
from matching.model import Policy
from tests.matching.build import CATALOGUE, NOW


@pytest.mark.parametrize(
    ("moment", "months", "before"),
    [
        ((2024, 8, 20), 24, (2022, 8, 20)),
        ((2024, 3, 31), 1, (2024, 2, 29)),
        ((2024, 1, 15), 1, (2023, 12, 15)),
    ],
)
def test_months_before(moment: tuple[int, int, int], months: int, before: tuple[int, int, int]) -> None:
    assert months_before(datetime(*moment, tzinfo=CHINA), months) == datetime(*before, tzinfo=CHINA)


def test_goods_that_last_are_barred_for_months_and_the_rest_for_a_cycle() -> None:
    assert lasts(CATALOGUE["FAN"])
    assert not lasts(CATALOGUE["RICE"])
    assert not lasts(CATALOGUE["WIRE"])
    assert barred_since(CATALOGUE["FAN"], Policy(), NOW).year == 2022
    assert (NOW - barred_since(CATALOGUE["RICE"], Policy(), NOW)).days == 28
    assert (NOW - barred_since(CATALOGUE["FAN"], Policy.load({"cycle_days": {"FAN": 90}}), NOW)).days == 90
