"""The reference tables say what design and rules rely on, and names find exactly one row or are refused."""

import pytest

from matching.policy import Policy
from shared import tables
from shared.errors import RuleBroken
from shared.i18n import Language
from shared.tables.labels import LEVELS


def test_yunfu_has_five_counties_and_sixty_three_towns() -> None:
    yunfu = [area for area in tables.areas().values() if tables.is_within(area.code, "445300000000")]
    assert sum(area.level == "county" for area in yunfu) == 5
    assert len(tables.towns("445300000000")) == 63
    assert sum(not area.is_admin for area in yunfu) == 8
    per_county = {area.zh: len(tables.towns(area.code)) for area in yunfu if area.level == "county"}
    assert per_county == {"云城区": 8, "云安区": 7, "新兴县": 12, "郁南县": 15, "罗定市": 21}


def test_every_town_lies_in_its_parent_and_near_it() -> None:
    for town in tables.towns():
        county = tables.area(town.parent)
        assert county.level == "county"
        assert tables.is_within(town.code, county.code)
        assert town.point is not None
        assert county.point is not None
        assert abs(town.point[0] - county.point[0]) < 0.6
        assert abs(town.point[1] - county.point[1]) < 0.6


def test_points_are_rounded_to_a_hundredth_of_a_degree() -> None:
    for area in tables.areas().values():
        assert all(round(value, 2) == value for value in area.point or ())


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("440000000000", "44"),
        ("445300000000", "4453"),
        ("445381000000", "445381"),
        ("445381100000", "445381100"),
        ("445300100000", "445300100"),
        ("445381100007", "445381100007"),
    ],
)
def test_prefix_ends_at_a_level(code: str, expected: str) -> None:
    assert tables.prefix(code) == expected
    assert len(expected) in LEVELS


def test_a_county_contains_its_towns_and_no_other() -> None:
    assert tables.is_within("445381100000", "445381000000")
    assert tables.is_within("445381000000", "445381000000")
    assert not tables.is_within("445322115000", "445381000000")
    assert not tables.is_within("445381000000", "445381100000")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("445381100000", "445381100000"),
        ("罗定市罗镜镇", "445381100000"),
        ("罗定市/罗镜镇", "445381100000"),
        (" 云浮市 罗定市 罗镜镇 ", "445381100000"),
        ("罗镜", "445381100000"),
        ("朗塘镇", "445381106000"),
        ("罗定市满塘镇", "445381106000"),
        ("䓣塘镇", "445381106000"),
        ("罗定市太平镇", "445381101000"),
        ("新兴县太平镇", "445321107000"),
        ("河口镇", "445322112000"),
        ("河口街道", "445302003000"),
        ("luojing town, luoding city", "445381100000"),
        ("４４５３８１１０００００", "445381100000"),
    ],
)
def test_an_area_is_found_by_code_name_and_alias(text: str, code: str) -> None:
    assert tables.find_area(text).code == code


@pytest.mark.parametrize(
    ("text", "named"),
    [("太平镇", ("新兴县太平镇", "罗定市太平镇")), ("河口", ("云城区河口街道", "郁南县河口镇"))],
)
def test_an_ambiguous_name_is_refused_with_its_candidates(text: str, named: tuple[str, ...]) -> None:
    with pytest.raises(RuleBroken) as caught:
        tables.find_area(text)
    assert caught.value.rule == "area_ambiguous"
    assert all(name in str(caught.value.params["candidates"]) for name in named)


def test_an_unknown_area_is_refused_without_repeating_it() -> None:
    with pytest.raises(RuleBroken) as caught:
        tables.find_area("张三家")
    assert caught.value.rule == "area_unknown"
    assert "张三" not in caught.value.message + str(caught.value.params)


@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_every_label_finds_its_row_again(language: Language) -> None:
    for code in tables.areas():
        assert tables.find_area(tables.area_label(code, language)).code == code
    for code in tables.categories():
        assert tables.find_category(tables.category_label(code, language)) == code
        assert tables.unit_label(code, language)
    for code in tables.vulnerabilities():
        assert tables.find_vulnerability(tables.vulnerability_label(code, language)) == code
    for name in tables.licences():
        assert tables.find_licence(tables.licence_label(name, language)) == name


def test_labels_say_the_county_of_a_town() -> None:
    assert tables.area_label("445381100000") == "罗定市罗镜镇"
    assert tables.area_label("445381100000", "en") == "Luojing Town, Luoding City"
    assert tables.area_label("445303103000", "en") == "Zhen'an Town, Yun'an District"
    assert tables.area_label("445381000000") == "罗定市"
    assert tables.area_label("000000000000") == "000000000000"


def test_units_in_english_know_one_and_many() -> None:
    assert tables.unit_label("APP-FAN") == "台"
    assert tables.unit_label("APP-FAN", "en", 1) == "unit"
    assert tables.unit_label("APP-FAN", "en", 3) == "units"
    assert tables.unit_label("NO-SUCH") == ""


def test_the_taxonomy_is_whole() -> None:
    categories = tables.categories()
    assert len(categories) == 112
    for category in categories.values():
        assert {code for code, _ in category.accepts} <= categories.keys()
        assert set(category.incompatible) <= categories.keys()
        assert not {code for code, _ in category.accepts} & set(category.incompatible)
        assert all(0 < worth <= 1000 for _, worth in category.accepts)
        assert category.typical[0] <= category.typical[1]
        assert category.licence == "" or category.licence in tables.licences()
        assert category.safety_class != "SR" or category.office


def test_licensed_classes_name_a_licence_where_one_exists() -> None:
    licensed = [c for c in tables.categories().values() if c.safety_class in ("S3", "S4") and c.licence]
    assert tables.categories()["HSE-WIRE"].licence == "低压电工作业证"
    assert len(licensed) >= 20


def test_expiry_margins_follow_the_kind_of_goods() -> None:
    margins = {code: category.shelf_margin_days for code, category in tables.categories().items()}
    assert (margins["FOD-RICE"], margins["FOD-INFANT"], margins["MED-DRUG"], margins["APP-FAN"]) == (
        3,
        30,
        30,
        0,
    )


def test_base_priorities_reach_the_engine_from_the_table() -> None:
    assert len(tables.vulnerabilities()) == 36
    policy = Policy.load(tables.policy()["matching"])
    assert policy.base_priority["ORPHAN"] == 90
    assert set(policy.base_priority) == set(tables.vulnerabilities())
    assert policy.self_pickup_m == 15_000
