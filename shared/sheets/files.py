"""From the bytes of an uploaded file to rows of cells, without trusting the file.

A workbook is unpacked under a limit and packed anew before the parser sees it, and a cell that claims a far-off position, or a part that
claims to hold very many items, is refused beforehand: the parser would reserve the room, and the process with it.
"""

import csv
import io
import re
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta

from python_calamine import CalamineError, CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum

from shared.errors import RuleBroken

Cell = int | float | str | bool | time | date | datetime | timedelta
Cells = Sequence[Cell]

MAX_BYTES = 10_000_000
MAX_UNPACKED = 80_000_000
MAX_PARTS = 500
MAX_ROWS = 20_000
MAX_COLUMNS = 200
MAX_COUNT = 2_000_000
MAX_CLAIMED = (100_000, 300, 2_000_000)
OLD_EXCEL = b"\xd0\xcf\x11\xe0"
PLACED = re.compile(rb"<(?:\w+:)?(?:c|row)(?=[\s/>])")
PLACED_WHOLE = re.compile(rb"""<(?:\w+:)?(?:c|row)((?:\s+[\w:.-]+\s*=\s*(?:"[^"<]*"|'[^'<]*'))*)\s*/?>""")
POSITION = re.compile(rb"""\sr\s*=\s*["']([^"']*)["']""")
CLAIMED = re.compile(rb"""(?i)count\s*=\s*["']([^"']*)""")
REFERENCE = re.compile(rb"([A-Za-z]{0,3})([0-9]{1,8})")
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "'")


class Unreadable(RuleBroken):
    """The file as a whole cannot be taken."""


def grid(content: bytes, names: Sequence[str]) -> Iterator[Cells]:
    """The rows of the file, empty ones included. `names`: the worksheets to look for; otherwise the first visible one.

    Raises Unreadable with rule `too_big`, `too_many_rows`, `wrong_type`, `old_or_locked`, `broken_file` or `unsafe_file`.
    """
    if len(content) > MAX_BYTES:
        raise Unreadable(
            "too_big", "文件超过 {limit} MB。请拆成几个文件分别导入", limit=MAX_BYTES // 1_000_000
        )
    if content.startswith(b"PK\x03\x04"):
        return _workbook(_repacked(content), names)
    if content.startswith(OLD_EXCEL):
        raise Unreadable(
            "old_or_locked", "这是旧版 .xls 或加了密码的文件。请在表格软件中去掉密码，另存为 .xlsx 再导入"
        )
    return _csv(_text(content))


def _repacked(content: bytes) -> bytes:
    """The workbook's XML parts, unpacked within limits and stored without compression."""
    packed = io.BytesIO()
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as source, zipfile.ZipFile(packed, "w") as target:
            for name, data in _parts(source):
                target.writestr(name, data)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError) as error:
        if isinstance(error, Unreadable):
            raise
        raise Unreadable(
            "broken_file", "文件损坏，读不出来。请用表格软件打开，另存为 .xlsx 再导入"
        ) from error
    return packed.getvalue()


def _parts(source: zipfile.ZipFile) -> Iterator[tuple[str, bytes]]:
    names = source.namelist()
    if "xl/workbook.xml" not in names:
        raise Unreadable("wrong_type", "这不是 .xlsx 或 .csv 表格。请下载模板填写，或另存为 .xlsx 再导入")
    if len(names) > MAX_PARTS or len(set(names)) < len(names):
        raise _unsafe()
    left = MAX_UNPACKED
    for name in names:
        if name.endswith((".xml", ".rels")):
            with source.open(name) as part:
                data = part.read(left + 1)
            left -= len(data)
            if left < 0:
                raise _unsafe()
            yield name, _checked(data)


def _checked(data: bytes) -> bytes:
    # The parser reserves room for as many strings and formats as a part says it has.
    claims = CLAIMED.findall(data)
    if b"\x00" in data or any(not claim.strip().isdigit() or int(claim) > MAX_COUNT for claim in claims):
        raise _unsafe()
    if b"sheetData" in data and not _compact(data):
        message = "表里有内容或格式的区域太大。请删去空行空列，每个文件最多 {limit} 行"
        raise Unreadable("too_many_rows", message, limit=MAX_ROWS)
    return data


def _compact(worksheet: bytes) -> bool:
    """Whether every row and cell says plainly where it stands, and none of them far off."""
    tags = PLACED_WHOLE.findall(worksheet)
    places = {place for tag in set(tags) for place in POSITION.findall(tag)}
    found = [match for place in places if (match := REFERENCE.fullmatch(place))]
    row = max((int(match[2]) for match in found), default=0)
    column = max((_number(match[1]) for match in found), default=0)
    rows, columns, cells = MAX_CLAIMED
    readable = len(tags) == len(PLACED.findall(worksheet)) and len(found) == len(places)
    return readable and row <= rows and column <= columns and row * column <= cells


def _number(letters: bytes) -> int:
    """A=1, Z=26, AA=27."""
    total = 0
    for letter in letters.upper():
        total = total * 26 + letter - 64
    return total


def _unsafe() -> Unreadable:
    return Unreadable("unsafe_file", "文件解压后异常大，没有读取。请把数据复制到新下载的模板里再导入")


def _workbook(content: bytes, names: Sequence[str]) -> Iterator[Cells]:
    try:
        with CalamineWorkbook.from_filelike(io.BytesIO(content)) as book:
            name = _worksheet(book, names)
            rows: list[Cells] = list(book.get_sheet_by_name(name).to_python(skip_empty_area=False))
    except CalamineError as error:
        raise Unreadable(
            "broken_file", "文件损坏，读不出来。请用表格软件打开，另存为 .xlsx 再导入"
        ) from error
    return iter(rows)


def _worksheet(book: CalamineWorkbook, names: Sequence[str]) -> str:
    sheets = [sheet for sheet in book.sheets_metadata if sheet.typ == SheetTypeEnum.WorkSheet]
    visible = [sheet.name for sheet in sheets if sheet.visible == SheetVisibleEnum.Visible]
    found = [name for name in visible if name in names] + visible
    if not found:
        raise Unreadable("wrong_type", "文件里没有工作表。请下载模板填写后再导入")
    return found[0]


def _text(content: bytes) -> str:
    """CSV text: UTF-16 with its mark, UTF-8 with or without, else GB18030, which spreadsheet programs in China write."""
    wide = content.startswith((b"\xff\xfe", b"\xfe\xff"))
    for encoding in ("utf-16",) if wide else ("utf-8-sig", "gb18030"):
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\x00" not in text:
            return text
    raise Unreadable("wrong_type", "这不是 .xlsx 或 .csv 表格。请下载模板填写，或另存为 .xlsx 再导入")


def _csv(text: str) -> Iterator[Cells]:
    first = text.lstrip().partition("\n")[0]
    delimiter = max(",;\t", key=first.count)
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        for row in rows:
            # A quote mark in front of a formula sign is how such text is kept from being run.
            yield [
                cell[1:] if cell.startswith("'") and cell[1:].startswith(FORMULA_STARTS) else cell
                for cell in row
            ]
    except csv.Error as error:
        raise Unreadable(
            "broken_file", "第 {line} 行的引号不成对。请用表格软件另存为 .xlsx 再导入", line=rows.line_num
        ) from error
