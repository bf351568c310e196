"""One workbook as it is written: banner, frozen heading, rows, drop-downs, an explanation sheet. Text is never a formula."""

import io
from collections.abc import Sequence
from datetime import date, datetime, time
from decimal import Decimal
from pathlib import Path

from xlsxwriter import Workbook
from xlsxwriter.format import Format
from xlsxwriter.utility import xl_col_to_name
from xlsxwriter.worksheet import Worksheet

from shared.i18n import Language, catalogue, say
from shared.sheets.labels import Shown, options
from shared.sheets.layout import FAULTS_ZH, Column, Layout

PACKAGE = Path(__file__).parent.parent
FIXED = datetime(2000, 1, 1)  # noqa: DTZ001  a workbook's properties know no zone
FIRST_EXCEL_DAY = date(1900, 3, 1)
SPARE_ROWS = 1000
KINDS = {
    "text": "文字",
    "int": "整数",
    "decimal": "数字",
    "date": "日期，例如 2024-08-20",
    "datetime": "时间，例如 2024-08-20 14:30（北京时间）",
    "bool": "是 / 否",
    "choice": "从列表中选一项",
    "codes": "从列表中选，多项用分号隔开",
    "area": "县区加镇街全名，或12位代码",
    "areas": "县区、镇街全名或12位代码，多项用分号隔开",
    "category": "类别名称或代码",
    "vulnerabilities": "对象类别名称或代码，多项用分号隔开",
    "licences": "证件全名，多项用分号隔开",
}
NUMBER_FORMATS = {"int": "0", "decimal": "0.00", "date": "yyyy-mm-dd"}
OPEN_LISTS = frozenset({"codes", "area", "areas", "category", "vulnerabilities", "licences"})
Sentences = Sequence[tuple[str, str]]


class Book:
    """A workbook in the making: `row` for each record, then `finish`."""

    def __init__(
        self, layout: Layout, language: Language, notice: str, *, faults: bool = False, explain: bool = False
    ) -> None:
        self._layout, self._language, self._out = layout, language, io.BytesIO()
        self._book = Workbook(
            self._out, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
        )
        # A fixed date of creation: the same rows give the same bytes.
        self._book.set_properties({"created": FIXED, "title": layout.title(language), "comments": notice})
        self._sheet: Worksheet = self._book.add_worksheet(layout.title(language))
        self._formats = [self._format(column) for column in layout.columns]
        self._marked = [self._format(column, bg_color="#FFE08A") for column in layout.columns]
        self._first = self._next = self._head(notice, faults)
        if explain:
            self._explain(notice)

    def row(self, cells: Sequence[Shown], wrong: Sentences = ()) -> None:
        """One record; `wrong`: (column key, sentence), which mark their cells and stand in the last column."""
        sentences = dict(wrong)
        for index, (column, shown) in enumerate(zip(self._layout.columns, cells, strict=True)):
            marked = column.key in sentences
            self._put(index, shown, (self._marked if marked else self._formats)[index])
            if marked:
                self._sheet.write_comment(
                    self._next, index, sentences[column.key], {"author": "", "x_scale": 2}
                )
        if wrong:
            self._sheet.write_string(self._next, len(cells), "\n".join(sentence for _, sentence in wrong))
        self._next += 1

    def finish(self) -> bytes:
        """The file."""
        lists = self._book.add_worksheet(self._say("选项"))
        lists.hide()
        for index, column in enumerate(self._layout.columns):
            if values := options(column, self._language):
                lists.write_column(0, index, values)
                self._offer(
                    index,
                    column,
                    f"='{lists.name}'!${xl_col_to_name(index)}$1:${xl_col_to_name(index)}${len(values)}",
                )
        self._book.close()
        return self._out.getvalue()

    def _head(self, notice: str, faults: bool) -> int:
        """The banner and the heading; the number of the first row below them."""
        at = 1 if notice else 0
        if notice:
            self._sheet.write_string(
                0, 0, notice, self._book.add_format({"bold": True, "font_color": "#B00020"})
            )
        plain, needed = (
            self._book.add_format({"bold": True, "bg_color": colour, "border": 1})
            for colour in ("#E7EEF5", "#CFE2F3")
        )
        for index, column in enumerate(self._layout.columns):
            heading = column.heading(self._language)
            self._sheet.set_column(index, index, max(12, 2 * len(heading) + 4), self._formats[index])
            self._sheet.write_string(at, index, heading, needed if column.required else plain)
        if faults:
            self._sheet.set_column(len(self._formats), len(self._formats), 60)
            self._sheet.write_string(at, len(self._formats), FAULTS_ZH, needed)
        self._sheet.freeze_panes(at + 1, 0)
        return at + 1

    def _put(self, index: int, shown: Shown, style: Format) -> None:
        match shown:
            case "":
                self._sheet.write_blank(self._next, index, None, style)
            case date() if shown >= FIRST_EXCEL_DAY:
                self._sheet.write_datetime(self._next, index, datetime.combine(shown, time()), style)
            case int() | Decimal():
                self._sheet.write_number(self._next, index, float(shown), style)
            case _:
                self._sheet.write_string(self._next, index, str(shown), style)

    def _format(self, column: Column, **more: str) -> Format:
        # Text cells are of the text format, so that a long number typed below keeps its digits.
        return self._book.add_format({"num_format": NUMBER_FORMATS.get(column.kind, "@"), **more})

    def _offer(self, index: int, column: Column, source: str) -> None:
        rule = {"validate": "list", "source": source, "show_error": column.kind not in OPEN_LISTS}
        self._sheet.data_validation(self._first, index, self._next + SPARE_ROWS, index, rule)

    def _explain(self, notice: str) -> None:
        sheet = self._book.add_worksheet(self._say("说明"))
        bold = self._book.add_format({"bold": True})
        sheet.set_column(0, 1, 18)
        sheet.set_column(2, 4, 40)
        sheet.write_string(0, 0, notice, bold)
        sheet.write_row(1, 0, [self._say(text) for text in ("列", "是否必填", "怎样填", "说明")], bold)
        for at, column in enumerate(self._layout.columns, start=2):
            help_text = column.help_en or column.help if self._language == "en" else column.help
            needed = self._say("必填" if column.required else "可空")
            sheet.write_row(
                at, 0, [column.heading(self._language), needed, self._say(KINDS[column.kind]), help_text]
            )

    def _say(self, message: str) -> str:
        return say(catalogue(PACKAGE), self._language, message)
