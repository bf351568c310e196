"""Pages as a person reads them."""

from __future__ import annotations

import re
from html import unescape

import httpx

from shared.labels import LABELS


def main_part(page: httpx.Response) -> str:
    found = re.search(r"<main.*</main>", page.text, re.DOTALL)
    assert found, page.text
    return unescape(found.group())


def without_labels(text: str) -> str:
    """Labels of codes are the frame's to translate, not one package's."""
    for words in sorted((word for kind in LABELS.values() for word in kind.values()), key=len, reverse=True):
        text = text.replace(words, "")
    return text
