"""Settings are data: laid over the defaults, and refused when misspelt."""

import pytest

from matching.policy import Policy, UnknownSetting


def test_a_table_changes_only_the_rows_it_names() -> None:
    policy = Policy.load({"urgency_points": {"critical": 60}, "self_pickup_m": 8_000})
    assert (policy.urgency_points["critical"], policy.urgency_points["high"], policy.self_pickup_m) == (
        60,
        20,
        8_000,
    )
    assert Policy().urgency_points["critical"] == 40


def test_a_misspelt_setting_is_refused_with_the_names_there_are() -> None:
    with pytest.raises(UnknownSetting, match=r"waitng_cap.*waiting_cap"):
        Policy.load({"waitng_cap": 5})
