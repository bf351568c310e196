"""The figures that a score is made of."""

import numpy as np
import pytest

from matching.features import fade, near, vulnerability_points
from matching.model import Policy
from matching.rules import haversine_m


@pytest.mark.parametrize(
    ("codes", "points"),
    [
        ((), 15),
        (("GENERAL",), 15),
        (("DIBAO", "ORPHAN"), 93),
        (("DIBAO", "DIBAO"), 65),
        (("ORPHAN", "DIBAO", "LEFTCHILD", "DIS_SEVERE", "SINGLE", "RIGID", "ELD_80"), 102),
        (("NOT_LISTED",), 15),
    ],
)
def test_the_highest_vulnerability_and_a_little_for_each_other(codes: tuple[str, ...], points: int) -> None:
    assert vulnerability_points(codes, Policy()) == points


def test_distance_fades_from_ten_kilometres_on() -> None:
    assert [fade(metres, 10_000.0) for metres in (0.0, 10_000.0, 20_000.0, np.nan)] == [1.0, 1.0, 0.5, 0.5]


def test_nearness_by_code() -> None:
    others = (445381100000, 445381101000, 445321101000, 440100000000)
    assert [near(445381100000, other) for other in others] == [1.0, 0.5, 0.25, 0.0]


def test_haversine_of_a_degree_of_latitude() -> None:
    assert haversine_m(112.0, 22.0, 112.0, 23.0) == pytest.approx(111_195, abs=1)
    assert np.isnan(haversine_m(np.nan, np.nan, 112.0, 23.0))
