"""Words in the reader's language: Chinese is what the code says, English stands in `en.po` beside it."""

from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Literal

from babel.messages.pofile import read_po

Language = Literal["zh-CN", "en"]
DEFAULT: Language = "zh-CN"


@cache
def catalogue(folder: Path) -> Mapping[str, str]:
    """The English for each Chinese message of one package; empty when the package says nothing."""
    path = folder / "en.po"
    if not path.exists():
        return {}
    with path.open("rb") as file:
        return {
            str(m.id): str(m.string) for m in read_po(file) if m.id and m.string and isinstance(m.string, str)
        }


def merge(folders: Iterable[Path]) -> dict[str, str]:
    """The catalogues of several packages as one; the first to name a message wins."""
    merged: dict[str, str] = {}
    for folder in folders:
        for key, text in catalogue(folder).items():
            merged.setdefault(key, text)
    return merged


def choose(wanted: str | None) -> Language:
    """The language for an Accept-Language header or a cookie: English when it comes first, Chinese otherwise."""
    first = (wanted or "").split(",")[0].strip().lower()
    return "en" if first.startswith("en") else DEFAULT


def say(
    words: Mapping[str, str], language: Language, message: str, params: Mapping[str, object] | None = None
) -> str:
    """`message` in `language` with `params` filled in."""
    text = words.get(message, message) if language == "en" else message
    return text.format_map(params) if params else text
