"""The published documents: valid by their own standards, and the same as the code."""

from __future__ import annotations

import json
from typing import Any

import pytest
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


def test_everything_that_creates_names_its_idempotency_key(made: dict[str, Any]) -> None:
    creating = [
        operation
        for path in made["openapi.json"]["paths"].values()
        for method, operation in path.items()
        if method == "post"
        and "201" in operation["responses"]
        and not operation["operationId"].endswith("post_session")
    ]
    assert creating
    assert not [
        o["operationId"] for o in creating if "idempotency-key" not in str(o.get("parameters", "")).lower()
    ]
