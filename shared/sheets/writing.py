"""From typed rows to a workbook in the same layout, to a CSV file, and to an empty template."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from shared.errors import Say
from shared.i18n import Language
from shared.sheets.book import Book
from shared.sheets.files import FORMULA_STARTS
from shared.sheets.labels import Shown, show
from shared.sheets.layout import Column, Fault, Layout, Row, chinese

Record = Row | Mapping[str, Any]


def write(
    layout: Layout,
    rows: Iterable[Record],
    faults: Iterable[Fault] = (),
    *,
    language: Language = "zh-CN",
    say: Say = chinese,
    notice: str = "",
) -> bytes:
    """The workbook (.xlsx) of `rows`, which `read` takes back unchanged. The same input gives the same bytes.

    A mapping counts as the row at its place below the heading; a `Row` keeps its number for `faults`, and what could not be read of it is
    given back as it stood. Faults stand in a last column, in the words of `say`, with their cells marked (a fault against the whole file has no row and is left out). `notice` is a banner on top.
    """
    by_row = _by_row(faults)
    book = Book(layout, language, notice, faults=bool(by_row), explain=bool(notice))
    for number, record in enumerate(rows, start=2):
        wrong = by_row.get(record.number if isinstance(record, Row) else number, [])
        book.row(
            [cell(record, column, language) for column in layout.columns],
            _sentences(wrong, layout, language, say),
        )
    return book.finish()


def template(layout: Layout, *, language: Language = "zh-CN", notice: str = "") -> bytes:
    """An empty workbook with drop-downs, and a second sheet that explains each column."""
    return Book(layout, language, notice, explain=True).finish()


def write_csv(layout: Layout, rows: Iterable[Record], *, language: Language = "zh-CN") -> bytes:
    """UTF-8 with its mark, so that spreadsheet programs read it right; text that would be run as a formula stands behind a quote mark."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow([column.heading(language) for column in layout.columns])
    for record in rows:
        writer.writerow([_inert(cell(record, column, language)) for column in layout.columns])
    return out.getvalue().encode("utf-8-sig")


def cell(record: Record, column: Column, language: Language) -> Shown:
    """What the cell of a record says; of a `Row`, the text that stood there where no value came of it."""
    if not isinstance(record, Row):
        return show(record.get(column.key), column, language)
    shown = show(record.values.get(column.key), column, language)
    return record.raw.get(column.key, "") if shown == "" else shown


def _inert(shown: Shown) -> str:
    text = str(shown)
    return f"'{text}" if isinstance(shown, str) and text.startswith(FORMULA_STARTS) else text


def _by_row(faults: Iterable[Fault]) -> dict[int, list[Fault]]:
    found: dict[int, list[Fault]] = {}
    for fault in faults:
        found.setdefault(fault.row, []).append(fault)
    return found


def _sentences(wrong: Sequence[Fault], layout: Layout, language: Language, say: Say) -> list[tuple[str, str]]:
    """(column key, sentence with the heading in front) of each fault of a row."""
    found = []
    for fault in wrong:
        heading, sentence = layout.heading(fault.column, language), fault.render(say)
        found.append((fault.column, f"{heading}：{sentence}" if heading else sentence))
    return found
