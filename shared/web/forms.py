"""From an HTML form to the request model that the API takes."""

from __future__ import annotations

from typing import Any, TypeVar

from fastapi import Request
from pydantic import BaseModel, ValidationError

from shared.access import language_of
from shared.errors import AidError, Invalid, fault_of
from shared.i18n import say

Model = TypeVar("Model", bound=BaseModel)


async def fields(request: Request) -> dict[str, Any]:
    """The form as nested values: `needs.0.category` becomes needs[0]['category'], `codes[]` a list; empty fields are left out."""
    root: dict[str, Any] = {}
    for name, value in (await request.form()).multi_items():
        if name.endswith("[]"):
            _descend(root, name[:-2].split("."), []).append(value)
        elif value != "":
            *path, last = name.split(".")
            _descend(root, path, {})[last] = value
    return {key: _lists(value) for key, value in root.items()}


def _descend(node: Any, path: list[str], leaf: Any) -> Any:
    for step, part in enumerate(path):
        node = node.setdefault(part, leaf if step == len(path) - 1 and isinstance(leaf, list) else {})
    return node


def _lists(node: Any) -> Any:
    """Mappings keyed 0, 1, 2 … are lists."""
    if not isinstance(node, dict):
        return node
    if node and all(key.isdigit() for key in node):
        return [_lists(node[key]) for key in sorted(node, key=int)]
    return {key: _lists(value) for key, value in node.items()}


def parse(model: type[Model], values: dict[str, Any]) -> Model:
    """The request model, or `Invalid` with every fault. Form fields are text, so numbers and times are read from text."""
    try:
        return (
            model.model_validate_strings(values)
            if _all_text(values)
            else model.model_validate(values, strict=False)
        )
    except ValidationError as error:
        raise Invalid(faults=tuple(fault_of(e) for e in error.errors())) from error


def _all_text(node: Any) -> bool:
    if isinstance(node, dict):
        return all(_all_text(value) for value in node.values())
    return isinstance(node, str)  # pydantic reads no lists from strings


def problem_of(request: Request, error: AidError) -> dict[str, Any]:
    """The error as a template shows it above a form, in the reader's language."""
    words, language = request.app.state.words, language_of(request)
    return error.problem(lambda message, params: say(words, language, message, params))
