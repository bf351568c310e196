"""The fields that requests share."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import ValidationError

from shared.errors import fault_of
from shared.fields import (
    AreaCode,
    CategoryCode,
    IdempotencyKey,
    Quantity,
    Request,
    TownCode,
    Version,
    VulnerabilityCodes,
)


class Asked(Request):
    area: AreaCode = "445381000000"
    town: TownCode = "445381100000"
    category: CategoryCode = "APP-FAN"
    vulnerabilities: VulnerabilityCodes = ()
    quantity: Quantity = 1
    version: Version = 1
    idempotency_key: IdempotencyKey = None


@pytest.mark.parametrize(
    ("field", "value", "rule"),
    [
        ("area", "990000000000", "area_unknown"),
        ("town", "990000000000", "area_unknown"),
        ("town", "445381000000", "town_needed"),
        ("category", "NO-SUCH", "category_unknown"),
        ("vulnerabilities", ["NOBODY"], "vulnerability_unknown"),
        ("vulnerabilities", ["DIBAO"] * 21, "too_long"),
        ("quantity", 0, "greater_than"),
        ("quantity", 10_000_001, "less_than_equal"),
        ("quantity", "3", "int_type"),
        ("quantity", 1.0, "int_type"),
        ("quantity", True, "int_type"),
        ("version", 0, "greater_than_equal"),
        ("version", 2**31, "less_than_equal"),
        ("idempotency_key", "k" * 201, "string_too_long"),
        ("colour", "red", "extra_forbidden"),
    ],
)
def test_what_breaks_a_rule_is_named(field: str, value: Any, rule: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Asked.model_validate_json(json.dumps({field: value}))
    assert [fault_of(error).rule for error in caught.value.errors()] == [rule]


def test_what_keeps_the_rules_passes() -> None:
    told = {
        "vulnerabilities": ["DIBAO"],
        "quantity": 10_000_000,
        "version": 2**31 - 1,
        "idempotency_key": "k" * 200,
    }
    assert Asked.model_validate(told).model_dump(mode="json", include=set(told)) == told
