"""Secrets that are shown once: made before the command, given beside its answer, never part of what is stored for a replay."""

from __future__ import annotations

from functools import partial
from uuid import UUID

from services.accounts import handlers, passwords, rules
from services.accounts.schemas import AddPerson, AddToken, PersonAdded, TokenAdded
from shared.access import Call, new_token


def _replayed(call: Call) -> bool:
    return "idempotent-replayed" in call.response.headers


async def person(call: Call, body: AddPerson) -> PersonAdded:
    """A new person, with the password that they sign in with first."""
    password = rules.random_password()
    command = partial(
        handlers.add_person, keyring=call.keyring, password_hash=await passwords.hashed(password)
    )
    answer = PersonAdded.model_validate(await call.create(body, command))
    return answer if _replayed(call) else answer.model_copy(update={"password": password})


async def password_of(call: Call, person_id: UUID) -> PersonAdded:
    """A new password for a person who forgot theirs."""
    password = rules.random_password()
    command = partial(
        handlers.reset_password, person_id=person_id, password_hash=await passwords.hashed(password)
    )
    answer = PersonAdded.model_validate(await call.do(None, command))
    return answer if _replayed(call) else answer.model_copy(update={"password": password})


async def token(call: Call, body: AddToken) -> TokenAdded:
    """A new bearer token."""
    secret = new_token()
    answer = TokenAdded.model_validate(await call.create(body, partial(handlers.add_token, token=secret)))
    return answer if _replayed(call) else answer.model_copy(update={"token": secret})
