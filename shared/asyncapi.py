"""The AsyncAPI 3.0 document of all events: generated from their contracts, kept in the repository, held to the code by a test."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from shared.events import EVENTS, Envelope, Event

MODELS: tuple[type[BaseModel], ...] = (Envelope, *EVENTS)
TEMPLATE = "#/components/schemas/{model}"


def document(consumers: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """The document; `consumers` says which services take which event types ('*': every type)."""
    models: list[tuple[type[BaseModel], JsonSchemaMode]] = [(model, "serialization") for model in MODELS]
    _, definitions = models_json_schema(models, ref_template=TEMPLATE)
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Nuanlian 暖链 events",
            "version": "1.0.0",
            "description": "CloudEvents 1.0 in structured JSON. Data holds ids, codes, quantities and areas, never a personal field. "
            "Delivery is at least once; consumers drop an id they have done, and order is not promised.",
        },
        "defaultContentType": "application/cloudevents+json",
        "channels": {event.TYPE: _channel(event) for event in EVENTS},
        "operations": {
            f"receive.{event.TYPE}.{consumer}": _operation(event, consumer)
            for event in EVENTS
            for consumer in _takers(event, consumers)
        },
        "components": {
            "messages": {event.__name__: _message(event) for event in EVENTS},
            "schemas": definitions["$defs"],
        },
    }


def _takers(event: type[Event], consumers: Mapping[str, Sequence[str]]) -> list[str]:
    return [name for name, types in consumers.items() if "*" in types or event.TYPE in types]


def _channel(event: type[Event]) -> dict[str, Any]:
    return {
        "address": "nuanlian.events",
        "description": (event.__doc__ or "").strip(),
        "messages": {event.__name__: {"$ref": f"#/components/messages/{event.__name__}"}},
    }


def _operation(event: type[Event], consumer: str) -> dict[str, Any]:
    return {
        "action": "receive",
        "channel": {"$ref": f"#/channels/{event.TYPE}"},
        "summary": f"{consumer} takes {event.TYPE}",
    }


def _message(event: type[Event]) -> dict[str, Any]:
    return {
        "name": event.TYPE,
        "contentType": "application/cloudevents+json",
        "payload": envelope_schema(event),
    }


def envelope_schema(event: type[Event]) -> dict[str, Any]:
    """The envelope around this one event."""
    return {
        "allOf": [
            {"$ref": "#/components/schemas/Envelope"},
            {
                "type": "object",
                "properties": {
                    "type": {"const": event.TYPE},
                    "data": {"$ref": f"#/components/schemas/{event.__name__}"},
                },
            },
        ]
    }
