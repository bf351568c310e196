"""Approvals decided on values: nothing is promised twice, whatever the order."""

from collections import Counter
from typing import Any
from uuid import UUID, uuid5

from hypothesis import given
from hypothesis import strategies as st

from services.coordination.rules import REFUSALS, NeedState, OfferState, Waiting, broken, settle

NOBODY = UUID(int=0)
SPACE = UUID(int=7)


def named(kind: str, number: int) -> UUID:
    return uuid5(SPACE, f"{kind}{number}")


def offer_state(number: int = 0, left: int = 1, *, is_open: bool = True) -> OfferState:
    return OfferState(named("offer", number), is_open, left, "APP-FAN", NOBODY, "delivery")


def need_state(number: int = 0, left: int = 1, **changes: Any) -> NeedState:
    values: dict[str, Any] = {"open": True, "consent": True, "raised_by": named("worker", 0)} | changes
    return NeedState(
        named("need", number), values["open"], values["consent"], left, "445381108000", NOBODY, "YF-1", "normal",
        values["raised_by"],
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
    }
    assert {rule: broken(*case) for rule, case in cases.items()} == {rule: rule for rule in cases}
    assert set(REFUSALS) == {*cases, "missing"}


def test_who_proposed_by_hand_does_not_approve() -> None:
    by = named("coordinator", 0)
    assert broken(waiting(proposed_by=by), offer_state(), need_state(), (1, 1), by) == "own_request"
