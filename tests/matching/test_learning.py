"""What decisions teach, what was known when, and how drift is told."""

from dataclasses import replace
from datetime import datetime, timedelta
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from matching.features import NAMES
from matching.learning import (
    DECLINED,
    DRIFT_ACT,
    DRIFT_WATCH,
    Decision,
    drift,
    label,
    profile,
    split,
    table_of,
)
from tests.matching.deciding import NOW, START, decisions, features, table

ROW = tuple(0.0 for _ in NAMES)
YES = Decision(START, True, ROW)
LATER = START + timedelta(days=9)
DECISIONS = st.lists(
    st.builds(
        Decision,
        at=st.integers(0, 300).map(lambda hours: START + timedelta(hours=hours)),
        approved=st.booleans(),
        features=st.just(ROW),
        reason=st.sampled_from([*DECLINED, "already_has"]),
        received_at=st.none() | st.integers(0, 900).map(lambda hours: START + timedelta(hours=hours)),
        outcome=st.sampled_from(["", "helped", "partly", "not_helped"]),
        outcome_at=st.none() | st.integers(0, 900).map(lambda hours: START + timedelta(hours=hours)),
    ),
    max_size=40,
)


@pytest.mark.parametrize(
    ("decision", "positive", "gain"),
    [
        (YES, 1, 1),
        (replace(YES, received_at=LATER), 1, 2),
        (replace(YES, outcome="partly", outcome_at=LATER), 1, 2),
        (replace(YES, outcome="helped", outcome_at=LATER), 1, 3),
        (replace(YES, outcome="not_helped", outcome_at=LATER), 0, 0),
        (replace(YES, approved=False, reason="too_far"), 0, 0),
    ],
)
def test_each_outcome_has_its_worth(decision: Decision, positive: int, gain: int) -> None:
    found = label(decision, NOW)
    assert found is not None
    assert (found.positive, found.gain) == (positive, gain)
    assert found.weight > 0


@pytest.mark.parametrize("reason", ["already_has", "verify_first", "a reason of tomorrow"])
def test_a_decline_that_says_nothing_of_the_pair_is_left_out(reason: str) -> None:
    assert label(replace(YES, approved=False, reason=reason), NOW) is None


@given(DECISIONS)
def test_what_is_learned_from_was_all_known_at_the_cut(some: list[Decision]) -> None:
    parts = split(some, NOW)
    cut = parts.cut.timestamp()
    assert (parts.before.at < cut).all()
    assert (parts.after.at >= cut).all()
    blind = [_as_known(decision, parts.cut) for decision in some]
    again = split(blind, NOW).before
    assert (again.gain == parts.before.gain).all()
    assert (again.positive == parts.before.positive).all()
    kept = [decision for decision in some if label(decision, NOW)]
    assert len(parts.before) + len(parts.after) == len(kept)


def _as_known(decision: Decision, cut: datetime) -> Decision:
    """The decision without what came to light at the cut or later."""
    late = decision.outcome_at is not None and decision.outcome_at >= cut
    received = decision.received_at if decision.received_at and decision.received_at < cut else None
    return replace(decision, received_at=received, outcome="" if late else decision.outcome)


def test_decisions_of_one_moment_stay_together() -> None:
    same = [replace(YES, approved=n % 2 == 0, reason="too_far") for n in range(8)]
    parts = split(same, NOW)
    assert (len(parts.before), len(parts.after)) == (0, 8)


def test_no_decisions_make_empty_tables() -> None:
    parts = split([], NOW)
    assert (len(parts.before), len(parts.after)) == (0, 0)
    assert parts.before.features.shape == (0, len(NAMES))


@given(st.randoms())
def test_the_order_of_decisions_does_not_matter(shuffle: Random) -> None:
    some = decisions(40)
    mixed = list(some)
    shuffle.shuffle(mixed)
    one, other = table_of(some, NOW), table_of(mixed, NOW)
    assert (one.features == other.features).all()
    assert (one.board == other.board).all()


def test_the_same_spread_is_no_drift_and_a_moved_one_is() -> None:
    learned = table(1_000)
    reference = profile(learned.features)
    same = drift(reference, features(1_000, 9))
    assert set(same) == set(NAMES)
    assert max(same.values()) < DRIFT_WATCH
    moved = features(1_000, 9)
    moved[:, NAMES.index("distance")] **= 3
    told = drift(reference, moved)
    assert told["distance"] > DRIFT_ACT
    assert max(value for name, value in told.items() if name != "distance") < DRIFT_WATCH


def test_drift_of_a_feature_that_never_differs_can_be_told() -> None:
    still = np.zeros((50, len(NAMES)))
    assert set(drift(profile(still), still).values()) == {0.0}
    assert min(drift(profile(still), still + 1).values()) > DRIFT_ACT
