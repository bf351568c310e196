"""The sample is invented beyond doubt, reads back without a fault, and gives the engine something to decide."""

from collections import Counter
from datetime import date, datetime, time, timedelta
from pathlib import Path

import pytest
from pydantic import TypeAdapter
from python_calamine import CalamineWorkbook

from deploy import sample
from deploy.sample import Sample
from deploy.sample.dice import Dice
from deploy.sample.households import CHECK_DIGITS, WEIGHTS
from matching.model import BeneficiaryKind, Category, Need, Offer, Plan, Urgency
from matching.policy import Policy
from matching.propose import propose
from matching.ranking import RULES
from services.intake.layouts import HOUSEHOLDS, NEEDS
from services.offers.layouts import OFFERS
from shared import tables
from shared.clock import LOCAL
from shared.sheets import Layout, read

DAY = date(2026, 3, 2)
LAYOUTS = {"households": HOUSEHOLDS, "needs": NEEDS, "offers": OFFERS}
KEPT = Path(sample.__file__).parent / "data"


@pytest.fixture(scope="module")
def made() -> Sample:
    return sample.generate(300, 1, DAY)


def moment(day: date | None, clock: time) -> datetime | None:
    return datetime.combine(day, clock, LOCAL) if day else None


def engine_needs(made: Sample) -> list[Need]:
    urgency, kind = TypeAdapter[Urgency](Urgency), TypeAdapter[BeneficiaryKind](BeneficiaryKind)
    return [
        Need(
            need.row["need_number"], need.beneficiary, need.area, tables.area(need.area).point, need.category, need.quantity,
            urgency.validate_python(need.urgency), moment(need.needed_by, time(23, 59)),
            datetime.combine(need.row["visited_on"], time(), LOCAL), need.vulnerabilities, need.minor, need.consent,
            kind.validate_python(need.kind), need.whole, need.bundle,
        )
        for need in made.meant
    ]  # fmt: skip


def engine_offers(made: Sample) -> list[Offer]:
    return [
        Offer(
            row["offer_number"], row["charity"], row["category"], row["quantity"], row["service_areas"], row["origin_area"],
            tables.area(row["origin_area"]).point, row["radius_km"] and row["radius_km"] * 1000, row["pickup"],
            moment(row["available_from"], time()), moment(row["available_until"], time(23, 59)), row["expires_on"],
            row["designated"], row["licences"], row["vetted"], row["per_household_limit"], row["condition"],
            row["per_day_limit"],
        )
        for row in made.offers
    ]  # fmt: skip


def plan_of(made: Sample) -> Plan:
    catalogue = {
        c.code: Category(
            c.code, c.group, c.kind, c.consumable, c.licence, c.safety_class, c.shelf_margin_days, c.accepts, c.incompatible
        )
        for c in tables.categories().values()
    }  # fmt: skip
    return propose(
        engine_needs(made),
        engine_offers(made),
        catalogue=catalogue,
        policy=Policy.load(tables.policy()["matching"]),
        model=RULES,
        now=datetime.combine(DAY, time(9), LOCAL),
        seed=1,
    )


def test_three_hundred_households_have_four_hundred_needs_and_sixty_offers(made: Sample) -> None:
    assert len({row["case_number"] for row in made.households}) == 300
    assert (len(made.needs), len(made.offers)) == (400, 60)
    assert len({row["charity"] for row in made.offers}) >= 10
    assert 0.2 < sum(row["category"] is None for row in made.needs) / 400 < 0.3


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others() -> None:
    first = sample.files(30, 7, DAY)
    assert first == sample.files(30, 7, DAY)
    assert first["needs"] != sample.files(30, 8, DAY)["needs"]


@pytest.mark.parametrize("name", LAYOUTS)
def test_every_row_reads_back_as_it_was_made(made: Sample, name: str) -> None:
    rows = {"households": made.households, "needs": made.needs, "offers": made.offers}[name]
    sheet = read(sample.files(300, 1, DAY)[name], f"{name}.xlsx", LAYOUTS[name])
    assert sheet.faults == ()
    empty = {column.key: column.empty for column in LAYOUTS[name].columns}
    assert [dict(row.values) for row in sheet.rows] == [empty | dict(row) for row in rows]


def test_the_committed_workbooks_are_those_of_the_generator() -> None:
    for name, content in sample.files(300, 1, sample.REFERENCE, sample.KEEPS).items():
        kept = read((KEPT / f"{name}.xlsx").read_bytes(), name, LAYOUTS[name])
        assert kept.rows == read(content, name, LAYOUTS[name]).rows


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)
def test_the_workbooks_say_that_they_are_invented(layout: Layout) -> None:
    with CalamineWorkbook.from_path(KEPT / f"{layout.name}.xlsx") as book:
        assert "虚构数据" in str(book.get_sheet_by_name(layout.zh).to_python(nrows=1))


def test_nobody_in_it_can_be_real(made: Sample) -> None:
    for row in made.households:
        assert "示例" in row["member_name"]
        assert "虚构" in row["address"]
        assert row["phone"].startswith("000")
        number = row["id_number"]
        if number:
            total = sum(int(digit) * weight for digit, weight in zip(number[:17], WEIGHTS, strict=True))
            assert len(number) == 18
            assert number[0] == "0"
            assert number[17] != CHECK_DIGITS[total % 11]
    assert all("示例" in row["charity"] for row in made.offers)


def test_id_numbers_and_names_are_unique(made: Sample) -> None:
    for key in ("id_number", "member_name"):
        said = [row[key] for row in made.households if row[key]]
        assert len(set(said)) == len(said)


def test_rows_of_one_household_agree(made: Sample) -> None:
    keys = ("area", "village", "address", "phone", "vulnerabilities", "consent", "consent_on")
    seen: dict[str, tuple[object, ...]] = {}
    for row in made.households:
        said = tuple(row[key] for key in keys)
        assert seen.setdefault(row["case_number"], said) == said


def test_needs_name_a_household_or_a_site(made: Sample) -> None:
    files = {row["case_number"] for row in made.households}
    for row in made.needs:
        site = (row.get("beneficiary_kind"), row.get("beneficiary_name"), row.get("area"))
        assert row.get("case_number") in files if row.get("case_number") else all(site)
        assert row["category"] or row["text"]
        assert row["quantity"] or row["text"]
    assert len({row["need_number"] for row in made.needs}) == 400


def test_all_towns_of_the_five_counties_take_part(made: Sample) -> None:
    there = {row["area"] for row in made.households}
    assert there == {town.code for town in tables.towns("445300000000")}


def test_dates_fit_the_day(made: Sample) -> None:
    for row in made.needs:
        assert DAY - timedelta(days=25) < row["visited_on"] <= DAY
        assert row["needed_by"] is None or row["needed_by"] > DAY
    for row in made.offers:
        assert row["available_until"] is None or row["available_until"] > DAY
        assert row["expires_on"] is None or row["expires_on"] > DAY
        assert (
            row["available_from"] is None
            or row["available_until"] is None
            or row["available_from"] < row["available_until"]
        )


def test_kept_files_stay_usable_for_years() -> None:
    kept = sample.generate(60, 1, DAY, sample.KEEPS)
    last = [row[key] for row in kept.offers for key in ("available_until", "expires_on") if row[key]]
    last += [row["needed_by"] for row in kept.needs if row["needed_by"]]
    assert min(last) > date(DAY.year + 9, 1, 1)


def test_some_needs_help_only_together_or_whole_and_some_offers_are_limited_a_day(made: Sample) -> None:
    sets: dict[str, list[str]] = {}
    for need in made.meant:
        if need.bundle:
            sets.setdefault(need.bundle, []).append(need.row["category"])
    assert len(sets) >= 2 and all(sorted(parts) == ["FUR-BED", "FUR-MATT"] for parts in sets.values())
    assert sum(need.whole and not need.bundle for need in made.meant) >= 2
    assert any(row["per_day_limit"] for row in made.offers)
    given = Counter(assignment.need_id for assignment in plan_of(made).assignments)
    served = [
        {bool(given[need.row["need_number"]]) for need in made.meant if need.bundle == name} for name in sets
    ]
    assert all(len(some) == 1 for some in served) and {True} in served


@pytest.mark.parametrize("seed", [1, 2])
def test_most_needs_can_be_served_and_the_others_have_reasons(seed: int) -> None:
    plan = plan_of(sample.generate(300, seed, DAY))
    given = Counter[str]()
    for assignment in plan.assignments:
        given[assignment.need_id] += assignment.quantity
    assert 0.55 <= len(given) / 400 <= 0.75
    assert plan.certificate.gap <= 1e-4
    rules = {refusal.rule for refusal in plan.refusals}
    assert rules >= {
        "out_of_area", "not_designated", "licence_missing", "vetting_missing", "consent_missing", "government_procedure",
        "no_offer_of_category", "outranked",
    }  # fmt: skip


def test_a_sample_of_one_household_is_still_a_sample() -> None:
    tiny = sample.generate(1, 5, DAY)
    assert (len(tiny.needs), len(tiny.offers)) == (1, 1)


def test_no_households_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        sample.generate(0, 1, DAY)


def test_chance_is_the_same_everywhere() -> None:
    dice = Dice("nuanlian", 1)
    assert [dice.below(1000) for _ in range(4)] == [424, 335, 803, 519]
    assert sorted(dice.shuffled(range(9))) == list(range(9))
    assert {dice.weighted({"a": 1, "b": 0}) for _ in range(20)} == {"a"}
    assert dice.child("x").below(10**9) == dice.child("x").below(10**9)
