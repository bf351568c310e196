"""What the accounts service takes and answers."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Self
from uuid import UUID

from pydantic import BaseModel, Field, StringConstraints, model_validator

from shared.access import Role
from shared.errors import RuleBroken
from shared.fields import AreaCode, IdempotencyKey, Request, Version

Login = Annotated[
    str,
    StringConstraints(strip_whitespace=True, to_lower=True, pattern=r"^[A-Za-z0-9][A-Za-z0-9._@-]{2,63}$"),
]
Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=60)]
NewPassword = Annotated[str, Field(min_length=10, max_length=200)]
Typed = Annotated[str, Field(min_length=1, max_length=200)]


class SignIn(Request):
    login: Typed
    password: Typed


class RoleWanted(Request):
    """A role for an area; for a charity's people also the charity."""

    role: Role
    area: AreaCode
    charity_id: UUID | None = None
    idempotency_key: IdempotencyKey = None

    @model_validator(mode="after")
    def charity_where_needed(self) -> Self:
        if (self.role == "charity") != (self.charity_id is not None):
            raise RuleBroken("charity_needed", "慈善机构角色要选机构，其他角色不选", field="charity_id")
        return self


class AddPerson(RoleWanted):
    login: Login
    name: Name


class AddGrant(RoleWanted):
    pass


class DisablePerson(Request):
    version: Version


class AddToken(Request):
    label: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=60)]
    days: Annotated[int, Field(ge=1, le=365, strict=True)]
    idempotency_key: IdempotencyKey = None


class ChangePassword(Request):
    current: Typed
    new: NewPassword


class SessionOpened(BaseModel):
    session_id: UUID
    expires_at: datetime


class Session(BaseModel):
    """A live session or token; `current` is the one that asks."""

    id: UUID
    kind: str
    label: str
    created_at: datetime
    expires_at: datetime
    current: bool = False


class GrantHeld(BaseModel):
    id: UUID
    role: Role
    area: str
    charity_id: UUID | None = None


class Person(BaseModel):
    """A person as an administrator, or the person, sees them."""

    person_id: UUID
    login: str
    name: str
    disabled: bool
    version: int
    grants: tuple[GrantHeld, ...]


class Me(Person):
    sessions: tuple[Session, ...]


class Organisation(BaseModel):
    id: UUID
    name: str
    kind: str
    area: str


class PersonChanged(BaseModel):
    person_id: UUID
    version: int


class PersonAdded(PersonChanged):
    """`password` is in the first answer alone: it is stored nowhere, so a retry gets the person without it."""

    password: str | None = None


class GrantAdded(PersonChanged):
    grant_id: UUID


class TokenAdded(BaseModel):
    """`token` is in the first answer alone."""

    token_id: UUID
    expires_at: datetime
    token: str | None = None


class Ended(BaseModel):
    id: UUID
