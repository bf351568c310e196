"""One cell: from what stands in it to a value."""

import re
import unicodedata
from collections.abc import Callable, Mapping
from datetime import date, datetime, time
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Final

from shared.clock import LOCAL
from shared.errors import RuleBroken
from shared.sheets.files import Cell
from shared.sheets.layout import Column, Kind
from shared.tables import find_area, find_category, find_licence, find_vulnerability
from shared.tables.find import plain

EXACT = 10**15
SEPARATORS: Final = (re.compile(r"[;；\n]"), re.compile(r"[,，、|]"))
DAY = re.compile(
    r"(?:(\d{4})\s*[-/.年]\s*(\d{1,2})\s*[-/.月]\s*(\d{1,2})\s*日?|(\d{4})(\d{2})(\d{2}))(?!\d)(.*)"
)
GROUPED = re.compile(r"-?\d{1,3}(,\d{3})+(\.\d+)?")
YES = frozenset({"是", "有", "yes", "y", "true", "1", "√", "✓"})
NO = frozenset({"否", "无", "no", "n", "false", "0", "×", "x"})


def parse(cell: Cell, column: Column) -> Any:
    """The value of a cell for a column (see `Column`). Raises RuleBroken with a sentence that does not repeat the cell."""
    if raw_text(cell) == "":
        if column.required:
            raise RuleBroken("required", "必填")
        return column.empty
    return PARSERS[column.kind](cell, column)


def raw_text(cell: Cell) -> str:
    """What stands in the cell, as text: 3.0 is 3, control characters are left out."""
    match cell:
        case bool():
            return "是" if cell else "否"
        case float() if cell.is_integer() and abs(cell) < EXACT:
            return str(int(cell))
        case datetime():
            return cell.isoformat(sep=" ")
        case date() | time():
            return cell.isoformat()
        case str():
            return clean(cell)
        case _:
            return str(cell)


def clean(text: str) -> str:
    """Text without control characters (but with its line breaks), and without space around it."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    return "".join(
        letter for letter in lines if letter in "\n\t" or unicodedata.category(letter) not in ("Cc", "Cs")
    ).strip()


def _text(cell: Cell, column: Column) -> str:
    if isinstance(cell, int | float) and not isinstance(cell, bool) and abs(cell) >= EXACT:
        raise RuleBroken(
            "digits_lost", "长号码被表格软件当成数字，末尾几位已经丢失。请把这一列设为“文本”格式后重新填写"
        )
    text = raw_text(cell)
    if len(text) > column.longest:
        raise RuleBroken("too_long", "最多 {longest} 个字", longest=column.longest)
    return text


def _int(cell: Cell, column: Column) -> int:
    number = _number(cell)
    if number != number.to_integral_value():
        raise RuleBroken("not_whole", "请填整数，不能有小数")
    _bounded(number, column)
    return int(number)


def _decimal(cell: Cell, column: Column) -> Decimal:
    number = _number(cell)
    _bounded(number, column)
    rounded = round(number, column.places)
    if rounded != number:
        raise RuleBroken("too_fine", "小数点后最多 {places} 位", places=column.places)
    return rounded


def _number(cell: Cell) -> Decimal:
    # Fifteen digits are what a spreadsheet keeps; beyond them stands the noise of binary fractions.
    text = (
        format(cell, ".15g")
        if isinstance(cell, float)
        else _folded(cell).removeprefix("¥").removesuffix("元").strip()
    )
    text = text.replace(",", "") if GROUPED.fullmatch(text) else text
    try:
        number = Decimal(text)
    except InvalidOperation:
        number = Decimal("NaN")
    if isinstance(cell, bool) or not number.is_finite() or abs(number.adjusted()) > 30:
        raise RuleBroken("not_a_number", "请填数字，例如 3")
    return number


def _bounded(number: Decimal, column: Column) -> None:
    if column.least is not None and number < column.least:
        raise RuleBroken("too_small", "不能小于 {least}", least=column.least)
    if number > column.most:
        raise RuleBroken("too_large", "不能大于 {most}", most=column.most)


def _date(cell: Cell, column: Column) -> date:
    return _datetime(cell, column).date()


def _datetime(cell: Cell, _: Column) -> datetime:
    if isinstance(cell, datetime):
        return cell if cell.tzinfo else cell.replace(tzinfo=LOCAL)
    if isinstance(cell, date):
        return datetime.combine(cell, time(), LOCAL)
    found = DAY.match(_folded(cell))
    if not found:
        raise _not_a_day()
    year, month, day = (found[1], found[2], found[3]) if found[1] else (found[4], found[5], found[6])
    clock = found[7].strip(" tT")
    clock = f"T{clock.zfill(5) if len(clock) == 4 else clock}" if clock else ""
    try:
        moment = datetime.fromisoformat(f"{year}-{month:0>2}-{day:0>2}{clock}")
    except ValueError as error:
        raise _not_a_day() from error
    return moment if moment.tzinfo else moment.replace(tzinfo=LOCAL)


def _not_a_day() -> RuleBroken:
    return RuleBroken("not_a_date", "请填日期，例如 2024-08-20 或 2024年8月20日")


def _bool(cell: Cell, _: Column) -> bool:
    text = plain(raw_text(cell))
    if text in YES or text in NO:
        return text in YES
    raise RuleBroken("not_yes_or_no", "请填“是”或“否”")


def _choice(cell: Cell, column: Column) -> str:
    code = _codes_of(column).get(plain(raw_text(cell)))
    if code is None:
        options = "、".join(choice.both for choice in column.choices)
        raise RuleBroken("not_a_choice", "只能填其中之一：{options}", options=options)
    return code


def _area(cell: Cell, _: Column) -> str:
    return find_area(raw_text(cell)).code


def _category(cell: Cell, _: Column) -> str:
    return find_category(raw_text(cell))


def _many(find: Callable[[str, Column], str]) -> Callable[[Cell, Column], tuple[str, ...]]:
    """Reads a list: items apart by semicolon or line, or by comma where the whole item is no name of its own. Doubles count once."""

    def parse_list(cell: Cell, column: Column) -> tuple[str, ...]:
        found: dict[str, None] = {}
        for part in _items(raw_text(cell), SEPARATORS[0]):
            try:
                found[find(part, column)] = None
            except RuleBroken:
                smaller = _items(part, SEPARATORS[1])
                if len(smaller) < 2:
                    raise
                found |= {find(piece, column): None for piece in smaller}
        return tuple(found)

    return parse_list


def _items(text: str, separator: re.Pattern[str]) -> list[str]:
    return [item.strip() for item in separator.split(text) if item.strip()]


@lru_cache(maxsize=64)
def _codes_of(column: Column) -> Mapping[str, str]:
    return MappingProxyType({plain(name): c.code for c in column.choices for name in (c.code, c.zh, c.en)})


def _folded(cell: Cell) -> str:
    return unicodedata.normalize("NFKC", raw_text(cell)).strip()


PARSERS: Mapping[Kind, Callable[[Cell, Column], Any]] = {
    "text": _text,
    "int": _int,
    "decimal": _decimal,
    "date": _date,
    "datetime": _datetime,
    "bool": _bool,
    "choice": _choice,
    "codes": _many(_choice),
    "area": _area,
    "areas": _many(lambda text, _: find_area(text).code),
    "category": _category,
    "vulnerabilities": _many(lambda text, _: find_vulnerability(text)),
    "licences": _many(lambda text, _: find_licence(text)),
}
