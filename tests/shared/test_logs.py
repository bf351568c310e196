"""No log repeats what people typed, whoever writes it."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

# A process of its own, as a role is: the set-up belongs to the whole process.
START = """
import logging, structlog
from shared import logs
logs.configure("INFO")
def raise_it():
    raise ValueError("示例外婆 13800000000")
try:
    raise_it()
except ValueError:
    {line}
"""


def said(line: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", START.format(line=line)], capture_output=True, text=True, check=True
    )
    return done.stderr


def test_our_own_lines_name_an_errors_kind_and_place_alone() -> None:
    words = said("structlog.get_logger().exception('request.failed')")
    line = json.loads(words)
    assert line["error"] == "ValueError" and "raise_it" in line["frames"][-1]
    assert "示例" not in words and "138" not in words


@pytest.mark.parametrize("name", ["uvicorn.error", "celery.worker", "asyncio"])
def test_neither_do_the_lines_of_libraries(name: str) -> None:
    words = said(f"logging.getLogger({name!r}).exception('Exception in %s', 'application')")
    assert "Exception in application ValueError" in words and "raise_it" in words
    assert "示例" not in words and "138" not in words


def test_numbers_that_look_personal_are_masked() -> None:
    words = said("structlog.get_logger().warning('x', note='call 13800000000 about 11010519491231002X')")
    assert words.count("[masked]") == 2
