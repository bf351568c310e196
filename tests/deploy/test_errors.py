"""Every sentence of the set-up stands in both languages, with the same places to fill."""

import ast
import re
from pathlib import Path

import pytest

from deploy import errors
from shared.i18n import catalogue

FOLDER = Path(errors.__file__).parent
SAYING = ("SetupError", "bilingual")


def sentences() -> list[str]:
    calls = (
        node
        for path in FOLDER.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call)
    )
    said = (
        call.args[0]
        for call in calls
        if isinstance(call.func, ast.Name) and call.func.id in SAYING and call.args
    )
    return sorted(
        {node.value for node in said if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    )


@pytest.mark.parametrize("sentence", sentences())
def test_english_stands_beside_it(sentence: str) -> None:
    english = catalogue(FOLDER)[sentence]
    assert set(re.findall(r"{(\w+)}", english)) == set(re.findall(r"{(\w+)}", sentence))


def test_the_chinese_comes_first() -> None:
    assert str(errors.SetupError("无法建立数据库：{reason}", reason="x")).splitlines() == [
        "无法建立数据库：x",
        "The database could not be made: x",
    ]
