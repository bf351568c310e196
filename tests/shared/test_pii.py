"""Personal fields open only with their key, at their place."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.pii import Keyring, Unreadable, mask, normalise

KEYRING = Keyring(b"k" * 32)
PLACE = "42|household|name"


@given(st.text(max_size=60))
def test_what_was_sealed_opens_again_and_is_not_in_the_clear(text: str) -> None:
    key = KEYRING.new_data_key("42")
    sealed = KEYRING.seal(key, PLACE, text)
    assert sealed is not None
    assert KEYRING.open(key, PLACE, sealed) == text
    assert len(text) < 4 or text.encode() not in sealed


def test_nothing_stays_nothing() -> None:
    key = KEYRING.new_data_key("42")
    assert KEYRING.seal(key, PLACE, None) is None
    assert KEYRING.open(key, PLACE, None) is None


@pytest.mark.parametrize("place", ["42|household|phone", "42|member|name"])
def test_a_field_moved_to_another_place_fails_closed(place: str) -> None:
    key = KEYRING.new_data_key("42")
    with pytest.raises(Unreadable):
        KEYRING.open(key, place, KEYRING.seal(key, PLACE, "示例"))


def test_a_data_key_moved_to_another_household_fails_closed() -> None:
    key = KEYRING.new_data_key("42")
    with pytest.raises(Unreadable):
        KEYRING.seal(key, "43|household|name", "示例")


def test_another_master_key_opens_nothing() -> None:
    key = KEYRING.new_data_key("42")
    with pytest.raises(Unreadable):
        Keyring(b"x" * 32).open(key, PLACE, KEYRING.seal(key, PLACE, "示例"))


def test_the_blind_index_meets_the_same_number_however_it_is_written() -> None:
    assert KEYRING.blind("phone", "０７６６-123 4567") == KEYRING.blind("phone", "07661234567")
    assert KEYRING.blind("phone", "07661234567") != KEYRING.blind("id_number", "07661234567")
    assert KEYRING.blind("phone", "  ") is None
    assert Keyring(b"x" * 32).blind("phone", "1") != KEYRING.blind("phone", "1")


def test_masking_shows_the_beginning_alone() -> None:
    assert mask("张示例") == "张**"
    assert mask(None) == ""
    assert normalise("Ａ-1 b") == "a1b"
