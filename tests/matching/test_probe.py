"""What a probe reads are the features that the rules score by."""

from datetime import timedelta

import numpy as np

from matching.explain import explain
from matching.features import NAMES
from matching.model import Policy
from matching.probe import features_of
from matching.ranking import RULES
from tests.matching.build import CATALOGUE, NOW, TOWN, need, offer

SHARES = {TOWN: 100, "445381101000": 900, "445381102000": 900}


def test_the_rules_score_what_the_probe_reads() -> None:
    one, other = (
        need(needed_by=NOW + timedelta(days=3), quantity=9),
        offer(category="CEILFAN", quantity=4, licences=("electrician",)),
    )
    read = features_of(one, other, catalogue=CATALOGUE, policy=Policy(), now=NOW, shares=SHARES)
    assert read is not None and set(read) == set(NAMES)
    (edge,) = explain(
        one, [other], catalogue=CATALOGUE, policy=Policy(), model=RULES, now=NOW, shares=SHARES
    ).edges
    assert edge.score == RULES.contributions(np.array([[read[name] for name in NAMES]])).sum()
    assert read["quantity"] == 0.444444
    assert read["category"] == 0.5


def test_a_pair_that_is_not_possible_has_none() -> None:
    assert (
        features_of(need(consent=False), offer(), catalogue=CATALOGUE, policy=Policy(), now=NOW, shares={})
        is None
    )
