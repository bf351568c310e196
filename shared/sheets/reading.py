"""From an uploaded file to typed rows, every fault named by row, column and rule."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from shared.errors import RuleBroken
from shared.sheets.cells import parse, raw_text
from shared.sheets.files import MAX_COLUMNS, Cell, Cells, grid
from shared.sheets.layout import FAULTS_EN, FAULTS_ZH, Column, Fault, Layout, Row, Sheet
from shared.sheets.unpacking import MAX_ROWS, Unreadable
from shared.tables.find import plain

HEADER_WITHIN = 10
IGNORED = frozenset({plain(FAULTS_ZH), plain(FAULTS_EN), "错误"})
Placed = Sequence[tuple[int, Column]]


def read(content: bytes, filename: str, layout: Layout) -> Sheet:
    """The rows of an .xlsx or .csv file in `layout`; the file's bytes say what it is, whatever `filename` ends with.

    The heading row is the one of the first ten that names most columns, in any order; a banner above it is passed over, and so are empty
    rows and the column of faults that `write` adds. A fault against the whole file or a heading leaves no row to use. Never raises.
    """
    try:
        rows = _numbered(grid(content, (layout.zh, layout.en, layout.name)))
        head = list(islice(rows, HEADER_WITHIN))
        number, cells = _header(head, layout)
        placed, faults = _place(number, cells, layout)
        if faults:
            return Sheet((), tuple(faults))
        body = [item for item in head if item[0] > number]
        return _body([*body, *rows], placed, layout)
    except Unreadable as error:
        return Sheet((), (Fault(0, "", error.rule, error.message, error.params),))


def letter(index: int) -> str:
    """The letter of a column, counted from 0: A, Z, AA."""
    head, tail = divmod(index, 26)
    return (letter(head - 1) if head else "") + chr(65 + tail)


def _numbered(rows: Iterable[Cells]) -> Iterator[tuple[int, Cells]]:
    """Rows that say something, with the number that the spreadsheet shows."""
    found = 0
    for number, cells in enumerate(rows, start=1):
        if any(cell != "" and not (isinstance(cell, str) and cell.isspace()) for cell in cells):
            found += 1
            if found > MAX_ROWS + HEADER_WITHIN:
                raise Unreadable(
                    "too_many_rows", "每个文件最多 {limit} 行。请拆成几个文件分别导入", limit=MAX_ROWS
                )
            yield number, cells


def _header(rows: Sequence[tuple[int, Cells]], layout: Layout) -> tuple[int, Cells]:
    names = _names(layout)
    if not rows:
        raise Unreadable("empty_file", "文件里没有内容。请下载模板，填写后再导入")
    scores = [sum(isinstance(cell, str) and plain(cell) in names for cell in cells) for _, cells in rows]
    if max(scores) < min(2, len(layout.columns)):
        headings = "、".join(column.both for column in layout.columns if column.required)
        raise Unreadable(
            "no_heading", "找不到标题行。第一行应有这些标题：{headings}。请对照模板", headings=headings
        )
    return rows[scores.index(max(scores))]


def _names(layout: Layout) -> dict[str, Column]:
    return {plain(name): column for column in layout.columns for name in (column.key, column.zh, column.en)}


def _place(number: int, cells: Cells, layout: Layout) -> tuple[Placed, list[Fault]]:
    """Which column stands where, and what is wrong with the headings. Nothing of a heading is repeated: it may be a person's name."""
    names, placed, faults = _names(layout), list[tuple[int, Column]](), list[Fault]()
    for index, cell in enumerate(cells):
        name = plain(cell) if isinstance(cell, str) else raw_text(cell)
        column = names.get(name)
        if column is None and name and name not in IGNORED:
            faults.append(_unknown(letter(index), layout))
        elif column and any(column is other for _, other in placed):
            faults.append(
                Fault(
                    0,
                    column.key,
                    "column_twice",
                    "标题“{heading}”出现了两次。请删去一列",
                    {"heading": column.both},
                )
            )
        elif column:
            placed.append((index, column))
    there = {column.key for _, column in placed}
    faults += [_missing(column) for column in layout.columns if column.required and column.key not in there]
    if len(cells) > MAX_COLUMNS:
        faults.append(Fault(0, "", "too_many_columns", "最多 {limit} 列。请对照模板", {"limit": MAX_COLUMNS}))
    return placed, faults


def _unknown(at: str, layout: Layout) -> Fault:
    headings = "、".join(column.both for column in layout.columns)
    message = "{letter} 列的标题不在模板里。请删去这一列，或改成：{headings}"
    return Fault(0, at, "unknown_column", message, {"letter": at, "headings": headings})


def _missing(column: Column) -> Fault:
    return Fault(
        0, column.key, "column_missing", "缺少“{heading}”这一列。请对照模板补上", {"heading": column.both}
    )


def _body(rows: Sequence[tuple[int, Cells]], placed: Placed, layout: Layout) -> Sheet:
    faults: list[Fault] = []
    found = [row for number, cells in rows if (row := _row(number, cells, placed, layout, faults))]
    if not found:
        faults.append(Fault(0, "", "empty_file", "标题下面没有内容。请填写后再导入"))
    return Sheet(tuple(found), tuple(faults))


def _row(number: int, cells: Cells, placed: Placed, layout: Layout, faults: list[Fault]) -> Row | None:
    """The typed row, or nothing when only columns outside the layout say something."""
    values: dict[str, object] = {column.key: column.empty for column in layout.columns}
    raw: dict[str, str] = {}
    wrong: list[Fault] = []
    for index, column in placed:
        cell: Cell = cells[index] if index < len(cells) else ""
        if text := raw_text(cell):
            raw[column.key] = text
        try:
            values[column.key] = parse(cell, column)
        except RuleBroken as error:
            wrong.append(Fault(number, column.key, error.rule, error.message, error.params))
    if not raw:
        return None
    faults += wrong
    return Row(number, values, raw)
