"""What offers are asked for. The request model is the command."""

from __future__ import annotations

from datetime import UTC, date
from functools import partial
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import (
    AfterValidator,
    AwareDatetime,
    Field,
    field_validator,
    model_validator,
)

from services.offers import rules
from shared.events import CharityKind, Condition, Pickup
from shared.fields import IdempotencyKey, Quantity, Request, Version, known_area, known_vulnerability
from shared.imports import Mode
from shared.tables import find_licence

KnownArea = Annotated[str, AfterValidator(partial(known_area, rule="unknown_area"))]
Donatable = Annotated[str, AfterValidator(rules.donatable)]
KnownVulnerability = Annotated[
    str, AfterValidator(partial(known_vulnerability, rule="unknown_vulnerability"))
]
Name = Annotated[str, Field(min_length=2, max_length=80, pattern=r"^\S.*\S$")]
Number = Annotated[str, Field(min_length=1, max_length=40, pattern=r"^\S(.*\S)?$")]
Licence = Annotated[str, Field(min_length=1, max_length=60), AfterValidator(find_licence)]
WithdrawReason = Literal["no_stock", "expired", "mistake", "other"]


class OfferTerms(Request):
    """What is pledged and on which conditions. `quantity` is in the category's unit, `radius_m` in metres, `unit_value_fen` in fen.

    Without `service_areas` an offer serves the county of its origin. `per_day_limit`: what can be handed over in a day.
    """

    category: Donatable
    quantity: Quantity
    origin_area: KnownArea
    service_areas: Annotated[tuple[KnownArea, ...], Field(max_length=100)] = ()
    radius_m: Annotated[int, Field(gt=0, le=1_000_000, strict=True)] | None = None
    pickup: Pickup = "delivery"
    available_from: AwareDatetime | None = None
    available_until: AwareDatetime | None = None
    expires_on: date | None = None
    designated_vulnerabilities: Annotated[tuple[KnownVulnerability, ...], Field(max_length=36)] = ()
    licences: Annotated[tuple[Licence, ...], Field(max_length=20)] = ()
    vetted: bool = False
    per_household_limit: Quantity | None = None
    per_day_limit: Quantity | None = None
    unit_value_fen: Annotated[int, Field(ge=0, le=1_000_000_000, strict=True)] | None = None
    condition: Condition = "new"

    @field_validator("available_from", "available_until")
    @classmethod
    def _one_zone(cls, value: Any) -> Any:
        return value.astimezone(UTC) if value else value

    @field_validator("service_areas", "designated_vulnerabilities", "licences")
    @classmethod
    def _sorted(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(sorted(set(value)))

    @model_validator(mode="after")
    def _window(self) -> Self:
        rules.in_order(self.available_from, self.available_until)
        return self

    def stored(self) -> dict[str, Any]:
        """The terms as JSON values with the areas written out, and their hash: what the table keeps."""
        terms = self.model_dump(mode="json", include=set(OfferTerms.model_fields))
        terms["service_areas"] = list(self.service_areas) or [rules.county_of(self.origin_area)]
        return terms | {"content_hash": rules.content_hash(terms)}


class RegisterOffer(OfferTerms):
    """Pledge an offer. A charity's own people may leave `charity_id` out; without `offer_number` one is given."""

    charity_id: UUID | None = None
    offer_number: Number | None = None
    idempotency_key: IdempotencyKey = None


class ChangeOffer(Request):
    """The fields that change; null empties a field that may be empty. `version` is the one that the change was made from."""

    version: Version
    category: str | None = None
    quantity: Quantity | None = None
    origin_area: str | None = None
    service_areas: tuple[str, ...] | None = None
    radius_m: int | None = None
    pickup: Pickup | None = None
    available_from: AwareDatetime | None = None
    available_until: AwareDatetime | None = None
    expires_on: date | None = None
    designated_vulnerabilities: tuple[str, ...] | None = None
    licences: tuple[str, ...] | None = None
    vetted: bool | None = None
    per_household_limit: Quantity | None = None
    per_day_limit: Quantity | None = None
    unit_value_fen: int | None = None
    condition: Condition | None = None
    idempotency_key: IdempotencyKey = None

    def changes(self) -> dict[str, Any]:
        return self.model_dump(exclude_unset=True, exclude={"version", "idempotency_key"})


class ReplaceTerms(OfferTerms):
    """The change form of the page: all terms at once."""

    version: Version
    idempotency_key: IdempotencyKey = None

    def as_change(self) -> ChangeOffer:
        terms = {name: getattr(self, name) for name in OfferTerms.model_fields}
        return ChangeOffer(version=self.version, idempotency_key=self.idempotency_key, **terms)


class WithdrawOffer(Request):
    reason: WithdrawReason
    version: Version
    idempotency_key: IdempotencyKey = None


class RegisterCharity(Request):
    """An organisation that gives; its name is public."""

    name: Name
    kind: CharityKind
    area: KnownArea
    idempotency_key: IdempotencyKey = None


class Wish(Request):
    """What the import page is asked to do with a sheet."""

    mode: Mode
