"""Every sentence that a person can read has its English: a missing one fails here, not in front of a reader."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from string import Formatter

from services.compose import ALL
from shared.errors import RULES
from shared.i18n import catalogue, merge
from shared.labels import LABELS
from shared.service import SHARED
from shared.web.pages import MENU

ROOT = SHARED.parent
CHINESE = re.compile(r"[\u4e00-\u9fff]")
IN_TEMPLATE = re.compile(r"""_\(\s*(?:"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)')""")
PACKAGES = [SHARED, *(service.folder for service in ALL)]
# What in Python is no sentence for a reader: words that are looked for in texts, and names in the law's own language.
MACHINES_OWN = {SHARED / "tables", SHARED / "sheets" / "labels.py"}


def words() -> dict[str, str]:
    return merge([SHARED, SHARED / "web", *(service.folder for service in ALL)])


def in_templates() -> Iterator[tuple[str, str]]:
    for package in PACKAGES:
        for path in package.rglob("*.html"):
            for found in IN_TEMPLATE.finditer(path.read_text()):
                message = found.group(1) or found.group(2)
                if CHINESE.search(message):
                    yield path.name, message


def in_code() -> Iterator[tuple[str, str]]:
    """Chinese strings that are raised, said or shown: arguments of calls, docstrings of errors, constants of error classes."""
    for package in PACKAGES:
        for path in package.rglob("*.py"):
            if not any(path == own or own in path.parents for own in MACHINES_OWN):
                yield from ((path.name, message) for message in _messages(ast.parse(path.read_text())))


def _messages(tree: ast.Module) -> Iterator[str]:
    spoken = {
        "AidError",
        "Conflict",
        "Forbidden",
        "Invalid",
        "Missing",
        "Unauthenticated",
        "Unavailable",
        "TooMany",
        "Fault",
        "RuleBroken",
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and _name(node.func) in spoken | {"say", "_"}:
            for argument in [*node.args, *(keyword.value for keyword in node.keywords)]:
                if (
                    isinstance(argument, ast.Constant)
                    and isinstance(argument.value, str)
                    and CHINESE.search(argument.value)
                ):
                    yield argument.value
        if isinstance(node, ast.ClassDef) and any(_name(base) in spoken for base in node.bases):
            doc = ast.get_docstring(node) or ""
            if CHINESE.search(doc):
                yield doc.strip()


def _name(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def labels() -> Iterator[tuple[str, str]]:
    yield from (("RULES", sentence) for sentence in RULES.values())
    for kind, names in LABELS.items():
        yield from ((f"LABELS[{kind}]", name) for name in names.values())
    yield from (("MENU", label) for label, _, _ in MENU)


def test_every_message_has_its_english() -> None:
    known = words()
    missing = sorted(
        {message for _, message in (*in_templates(), *in_code(), *labels()) if message not in known}
    )
    assert not missing, "no English for:\n" + "\n".join(missing)


def test_the_english_fills_in_what_the_chinese_does() -> None:
    for chinese, english in words().items():
        assert _holes(chinese) == _holes(english), chinese


def _holes(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


def test_no_message_has_two_meanings() -> None:
    seen: dict[str, str] = {}
    for folder in (SHARED, SHARED / "web", *(service.folder for service in ALL)):
        for message, english in catalogue(folder).items():
            assert seen.setdefault(message, english) == english, message


def test_no_english_is_left_in_chinese() -> None:
    quoted = {"中文", "罗定市罗镜镇"}
    left = {english for english in words().values() if CHINESE.search(re.sub("|".join(quoted), "", english))}
    assert not left


def test_the_extraction_finds_something() -> None:
    assert len(set(in_templates())) > 150
    assert len(set(in_code())) > 80


def test_every_catalogue_is_read() -> None:
    found = {path.parent for path in ROOT.rglob("en.po") if ".venv" not in path.parts}
    assert found == {SHARED, SHARED / "web", ROOT / "deploy", *(service.folder for service in ALL)}
