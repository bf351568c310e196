"""Approvals decided on values: nothing is promised twice, whatever the order."""

from collections import Counter
from typing import Any
from uuid import UUID, uuid5

from hypothesis import given
from hypothesis import strategies as st

from services.coordination.rules import REFUSALS, Bundle, NeedState, OfferState, Waiting, broken, settle

NOBODY = UUID(int=0)
SPACE = UUID(int=7)


def named(kind: str, number: int) -> UUID:
    return uuid5(SPACE, f"{kind}{number}")


def offer_state(number: int = 0, left: int = 1, *, is_open: bool = True) -> OfferState:
    return OfferState(named("offer", number), is_open, left, "APP-FAN", NOBODY, "delivery")


def need_state(number: int = 0, left: int = 1, **changes: Any) -> NeedState:
    values: dict[str, Any] = {"open": True, "consent": True, "raised_by": named("worker", 0)} | changes
    beside = {key: values[key] for key in ("whole", "bundle_id") if key in values}
    return NeedState(
        named("need", number), values["open"], values["consent"], left, "445381108000", NOBODY, "YF-1", "normal",
        values["raised_by"], **beside,
    )  # fmt: skip


def waiting(number: int = 0, need: int = 0, offer: int = 0, wanted: int = 1, **changes: Any) -> Waiting:
    values: dict[str, Any] = {
        "quantity": wanted,
        "status": "pending",
        "version": 1,
        "proposed_by": None,
        "seen": None,
    } | changes
    return Waiting(
        id=named("proposal", number), need_id=named("need", need), offer_id=named("offer", offer), area="445381108000",
        wanted=wanted, **values,
    )  # fmt: skip


@given(
    st.lists(st.integers(0, 6), min_size=3, max_size=3),
    st.lists(st.integers(0, 6), min_size=3, max_size=3),
    st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2), st.integers(1, 4)), max_size=12),
)
def test_nothing_is_promised_beyond_what_is_left(
    needs: list[int], offers: list[int], wanted: list[tuple[int, int, int]]
) -> None:
    need_states = {named("need", n): need_state(n, left) for n, left in enumerate(needs)}
    offer_states = {named("offer", n): offer_state(n, left) for n, left in enumerate(offers)}
    proposals = [waiting(i, n, o, q) for i, (n, o, q) in enumerate(wanted)]
    granted, refused = settle(proposals, offer_states, need_states, NOBODY)
    of_need: Counter[UUID] = Counter()
    of_offer: Counter[UUID] = Counter()
    for one in granted:
        of_need[one.need.id] += one.quantity
        of_offer[one.offer.id] += one.quantity
    assert all(of_need[key] <= state.left for key, state in need_states.items())
    assert all(of_offer[key] <= state.left for key, state in offer_states.items())
    assert len(granted) + len(refused) == len(proposals)
    for no in refused:
        proposal = next(p for p in proposals if p.id == no.proposal_id)
        assert min(no.offer_left, no.need_left) < proposal.wanted


def test_each_rule_has_its_sentence_and_stands_alone() -> None:
    by = named("coordinator", 0)
    fine = (waiting(), offer_state(), need_state(), (1, 1), by)
    assert broken(*fine) == ""
    cases = {
        "decided": (waiting(status="approved"), offer_state(), need_state(), (1, 1), by),
        "own_request": (waiting(), offer_state(), need_state(raised_by=by), (1, 1), by),
        "stale": (waiting(seen=2), offer_state(), need_state(), (1, 1), by),
        "too_much": (waiting(wanted=2, quantity=1), offer_state(), need_state(), (2, 2), by),
        "offer_closed": (waiting(), offer_state(is_open=False), need_state(), (1, 1), by),
        "need_closed": (waiting(), offer_state(), need_state(open=False), (1, 1), by),
        "consent_missing": (waiting(), offer_state(), need_state(consent=False), (1, 1), by),
        "offer_short": (waiting(), offer_state(), need_state(), (0, 1), by),
        "need_short": (waiting(), offer_state(), need_state(), (1, 0), by),
        "whole_in_part": (waiting(quantity=2), offer_state(), need_state(whole=True), (2, 2), by),
    }
    assert {rule: broken(*case) for rule, case in cases.items()} == {rule: rule for rule in cases}
    assert set(REFUSALS) == {*cases, "missing", "bundle_others", "bundle_incomplete"}


def test_who_proposed_by_hand_does_not_approve() -> None:
    by = named("coordinator", 0)
    assert broken(waiting(proposed_by=by), offer_state(), need_state(), (1, 1), by) == "own_request"


SET = named("bundle", 0)


def bundle(*left: int) -> dict[UUID, Bundle]:
    """A bundle of needs 0, 1, … that lack so much, each with the proposal of its number."""
    return {
        SET: Bundle(
            {named("need", n): lacks for n, lacks in enumerate(left)},
            {named("need", n): (named("proposal", n),) for n in range(len(left))},
        )
    }


@given(
    st.lists(st.integers(1, 3), min_size=2, max_size=3),
    st.lists(st.integers(0, 4), min_size=3, max_size=3),
    st.lists(st.integers(0, 2), max_size=3, unique=True),
)
def test_a_bundle_is_promised_in_full_or_not_at_all(
    lacks: list[int], offers: list[int], asked: list[int]
) -> None:
    needs = {named("need", n): need_state(n, left, bundle_id=SET) for n, left in enumerate(lacks)}
    offer_states = {named("offer", n): offer_state(n, left) for n, left in enumerate(offers)}
    proposals = [waiting(n, n, n, lacks[n]) for n in asked if n < len(lacks)]
    granted, refused = settle(proposals, offer_states, needs, NOBODY, bundle(*lacks))
    given = Counter({one.need.id: one.quantity for one in granted})
    assert given in (Counter(), Counter({named("need", n): left for n, left in enumerate(lacks)}))
    assert len(granted) + len(refused) == len(proposals)
    possible = len(proposals) == len(lacks) and all(offers[n] >= left for n, left in enumerate(lacks))
    assert bool(granted) == possible


def test_what_a_bundle_does_not_get_is_left_for_the_next() -> None:
    needs = {named("need", n): need_state(n, 1, bundle_id=SET if n < 2 else None) for n in range(3)}
    offers = {named("offer", 0): offer_state(0, 1)}
    proposals = [waiting(0, 0), waiting(2, 2)]
    granted, refused = settle(proposals, offers, needs, NOBODY, bundle(1, 1))
    assert [one.proposal.id for one in granted] == [named("proposal", 2)]
    assert [(no.rule, no.params["others"]) for no in refused] == [("bundle_others", 1)]
