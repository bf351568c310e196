"""What a round looks at and what it changes, on values."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from matching.model import Assignment, Certificate, Edge, Plan, Reason, Refusal
from services.matcher import rules
from services.matcher.rules import (
    Pending,
    compare,
    component,
    counted,
    factors,
    head_of,
    impossible,
    missing,
    reach,
    refusals_of,
)
from shared.bus import new_id
from shared.tables import categories

CODES = sorted(categories())


def pending(**changes: Any) -> Pending:
    plain = Pending(
        id=new_id(), need_id=new_id(), offer_id=new_id(), area="445381108000", quantity=1, by_person=None, need_gone=False,
        offer_gone=False, need_changed=False, offer_changed=False, need_over=False, offer_over=False, need_left=5, offer_left=5, consent=True,
    )  # fmt: skip
    return replace(plain, **changes)


def plan(*assigned: tuple[str, str, int], refusals: tuple[Refusal, ...] = ()) -> Plan:
    assignments = tuple(
        Assignment(n, o, q, partial(Edge, n, o, 1000, (("base", 1000),))) for n, o, q in assigned
    )
    return Plan(assignments, {}, refusals, Certificate(0, 0, 0.0, "test", 1, 0, 0, 0), (), {})


def of(proposal: Pending, quantity: int = 1) -> tuple[str, str, int]:
    return str(proposal.need_id), str(proposal.offer_id), quantity


@given(st.lists(st.sampled_from(CODES), max_size=4))
def test_a_component_is_closed_under_substitutes(dirty: list[str]) -> None:
    found = component(dirty)
    assert set(dirty) <= set(found) == set(component(found))
    assert list(found) == sorted(set(found))
    for code, category in categories().items():
        for other, _ in category.accepts:
            assert (code in found) == (other in found)


@given(st.sampled_from(CODES), st.lists(st.lists(st.sampled_from(CODES), min_size=2, max_size=3), max_size=5))
def test_what_bundles_join_is_reached_from_each_of_its_categories(code: str, joined: list[list[str]]) -> None:
    heads = reach(code, joined)
    assert head_of(code) in heads and list(heads) == sorted(set(heads))
    for codes in joined:
        inside = {head_of(one) in heads for one in codes}
        assert len(inside) == 1, "a bundle is reached whole or not at all"
    assert all(reach(head, joined) == heads for head in heads)


def test_a_chain_of_bundles_is_followed_to_its_end() -> None:
    joined = [["MED-WCH", "APP-FAN"], ["FUR-BED", "FUR-MATT"], ["APP-FAN", "FUR-BED"]]
    assert reach("FUR-MATT", joined) == tuple(
        sorted(head_of(one) for one in ("APP-FAN", "FUR-MATT", "FUR-BED", "MED-WCH"))
    )
    assert reach("FOD-RICE", joined) == (head_of("FOD-RICE"),)


def test_the_same_pair_and_quantity_stays_untouched() -> None:
    proposal = pending()
    changes = compare(plan(of(proposal)), [proposal])
    assert (changes.kept, dict(changes.stale), changes.new) == ((proposal.id,), {}, ())


def test_another_quantity_is_taken_back_and_made_anew() -> None:
    proposal = pending()
    changes = compare(plan(of(proposal, 2)), [proposal])
    assert dict(changes.stale) == {proposal.id: "better_plan"}
    assert [a.quantity for a in changes.new] == [2]


def test_each_reason_to_take_back() -> None:
    cases = {
        "need_withdrawn": pending(need_gone=True),
        "offer_withdrawn": pending(offer_gone=True),
        "taken": pending(offer_left=0),
        "need_changed": pending(need_changed=True),
        "offer_changed": pending(offer_changed=True),
        "better_plan": pending(),
    }
    assert {reason: compare(plan(), [case]).stale[case.id] for reason, case in cases.items()} == {
        reason: reason for reason in cases
    }


def test_a_persons_proposal_stays_as_long_as_it_is_possible() -> None:
    person = new_id()
    assert compare(plan(), [pending(by_person=person, need_changed=True)]).stale == {}
    for change in (
        {"need_gone": True},
        {"need_left": 0},
        {"consent": False},
        {"offer_over": True},
        {"need_over": True},
    ):
        assert impossible(pending(by_person=person, **change)) is not None, change


def test_factors_carry_what_their_sentences_need() -> None:
    edge = Edge(
        "n",
        "o",
        6000,
        (("base", 1000), ("waiting", 2000), ("distance", 3000)),
        (Reason("waiting", (("days", 2),)), Reason("same_town")),
    )
    assert [(f.code, f.points, f.params) for f in factors(edge)] == [
        ("base", 1000, {}), ("waiting", 2000, {"days": 2}), ("distance", 3000, {}),
    ]  # fmt: skip
    assert sum(f.points for f in factors(edge)) == edge.score


def test_what_is_left_short_and_why() -> None:
    refusals = (
        Refusal("a", "out_of_area", 1, None),
        Refusal("a", "expiring", 3, None),
        Refusal("b", "expiring", 1, None),
    )
    made = plan(("a", "o", 1), ("c", "o", 2), refusals=refusals)
    short = missing(made, {"a": 3, "b": 1, "c": 2})
    assert short == {"a": 2, "b": 1}
    assert [r.rule for r in refusals_of(made)["a"]] == ["expiring", "out_of_area"]
    assert counted(refusals_of(made), short) == {"expiring": 2, "out_of_area": 1}


def test_the_offices_policy_and_taxonomy_suit_the_engine() -> None:
    assert rules.policy().base_priority["ORPHAN"] == 90
    assert set(rules.catalogue()) == set(CODES)
