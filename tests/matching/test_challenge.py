"""A challenger, its card, and when there is nothing to learn."""

import json
from dataclasses import replace

import pytest

from matching.challenge import TooFew, challenge
from matching.features import NAMES
from matching.ranking import RULES, AdditiveModel
from matching.training import OneSided
from tests.matching.deciding import GROUPS, NOW, decisions

BLIND = AdditiveModel.linear("blind", 1_000, [1] * len(NAMES))


def test_a_challenger_beats_rules_that_do_not_see_the_habit() -> None:
    found = challenge(decisions(), RULES, NOW)
    measures = found.card["measures"]
    assert measures["challenger"]["auc"] > measures["champion"]["auc"] + 0.05
    assert measures["challenger"]["brier"] < measures["champion"]["brier"]
    assert measures["challenger"]["ndcg5"] > measures["champion"]["ndcg5"]
    assert measures["worse_for"] == ()
    assert {group["code"] for group in measures["groups"]} == set(GROUPS)
    assert (found.card["learned"]["rows"], found.card["checked"]["rows"]) == (900, 300)


def test_a_card_is_plain_and_the_same_again() -> None:
    one, other = (challenge(decisions(), BLIND, NOW) for _ in range(2))
    assert json.dumps(one.card) == json.dumps(other.card)
    assert one.model == other.model
    assert one.card["champion"] == "blind"


def test_left_out_decisions_are_counted() -> None:
    some = [
        replace(d, reason="already_has") if not d.approved and n % 3 == 0 else d
        for n, d in enumerate(decisions())
    ]
    out = sum(d.reason == "already_has" for d in some)
    card = challenge(some, RULES, NOW).card
    assert card["left_out"] == out
    assert card["decisions"] == 1_200


def test_too_few_decisions_are_refused() -> None:
    with pytest.raises(TooFew, match="wait"):
        challenge(decisions(90), RULES, NOW)


def test_decisions_all_alike_are_refused() -> None:
    with pytest.raises(OneSided):
        challenge([replace(d, approved=True, reason="") for d in decisions(400)], RULES, NOW)
