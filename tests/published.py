"""Events as they were sent, held to the AsyncAPI document as it is published."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import asyncpg
from jsonschema import Draft202012Validator

from shared import bus

API = Path(__file__).parents[1] / "deploy" / "api"


@cache
def _validator(event_type: str) -> Draft202012Validator:
    document: dict[str, Any] = json.loads((API / "asyncapi.json").read_text())
    [message] = [
        found for found in document["components"]["messages"].values() if found["name"] == event_type
    ]
    return Draft202012Validator(message["payload"] | {"components": document["components"]})


def faults_of(row: asyncpg.Record) -> Iterator[str]:
    """What in a stored event is not as published."""
    sent = bus.envelope(row).model_dump(mode="json")
    for error in _validator(row["type"]).iter_errors(sent):
        yield f"{row['type']}: {'.'.join(map(str, error.absolute_path))} {error.message[:200]}"
