"""A workbook's XML parts, unpacked under limits before any parser sees them.

A cell that claims a far-off position, a part that claims to hold very many items, and a long text that many cells share are refused: the
parser would reserve the room, and the process would end.
"""

import io
import re
import struct
import zipfile
import zlib
from collections.abc import Iterator, Mapping

from shared.errors import RuleBroken

MAX_ROWS = 20_000
MAX_UNPACKED = 80_000_000
MAX_PARTS = 500
MAX_COUNT = 2_000_000
MAX_CLAIMED = (100_000, 300, 2_000_000)
# What zipfile raises for an archive whose bytes lie about its own structure.
DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    NotImplementedError,
    OSError,
    OverflowError,
    RuntimeError,
    ValueError,
)
PLACED = re.compile(rb"<(?:\w+:)?(?:c|row)(?=[\s/>])")
PLACED_WHOLE = re.compile(rb"""<(?:\w+:)?(?:c|row)((?:\s+[\w:.-]+\s*=\s*(?:"[^"<]*"|'[^'<]*'))*)\s*/?>""")
POSITION = re.compile(rb"""\sr\s*=\s*["']([^"']*)["']""")
CLAIMED = re.compile(rb"""(?i)count\s*=\s*["']([^"']*)""")
ITEM = re.compile(rb"<(?:\w+:)?si[\s/>]")
VALUE = re.compile(rb"<(?:\w+:)?v(?:\s[^<>]*)?>\s*([0-9]{1,9})")
REFERENCE = re.compile(rb"([A-Za-z]{0,3})([0-9]{1,8})")


class Unreadable(RuleBroken):
    """The file as a whole cannot be taken."""


def repacked(content: bytes) -> bytes:
    """The workbook's XML parts, unpacked within limits and stored without compression."""
    packed = io.BytesIO()
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as source:
            parts = dict(_parts(source))
    except Unreadable:
        raise
    except DAMAGE as error:
        raise Unreadable(
            "broken_file", "文件损坏，读不出来。请用表格软件打开，另存为 .xlsx 再导入"
        ) from error
    if _text_size(parts) > MAX_UNPACKED:
        raise _unsafe()
    with zipfile.ZipFile(packed, "w") as target:
        for name, data in parts.items():
            target.writestr(name, data)
    return packed.getvalue()


def _text_size(parts: Mapping[str, bytes]) -> int:
    """How many bytes of text the cells hold when each has its own copy of the string that it shares with others."""
    sizes = [
        len(item)
        for data in parts.values()
        if b"<sst" in data or b":sst" in data
        for item in ITEM.split(data)[1:]
    ]
    sheets = [data for data in parts.values() if b"sheetData" in data] if sizes else []
    numbers = (int(number) for data in sheets for number in VALUE.findall(data))
    return sum(sizes[number] for number in numbers if number < len(sizes))


def _parts(source: zipfile.ZipFile) -> Iterator[tuple[str, bytes]]:
    names = source.namelist()
    if any(
        part.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) for part in source.infolist()
    ):
        raise _unsafe()
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
