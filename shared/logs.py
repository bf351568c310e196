"""Logs: one JSON object a line, of errors their kind and place alone, numbers that look personal masked."""

from __future__ import annotations

import logging
import re
import sys
import traceback
from collections.abc import MutableMapping
from pathlib import Path
from typing import Any

import structlog

# 18-digit ID numbers and mainland mobile numbers, wherever they come from.
PERSONAL = re.compile(r"(?<!\d)(?:\d{17}[\dXx]|1[3-9]\d{9})(?!\d)")


def mask_numbers(_: Any, __: str, entry: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Replace what looks like an ID or phone number: the last net, since neither should ever reach a log."""
    for key, value in entry.items():
        if isinstance(value, str):
            entry[key] = PERSONAL.sub("[masked]", value)
    return entry


def frames_of(error: BaseException) -> list[str]:
    """Where it was raised, outermost first."""
    frames = traceback.extract_tb(error.__traceback__)
    return [f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in frames]


def wordless(record: logging.LogRecord) -> bool:
    """For the standard library's loggers: exceptions as ours have them, since uvicorn and Celery would print their text."""
    if record.exc_info and record.exc_info[1] is not None:
        error = record.exc_info[1]
        record.msg = " ".join([record.getMessage(), type(error).__name__, *frames_of(error)])
        record.args, record.exc_info, record.exc_text = (), None, None
    return True


def trace(_: Any, __: str, entry: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Of an exception its kind and where it was raised, never its text or local variables: those repeat what people typed."""
    error = entry.pop("exc_info", None)
    if error is True:
        error = sys.exc_info()[1]
    if isinstance(error, BaseException):
        entry["error"], entry["frames"] = type(error).__name__, frames_of(error)
        if error.__cause__ is not None:
            entry["cause"] = type(error.__cause__).__name__
    return entry


def configure(level: str = "INFO") -> None:
    """Set structlog and the standard library up for this process."""
    number = logging.getLevelNamesMapping()[level.upper()]
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            trace,
            mask_numbers,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(levelname)s %(name)s %(message)s"))
    handler.addFilter(wordless)
    logging.basicConfig(level=max(number, logging.WARNING), handlers=[handler], force=True)
