"""A plan survives its file; what is no plan is refused whole, with everything that is wrong with it."""

from __future__ import annotations

import json
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from matching.planfile import NotAPlan, read, write
from matching.plansheet import EVERY, SHOWN, faults_of
from matching.verify import verify
from tests.matching.sheets import by_hand, changed


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "round.plan.npz"
    write(path, by_hand())
    return path


def stored(file: Path) -> dict[str, Any]:
    with np.load(file) as archive:
        return dict(archive)


def save(file: Path, arrays: dict[str, Any]) -> None:
    with file.open("wb") as out:
        np.savez(out, **arrays)


def refused(file: Path) -> list[tuple[str, Any]]:
    """Rule and array of every fault."""
    with pytest.raises(NotAPlan) as error:
        read(file)
    assert all(line in str(error.value) for fault in error.value.faults for line in fault.lines)
    return [(fault.rule, fault.places[0].get("name")) for fault in error.value.faults]


def test_a_plan_comes_back_as_it_was(file: Path) -> None:
    before, after = by_hand(), read(file)
    for name in EVERY:
        assert np.array_equal(getattr(after, name), getattr(before, name)), name
    assert verify(after).holds
    assert (type(after.scale), type(after.gap), type(after.meta)) == (int, float, str)


def test_the_same_plan_is_the_same_file_and_nothing_is_left_beside_it(file: Path) -> None:
    first = file.read_bytes()
    write(file, by_hand())
    assert file.read_bytes() == first
    assert [path.name for path in file.parent.iterdir()] == [file.name]


def test_a_wrong_sheet_is_not_written_and_the_old_file_stays(file: Path) -> None:
    first = file.read_bytes()
    with pytest.raises(NotAPlan, match="units holds -1 at 0"):
        write(file, changed(by_hand(), "units", 0, -1))
    assert file.read_bytes() == first


def test_numbers_of_64_bits_stay(tmp_path: Path) -> None:
    far = changed(by_hand(), "offer_price", 0, 2**40)
    write(tmp_path / "far", far)
    assert read(tmp_path / "far").offer_price[0] == 2**40


def test_no_such_file(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read(tmp_path / "none")


@pytest.mark.parametrize(
    "content", [b"", b"text, not numbers\n" * 100, b"PK\x03\x04", b"\x93NUMPY\x01\x00v\x00{"]
)
def test_what_is_no_zip(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "file").write_bytes(content)
    assert refused(tmp_path / "file") == [("no_plan", None)]


def test_every_cut_is_refused(file: Path) -> None:
    whole = file.read_bytes()
    for end in range(0, len(whole), 97):
        file.write_bytes(whole[:end])
        assert refused(file) == [("no_plan", None)]


def test_every_damaged_byte_is_refused_or_harmless(file: Path) -> None:
    """A flipped bit never ends in another error, and never in other numbers."""
    whole, right = file.read_bytes(), by_hand()
    for at in range(0, len(whole), 11):
        file.write_bytes(whole[:at] + bytes([whole[at] ^ 0x10]) + whole[at + 1 :])
        try:
            found = read(file)
        except NotAPlan:
            continue
        assert all(np.array_equal(getattr(found, name), getattr(right, name)) for name in EVERY)


def test_objects_are_not_unpickled(file: Path) -> None:
    save(file, stored(file) | {"units": np.array([{}, 1], dtype=object)})
    assert refused(file) == [("unreadable", "units")]


def test_another_version_is_not_read_any_further(file: Path) -> None:
    save(file, {"version": np.asarray("nuanlian-plan/2"), "score": np.zeros(3)})
    with pytest.raises(NotAPlan, match="the version is nuanlian-plan/2; nuanlian-plan/1 can be read"):
        read(file)
    save(file, {"score": np.zeros(3)})
    assert refused(file) == [("version", None)]


def test_a_foreign_zip(file: Path) -> None:
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("letter.txt", "hello")
    assert refused(file) == [("version", None)]


def test_every_fault_is_named_at_once(file: Path) -> None:
    arrays = stored(file)
    del arrays["held_back"]
    save(file, arrays | {
        "extra": np.zeros(1), "score": arrays["score"] * 1.0, "offer": arrays["offer"] + 1, "units": arrays["units"][:-1],
        "start": arrays["start"][::-1], "meta": np.asarray("[]"), "gap": np.asarray(np.nan),
    })  # fmt: skip
    assert sorted(refused(file), key=str) == [
        ("above", "offer"), ("descends", "start"), ("ends", "start"), ("kind", "gap"), ("kind", "score"),
        ("length", "units"), ("meta", None), ("missing", "held_back"), ("unknown", "extra"),
    ]  # fmt: skip


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"units": np.zeros((6, 1), np.int64)}, "the array units holds 2-d int64, not 1-d whole numbers with a sign"),
    ({"units": np.zeros(6, np.uint64)}, "the array units holds 1-d uint64, not 1-d whole numbers with a sign"),
    ({"whole": np.zeros(4, np.int64)}, "the array whole holds 1-d int64, not 1-d bool"),
    ({"whole": np.zeros(3, np.bool_)}, "the array whole has 3 entries, not 4 (needs)"),
    ({"need_ids": np.array(["one"])}, "the array need_ids has 1 entries, not 4 (needs)"),
    ({"scale": 0}, "the array scale holds 0 at 0; the least allowed is 1"),
    ({"scale": 1.5}, "the array scale holds 0-d float64, not 0-d whole number with a sign"),
    ({"objective": -1}, "the array objective holds -1 at 0; the least allowed is 0"),
    ({"upper_bound": 2**63}, "the array upper_bound holds 0-d uint64, not 0-d whole number with a sign"),
    ({"upper_bound": 2**80}, "the array upper_bound holds 0-d object, not 0-d whole number with a sign"),
    ({"gap": float("inf")}, "the array gap holds inf, not a finite number"),
    ({"score": np.array([1, 0, 1, 1, 1, 2**31])}, "the array score holds 0 at 1; the least allowed is 1"),
    ({"score": np.array([1, 0, 1, 1, 1, 2**31])}, "the array score holds 2147483648 at 5; the most allowed is 2147483647"),
    ({"bundle": np.array([0, 0, 4, -1])}, "the array bundle holds 4 at 2; the most allowed is 3"),
    ({"group": np.array([0, 0, 1, 0, 0, 0])}, "the array group holds 1 at 2; the most allowed is 0"),
    ({"member": np.array([0, 0, 1, 2])}, "the array member holds 2 at 3; the most allowed is 1"),
    ({"start": np.array([0, 4, 2, 5, 6])}, "the array start descends at 2"),
    ({"start": np.array([1, 2, 4, 5, 5])}, "the array start goes from 1 to 5, not from 0 to 6"),
    ({"start": np.zeros(0, np.int64)}, "the array start has 0 entries, not 5 (needs + 1)"),
    ({"member_start": np.array([0, 0, 2, 3, 4])}, "need 1 counts to fairness group 0 more than once"),
    ({"share_price": np.array([0, -5])}, "the array share_price holds -5 at 1; the least allowed is 0"),
    ({"meta": "not json"}, "meta is no JSON object (Expecting value: line 1 column 1 (char 0))"),
    ({"meta": json.dumps([1])}, "meta is no JSON object ([1])"),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "sentence"), WRONG, ids=[sentence for _, sentence in WRONG])
def test_what_is_not_of_the_form(changes: dict[str, Any], sentence: str) -> None:
    wrong = replace(by_hand(), **changes)
    assert sentence in [line for fault in faults_of(wrong) for line in fault.lines]
    assert not verify(wrong).holds
    with pytest.raises(NotAPlan):
        write(Path("never"), wrong)


def test_what_may_be_left_out() -> None:
    none = np.zeros(0, np.str_)
    without = replace(by_hand(), need_ids=none, offer_ids=none, group_codes=none, group=np.zeros(0, np.int64))
    assert faults_of(without) == ()


def test_only_the_first_places_are_named() -> None:
    negative = replace(by_hand(), held_back=np.full(100, -1), offer_quantity=np.ones(100, np.int64))
    fault = next(fault for fault in faults_of(negative) if fault.rule == "below")
    assert (fault.count, len(fault.places)) == (100, SHOWN)
