"""The published documents: valid by their own standards, and the same as the code."""

from __future__ import annotations

import inspect
import json
from typing import Any

import pytest
from fastapi.routing import APIRoute
from jsonschema import Draft7Validator

from deploy.commands import documents
from services.compose import ALL
from shared.events import BY_TYPE
from tests.packages import schema
from tests.published import API


@pytest.fixture(scope="module")
def made() -> dict[str, Any]:
    return documents()


@pytest.mark.parametrize("name", ["openapi.json", "asyncapi.json"])
def test_the_document_in_the_repository_is_the_codes_own(made: dict[str, Any], name: str) -> None:
    published = json.loads((API / name).read_text(encoding="utf-8"))
    assert json.loads(json.dumps(made[name])) == published, (
        "run `nuanlian documents` and commit what it writes"
    )


def test_the_asyncapi_document_is_valid(made: dict[str, Any]) -> None:
    rules = Draft7Validator(schema("@asyncapi/specs/schemas/3.0.0-without-$id.json"))
    assert not [
        f"{list(error.absolute_path)} {error.message[:200]}"
        for error in rules.iter_errors(json.loads(json.dumps(made["asyncapi.json"])))
    ]


def test_every_event_is_described_and_says_who_takes_it(made: dict[str, Any]) -> None:
    assert set(made["asyncapi.json"]["channels"]) == set(BY_TYPE)
    assert all(channel["description"] for channel in made["asyncapi.json"]["channels"].values())
    taken = {operation.rsplit(".", 1)[1] for operation in made["asyncapi.json"]["operations"]}
    assert taken == {service.name for service in ALL if service.listens}


def test_the_key_is_required_exactly_where_the_code_asks_for_it(made: dict[str, Any]) -> None:
    """A route that answers through `Call.create` needs the header, every other one may have it."""
    needed: set[str] = set()
    optional: set[str] = set()
    for path in made["openapi.json"]["paths"].values():
        for operation in path.values():
            for parameter in operation.get("parameters", []):
                if parameter["name"] == "Idempotency-Key":
                    (needed if parameter["required"] else optional).add(operation["operationId"])
    asked = set()
    for service in ALL:
        for route in service.api.routes:
            assert isinstance(route, APIRoute)
            source = inspect.getsource(route.endpoint)
            if "call.create(" in source or "once.person(" in source or "once.token(" in source:
                asked.add(f"{service.name}_{route.name}")
    assert needed == asked and len(optional) > 5
