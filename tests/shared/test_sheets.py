"""A sheet comes back as it was written, and every fault is named by row, column and rule without repeating the cell."""

import io
import string
import zipfile
from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from python_calamine import CalamineWorkbook
from xlsxwriter import Workbook

from shared import tables
from shared.clock import LOCAL
from shared.i18n import Language, catalogue
from shared.sheets import (
    Choice,
    Column,
    Fault,
    Layout,
    Sheet,
    chinese,
    files,
    read,
    template,
    unpacking,
    write,
    write_csv,
)
from shared.sheets.cells import clean

COLOURS = (Choice("r", "红色", "Red"), Choice("g", "绿色", "Green"))
LAYOUT = Layout(
    "things",
    "物品",
    "Things",
    (
        Column("number", "编号", "Number", required=True),
        Column("count", "数量", "Count", "int", least=1),
        Column("price", "单价", "Price", "decimal", least=0),
        Column("day", "日期", "Day", "date"),
        Column("at", "时间", "Time", "datetime"),
        Column("flag", "是否", "Flag", "bool"),
        Column("colour", "颜色", "Colour", "choice", choices=COLOURS),
        Column("colours", "多种颜色", "Colours", "codes", choices=COLOURS),
        Column("town", "镇街", "Town", "area"),
        Column("towns", "范围", "Area", "areas"),
        Column("category", "类别", "Category", "category"),
        Column("who", "对象", "Who", "vulnerabilities"),
        Column("papers", "证件", "Papers", "licences"),
    ),
)


SOUND = write(LAYOUT, [{"number": "A1", "count": 3}])


def only(sheet: Sheet) -> Mapping[str, Any]:
    assert sheet.faults == ()
    (row,) = sheet.rows
    return row.values


def one_cell(key: str, text: str) -> Sheet:
    column = LAYOUT.by_key[key]
    return read(f'编号\t{column.zh}\nA1\t"{text}"\n'.encode(), "a.csv", LAYOUT)


def rule_of(sheet: Sheet) -> tuple[int, str, str]:
    (fault,) = sheet.faults
    return fault.row, fault.column, fault.rule


def workbook(rows: list[list[Any]], name: str = "物品") -> bytes:
    out = io.BytesIO()
    with Workbook(out, {"in_memory": True}) as book:
        sheet = book.add_worksheet(name)
        for index, row in enumerate(rows):
            for at, cell in enumerate(row):
                sheet.write(index, at, cell)
    return out.getvalue()


TEXT = st.text(max_size=40).map(clean)


def few(codes: Iterable[str]) -> st.SearchStrategy[tuple[str, ...]]:
    return st.lists(st.sampled_from(sorted(codes)), max_size=3, unique=True).map(tuple)


VALUES = st.fixed_dictionaries(
    {
        "number": TEXT.filter(bool),
        "count": st.none() | st.integers(1, 10_000_000),
        "price": st.none() | st.decimals(0, 1_000_000, places=2),
        "day": st.none() | st.dates(date(1850, 1, 1), date(2150, 1, 1)),
        "at": st.none()
        | st.datetimes(datetime(1950, 1, 1), datetime(2150, 1, 1)).map(
            lambda t: t.replace(microsecond=0, tzinfo=LOCAL)
        ),
        "flag": st.none() | st.booleans(),
        "colour": st.none() | st.sampled_from(("r", "g")),
        "colours": few(("r", "g")),
        "town": st.none() | st.sampled_from(sorted(tables.areas())),
        "towns": few(tables.areas()),
        "category": st.none() | st.sampled_from(sorted(tables.categories())),
        "who": few(tables.vulnerabilities()),
        "papers": few(tables.licences()),
    }
)


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(rows=st.lists(VALUES, min_size=1, max_size=4), language=st.sampled_from(("zh-CN", "en")))
def test_what_is_written_is_read_again(rows: list[dict[str, Any]], language: Language) -> None:
    for content in (write(LAYOUT, rows, language=language), write_csv(LAYOUT, rows, language=language)):
        sheet = read(content, "a", LAYOUT)
        assert sheet.faults == ()
        assert [dict(row.values) for row in sheet.rows] == rows


def test_the_same_rows_give_the_same_bytes() -> None:
    rows = [{"number": "A1", "day": date(2024, 8, 20)}]
    assert write(LAYOUT, rows) == write(LAYOUT, rows)


def test_headings_are_found_in_any_order_case_and_language() -> None:
    sheet = read(" COUNT ,编 号,Colour*\n2,A1,green\n".encode(), "a.csv", LAYOUT)
    values = only(sheet)
    assert (values["number"], values["count"], values["colour"], values["town"], values["towns"]) == (
        "A1",
        2,
        "g",
        None,
        (),
    )


def test_a_banner_and_empty_rows_are_passed_over_and_rows_keep_their_numbers() -> None:
    sheet = read("虚构数据,\n,\n编号,数量\nA1,1\n , \nA2,2\n".encode(), "a.csv", LAYOUT)
    assert [(row.number, row.values["number"]) for row in sheet.rows] == [(4, "A1"), (6, "A2")]


def test_a_banner_survives_a_round_trip() -> None:
    content = write(LAYOUT, [{"number": "A1"}], notice="虚构数据，不涉及任何真实人员")
    assert only(read(content, "a.xlsx", LAYOUT))["number"] == "A1"
    with CalamineWorkbook.from_filelike(io.BytesIO(content)) as book:
        assert "虚构数据" in str(book.get_sheet_by_name("说明").to_python())


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_csv_is_read_in_the_encodings_that_offices_have(encoding: str) -> None:
    assert (
        only(read("编号,镇街\nA1,罗定市䓣塘镇\n".encode(encoding), "a.csv", LAYOUT))["town"] == "445381106000"
    )


@pytest.mark.parametrize(
    ("key", "text", "value"),
    [
        ("count", "３", 3),
        ("count", "1,200", 1200),
        ("price", "￥12.50", Decimal("12.50")),
        ("price", "12元", Decimal("12.00")),
        ("day", "2024-08-20", date(2024, 8, 20)),
        ("day", "2024年8月2日", date(2024, 8, 2)),
        ("day", "2024/8/20", date(2024, 8, 20)),
        ("day", "20240820", date(2024, 8, 20)),
        ("day", "2024-08-20 00:00:00", date(2024, 8, 20)),
        ("at", "2024-08-20 9:30", datetime(2024, 8, 20, 9, 30, tzinfo=LOCAL)),
        ("at", "2024-08-20T01:30:00Z", datetime(2024, 8, 20, 9, 30, tzinfo=LOCAL)),
        ("flag", "有", True),
        ("flag", "NO", False),
        ("colours", "红色、green", ("r", "g")),
        ("who", "DIBAO；孤儿;DIBAO", ("DIBAO", "ORPHAN")),
        ("towns", "罗定市,新兴县太平镇", ("445381000000", "445321107000")),
        ("category", "app-fan", "APP-FAN"),
        ("papers", "Low-voltage electrician certificate", ("低压电工作业证",)),
    ],
)
def test_a_cell_is_read_as_people_write_it(key: str, text: str, value: object) -> None:
    assert only(one_cell(key, text))[key] == value


@pytest.mark.parametrize(
    ("key", "text", "rule"),
    [
        ("count", "两台", "not_a_number"),
        ("count", "NaN", "not_a_number"),
        ("count", "1e400", "not_a_number"),
        ("count", "1.5", "not_whole"),
        ("count", "0", "too_small"),
        ("count", "1000000000000000000", "too_large"),
        ("price", "1.234", "too_fine"),
        ("day", "8月20日", "not_a_date"),
        ("day", "2024-02-30", "not_a_date"),
        ("day", "2024-08-20 25:00", "not_a_date"),
        ("day", "45524", "not_a_date"),
        ("flag", "也许", "not_yes_or_no"),
        ("colour", "蓝色", "not_a_choice"),
        ("colours", "红色;蓝色", "not_a_choice"),
        ("town", "太平镇", "area_ambiguous"),
        ("town", "某某镇", "area_unknown"),
        ("category", "风扇灯", "category_unknown"),
        ("who", "孤儿;穷人", "vulnerability_unknown"),
        ("papers", "电工", "licence_unknown"),
        ("number", "", "required"),
        ("number", "长" * 501, "too_long"),
    ],
)
def test_a_wrong_cell_is_a_fault_by_row_column_and_rule(key: str, text: str, rule: str) -> None:
    sheet = (
        one_cell(key, text) if key != "number" else read(f"编号,数量\n{text},1\n".encode(), "a.csv", LAYOUT)
    )
    assert rule_of(sheet) == (2, key, rule)
    assert sheet.right_rows == ()
    assert [row.number for row in sheet.wrong_rows] == [2]


@pytest.mark.parametrize("key", [column.key for column in LAYOUT.columns if column.kind != "text"])
def test_a_fault_never_repeats_what_the_cell_says(key: str) -> None:
    (fault,) = one_cell(key, "张三丰 00000000001").faults
    assert fault.column == key
    assert "张三丰" not in fault.render(chinese)
    assert "00000000001" not in fault.render(chinese)


def test_a_long_number_that_lost_its_digits_is_refused() -> None:
    sheet = read(workbook([["编号", "数量"], [441900199001011234, 1], [12.0, 2]]), "a.xlsx", LAYOUT)
    assert rule_of(sheet) == (2, "number", "digits_lost")
    assert sheet.right_rows[0].values["number"] == "12"


def test_a_binary_fraction_is_read_as_it_was_typed() -> None:
    sheet = read(workbook([["编号", "单价"], ["A1", 0.1 + 0.2]]), "a.xlsx", LAYOUT)
    assert only(sheet)["price"] == Decimal("0.30")


def test_times_in_cells_are_beijing_time() -> None:
    out = io.BytesIO()
    with Workbook(out, {"in_memory": True}) as book:
        sheet = book.add_worksheet()
        form = book.add_format({"num_format": "yyyy-mm-dd hh:mm"})
        sheet.write_row(0, 0, ["编号", "时间", "日期"])
        sheet.write_string(1, 0, "A1")
        for at in (1, 2):
            sheet.write_datetime(1, at, datetime(2024, 8, 20, 9, 30), form)
    values = only(read(out.getvalue(), "a.xlsx", LAYOUT))
    assert values["at"] == datetime(2024, 8, 20, 9, 30, tzinfo=LOCAL)
    assert values["at"].utcoffset() == timedelta(hours=8)
    assert values["day"] == date(2024, 8, 20)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("编号,数量,张三\nA1,1,x\n", (0, "C", "unknown_column")),
        ("编号,数量,\nA1,1,\n", None),
        ("编号,数量,编号\nA1,1,A2\n", (0, "number", "column_twice")),
        ("数量,颜色\n1,红色\n", (0, "number", "column_missing")),
        ("甲,乙\n1,2\n", (0, "", "no_heading")),
        ("编号,数量\n", (0, "", "empty_file")),
        ("", (0, "", "empty_file")),
        ('编号,数量\n"A1"x,1\n', (0, "", "broken_file")),
    ],
)
def test_a_wrong_heading_leaves_no_row_to_use(text: str, expected: tuple[int, str, str] | None) -> None:
    sheet = read(text.encode(), "a.csv", LAYOUT)
    assert (rule_of(sheet) if sheet.faults else None) == expected
    assert sheet.unusable == (expected is not None)
    assert "张三" not in str(sheet.faults)


@pytest.mark.parametrize(
    ("content", "rule"),
    [
        (b"\x89PNG\r\n\x1a\n\x00\x00", "wrong_type"),
        (b"\xd0\xcf\x11\xe0old", "old_or_locked"),
        (b"PK\x03\x04broken", "broken_file"),
        (b"a" * (files.MAX_BYTES + 1), "too_big"),
    ],
)
def test_a_file_of_another_kind_is_refused_with_what_to_do(content: bytes, rule: str) -> None:
    sheet = read(content, "a.xlsx", LAYOUT)
    assert rule_of(sheet) == (0, "", rule)
    assert "请" in sheet.faults[0].message


def archive(parts: Mapping[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, data in parts.items():
            packed.writestr(name, data)
    return out.getvalue()


def with_sheet(xml: bytes) -> bytes:
    """A sound workbook whose worksheet is replaced."""
    with zipfile.ZipFile(io.BytesIO(SOUND)) as sound:
        parts = {name: sound.read(name) for name in sound.namelist()}
    return archive(parts | {"xl/worksheets/sheet1.xml": xml})


def test_a_zip_that_is_no_workbook_is_refused() -> None:
    assert rule_of(read(archive({"a.txt": b"x"}), "a.xlsx", LAYOUT))[2] == "wrong_type"


def test_a_zip_bomb_is_not_unpacked() -> None:
    bomb = archive({"xl/workbook.xml": b"<x/>", "xl/a.xml": b" " * (unpacking.MAX_UNPACKED + 1)})
    assert len(bomb) < 1_000_000
    assert rule_of(read(bomb, "a.xlsx", LAYOUT))[2] == "unsafe_file"


@pytest.mark.parametrize(
    "position",
    [
        'r="XFD1048576"',
        "r='ZZZ9'",
        'r="A99999999"',
        'r="&#65;1"',
        'x=">" r="XFD9"',
        'r = "XFD9"',
        "r=XFD9",
        'x="<" r="XFD9"',
    ],
)
def test_a_far_off_cell_does_not_reserve_the_memory_up_to_it(position: str) -> None:
    xml = f'<worksheet><sheetData><row r="1"><c r="A1"><v>1</v></c><c {position}><v>1</v></c></row></sheetData></worksheet>'
    assert rule_of(read(with_sheet(xml.encode()), "a.xlsx", LAYOUT))[2] == "too_many_rows"


def test_text_that_looks_like_a_position_is_text() -> None:
    xml = (
        b'<worksheet><sheetData><row r="1"><c r="A1" t="inlineStr"><is><t>\xe7\xbc\x96\xe5\x8f\xb7</t></is></c>'
        b'<c r="B1" t="inlineStr"><is><t>\xe6\x95\xb0\xe9\x87\x8f</t></is></c></row>'
        b'<row r="2"><c r="A2" t="inlineStr"><is><t>a r="ZZZ9" b</t></is></c></row></sheetData></worksheet>'
    )
    assert only(read(with_sheet(xml), "a.xlsx", LAYOUT))["number"] == 'a r="ZZZ9" b'


@pytest.mark.parametrize("claim", [b"99999999999999", b"&#57;9999999999999", b"-1"])
def test_a_claimed_number_of_strings_reserves_nothing(claim: bytes) -> None:
    with zipfile.ZipFile(io.BytesIO(SOUND)) as sound:
        parts = {name: sound.read(name) for name in sound.namelist()}
    strings = b'<sst count="' + claim + b'" uniqueCount="' + claim + b'"><si><t>x</t></si></sst>'
    content = archive(parts | {"xl/sharedStrings.xml": strings})
    assert rule_of(read(content, "a.xlsx", LAYOUT))[2] == "unsafe_file"


def test_one_long_text_shared_by_many_cells_is_not_copied_to_each() -> None:
    cells = b"".join(b'<row r="%d"><c r="A%d" t="s"><v>0</v></c></row>' % (n, n) for n in range(1, 20_000))
    with zipfile.ZipFile(io.BytesIO(SOUND)) as sound:
        parts = {name: sound.read(name) for name in sound.namelist()}
    parts["xl/sharedStrings.xml"] = b"<sst><si><t>" + b"x" * 1_000_000 + b"</t></si></sst>"
    parts["xl/worksheets/sheet1.xml"] = b"<worksheet><sheetData>" + cells + b"</sheetData></worksheet>"
    assert rule_of(read(archive(parts), "a.xlsx", LAYOUT))[2] == "unsafe_file"


def test_a_claimed_dimension_reserves_nothing() -> None:
    xml = b'<worksheet><dimension ref="A1:XFD1048576"/><sheetData><row r="1"><c r="A1"><v>1</v></c></row></sheetData></worksheet>'
    assert rule_of(read(with_sheet(xml), "a.xlsx", LAYOUT))[2] == "no_heading"


def test_too_many_rows_are_refused() -> None:
    text = "编号,数量\n" + "A1,1\n" * (unpacking.MAX_ROWS + 20)
    assert rule_of(read(text.encode(), "a.csv", LAYOUT))[2] == "too_many_rows"


@given(content=st.binary(max_size=300) | st.binary(max_size=100).map(lambda tail: b"PK\x03\x04" + tail))
def test_no_bytes_make_reading_raise(content: bytes) -> None:
    assert read(content, "a.xlsx", LAYOUT).faults


@given(damage=st.lists(st.tuples(st.integers(1, 2_500), st.integers(0, 255)), min_size=1, max_size=6))
def test_a_damaged_workbook_is_a_fault_or_still_readable(damage: list[tuple[int, int]]) -> None:
    content = bytearray(SOUND)
    for back, byte in damage:
        content[-back] = byte
    sheet = read(bytes(content), "a.xlsx", LAYOUT)
    assert sheet.faults or sheet.rows


def test_refused_rows_go_back_in_the_same_layout_with_their_faults() -> None:
    first = read("编号,数量,颜色\nA1,两台,蓝色\nA2,3,红色\nA3,0,红色\n".encode(), "a.csv", LAYOUT)
    content = write(LAYOUT, first.wrong_rows, first.faults)
    with CalamineWorkbook.from_filelike(io.BytesIO(content)) as book:
        heading, one, two = book.get_sheet_by_name("物品").to_python()
    assert heading[-1] == "错误/Faults"
    assert (one[0], one[1], one[6]) == ("A1", "两台", "蓝色")
    assert str(one[-1]).startswith("数量：请填数字")
    assert "不能小于 1" in str(two[-1])
    again = read(content, "a.xlsx", LAYOUT)
    assert [(fault.row, fault.column, fault.rule) for fault in again.faults] == [
        (2, "count", "not_a_number"),
        (2, "colour", "not_a_choice"),
        (3, "count", "too_small"),
    ]


def test_a_fault_against_a_whole_row_is_written_too() -> None:
    content = write(LAYOUT, [{"number": "A1"}], [Fault(2, "", "unknown_case", "先导入户档案")])
    with CalamineWorkbook.from_filelike(io.BytesIO(content)) as book:
        assert book.get_sheet_by_name("物品").to_python()[1][-1] == "先导入户档案"


@pytest.mark.parametrize("text", ["=1+1", "+86", "-x", "@SUM(A1)", "'=1", "{=1}"])
def test_text_is_never_a_formula(text: str) -> None:
    rows = [{"number": text}]
    with zipfile.ZipFile(io.BytesIO(write(LAYOUT, rows))) as book:
        assert b"<f>" not in book.read("xl/worksheets/sheet1.xml")
    line = write_csv(LAYOUT, rows).decode("utf-8-sig").splitlines()[1]
    assert not line.lstrip('"').startswith(("=", "+", "-", "@"))


def test_a_template_has_lists_to_choose_from_and_says_how_to_fill_it_in() -> None:
    content = template(LAYOUT, language="en")
    with zipfile.ZipFile(io.BytesIO(content)) as book:
        assert b"dataValidation" in book.read("xl/worksheets/sheet1.xml")
    with CalamineWorkbook.from_filelike(io.BytesIO(content)) as read_back:
        notes = read_back.get_sheet_by_name("Notes").to_python()
    assert ["Number", "Required", "Text"] in [row[:3] for row in notes]
    assert rule_of(read(content, "a.xlsx", LAYOUT))[2] == "empty_file"


def test_every_sentence_has_its_english_with_the_same_parameters() -> None:
    words = catalogue(Path(files.__file__).parents[1])
    for message, english in words.items():
        names = [
            {name for _, name, _, _ in string.Formatter().parse(text) if name} for text in (message, english)
        ]
        assert names[0] == names[1], message


def test_ten_thousand_rows_are_read_quickly_enough_to_wait_for() -> None:
    rows = [
        {"number": f"N{n}", "count": 1, "town": "445381100000", "category": "APP-FAN"} for n in range(10_000)
    ]
    sheet = read(write_csv(LAYOUT, rows), "a.csv", LAYOUT)
    assert len(sheet.right_rows) == 10_000
