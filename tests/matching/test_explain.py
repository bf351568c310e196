"""One need explained: the same rules and scores as a whole round."""

from dataclasses import replace
from typing import Any

from hypothesis import given as given_
from hypothesis import settings
from hypothesis import strategies as st

from matching.explain import Explanation, explain
from matching.model import Edge, Need, Offer, PendingAid, Policy
from matching.ranking import RULES
from tests.matching.build import CATALOGUE, FAR, NEAR, NOW, OTHER_COUNTY, given, need, offer, plan, rules_of


def explained(one: Need, offers: list[Offer], **changes: Any) -> Explanation:
    values: dict[str, Any] = {"catalogue": CATALOGUE, "policy": Policy(), "model": RULES, "now": NOW}
    return explain(one, offers, **(values | changes))


def test_possible_offers_are_ranked_and_the_others_name_their_rule() -> None:
    offers = [
        offer("near"),
        offer("far", point=FAR),
        offer("elsewhere", service_areas=(OTHER_COUNTY,)),
        offer("unlicensed", category="CEILFAN"),
        offer("other", category="RICE"),
    ]
    result = explained(need(), offers)
    assert [edge.offer_id for edge in result.edges] == ["near", "far"]
    assert result.refused == (("elsewhere", "out_of_area"), ("unlicensed", "licence_missing"))
    assert result.barred == ""


def test_a_need_that_is_barred_whole_says_so() -> None:
    assert explained(need(consent=False), [offer()]) == Explanation((), (), "consent_missing")
    assert explained(need(quantity=0), [offer()]).barred == "nothing_open"
    pending = [PendingAid("home-of-n1", "FAN", "another")]
    assert explained(need(), [offer()], pending=pending).barred == "aid_pending"


def test_no_offers_at_all() -> None:
    assert explained(need(), []) == Explanation((), (), "")


@settings(deadline=None)
@given_(st.lists(st.tuples(st.sampled_from([NEAR, FAR]), st.integers(0, 3), st.booleans()), max_size=6))
def test_it_judges_and_scores_as_a_round_does(some: list[tuple[tuple[float, float], int, bool]]) -> None:
    offers = [offer(f"o{n}", point=point, quantity=q, vetted=v) for n, (point, q, v) in enumerate(some)]
    result = explained(need(quantity=50), offers)
    planned = plan([need(quantity=50)], offers)
    kept = {a.offer_id: alone(a.edge) for a in planned.assignments}
    assert {edge.offer_id: alone(edge) for edge in result.edges} == kept
    assert len(result.refused) == rules_of(planned).get("nothing_left", 0)


def alone(edge: Edge) -> Edge:
    """The edge without fairness, which a plan gives and a single need does not have."""
    rest = tuple(part for part in edge.contributions if part[0] != "fairness")
    return replace(edge, contributions=rest, score=sum(points for _, points in rest))


def test_a_declined_pair_is_refused_here_and_in_a_round() -> None:
    declined = frozenset({("n1", "o1"), ("n1", "unknown")})
    assert explained(need(), [offer()], declined=declined).refused == (("o1", "declined_before"),)
    both = plan([need(), need("n2")], [offer()], declined=declined)
    assert given(both) == {("n2", "o1"): 1}
    assert rules_of(both) == {"declined_before": 1}
