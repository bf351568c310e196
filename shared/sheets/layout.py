"""What a sheet looks like, and what reading one gives."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType
from typing import Any, Literal

from shared.errors import Say
from shared.i18n import Language

Kind = Literal[
    "text", "int", "decimal", "date", "datetime", "bool", "choice", "codes", "area", "areas", "category", "vulnerabilities",
    "licences",
]  # fmt: skip
LISTS = frozenset({"codes", "areas", "vulnerabilities", "licences"})
FAULTS_ZH, FAULTS_EN = "错误/Faults", "Faults"


@dataclass(frozen=True, slots=True)
class Choice:
    """One allowed value: read by code or either name, written by name."""

    code: str
    zh: str
    en: str

    @property
    def both(self) -> str:
        """The name in both languages, as a fault names it."""
        return f"{self.zh}/{self.en}"


@dataclass(frozen=True, slots=True)
class Column:
    """One column. Its heading is recognised in Chinese, in English or by `key`.

    What `kind` gives: text str; int int; decimal Decimal; date date; datetime an aware datetime (Asia/Shanghai unless the cell says
    otherwise); bool bool; choice the code; codes, areas, vulnerabilities and licences a tuple of codes (licences: Chinese names); area and
    category a code. An empty cell gives None, or () for the four lists.
    `least` and `most` bound numbers; `longest` the letters of a text; `places` the decimals. `help` is zh, `help_en` English.
    """

    key: str
    zh: str
    en: str
    kind: Kind = "text"
    required: bool = False
    choices: tuple[Choice, ...] = ()
    help: str = ""
    help_en: str = ""
    least: int | None = None
    most: int = 10_000_000
    longest: int = 500
    places: int = 2

    @property
    def empty(self) -> tuple[str, ...] | None:
        return () if self.kind in LISTS else None

    @property
    def both(self) -> str:
        """The heading in both languages, as a fault names it."""
        return f"{self.zh}/{self.en}"

    def heading(self, language: Language = "zh-CN") -> str:
        return self.en if language == "en" else self.zh


@dataclass(frozen=True)
class Layout:
    """A kind of sheet. `zh` and `en` name the worksheet and the file."""

    name: str
    zh: str
    en: str
    columns: tuple[Column, ...]

    @cached_property
    def by_key(self) -> Mapping[str, Column]:
        return MappingProxyType({column.key: column for column in self.columns})

    def title(self, language: Language = "zh-CN") -> str:
        return self.en if language == "en" else self.zh

    def heading(self, key: str, language: Language = "zh-CN") -> str:
        """The heading of a column as a fault names it; the key itself (a column letter, or nothing) where the layout has none."""
        column = self.by_key.get(key)
        return column.heading(language) if column else key


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong: the row as the spreadsheet numbers it (0: the whole file), the column's key (a letter for a column that the layout
    does not know, "" for the whole row), the rule, and a sentence with its parameters. It never repeats what the cell says.
    """

    row: int
    column: str
    rule: str
    message: str
    params: Mapping[str, object] = field(default_factory=dict)

    def render(self, say: Say) -> str:
        return say(self.message, self.params)


@dataclass(frozen=True, slots=True)
class Row:
    """One row: `values` has every key of the layout; `raw` the cells' own text, to give back what could not be read."""

    number: int
    values: Mapping[str, Any]
    raw: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Sheet:
    """What was read. A row with a fault is among `rows` too; its unreadable values are empty."""

    rows: tuple[Row, ...] = ()
    faults: tuple[Fault, ...] = ()

    @cached_property
    def wrong(self) -> frozenset[int]:
        """The numbers of the rows with a fault."""
        return frozenset(fault.row for fault in self.faults)

    @property
    def unusable(self) -> bool:
        """Whether a fault stands against the whole file, so that no row may be taken."""
        return 0 in self.wrong

    @property
    def right_rows(self) -> Sequence[Row]:
        return () if self.unusable else tuple(row for row in self.rows if row.number not in self.wrong)

    @property
    def wrong_rows(self) -> Sequence[Row]:
        return tuple(row for row in self.rows if row.number in self.wrong)


def chinese(message: str, params: Mapping[str, object] | None = None) -> str:
    """`message` with its parameters, as the code says it."""
    return message.format_map(params) if params else message
