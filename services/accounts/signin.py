"""Signing in and changing a password: each in several short transactions, since a hash takes longer than one should."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from services.accounts import passwords, rules
from services.accounts.handlers import SQL
from services.accounts.schemas import ChangePassword, SignIn
from shared.access import Call, hash_token, new_token
from shared.bus import new_id
from shared.errors import Fault, Invalid, TooMany, Unauthenticated


class WrongPassword(Unauthenticated):
    """登录名或密码不对，请核对后再试。忘记密码请联系本地区的管理员。"""


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A new session; `token` is what the browser keeps."""

    session_id: UUID
    token: str
    expires_at: datetime


async def sign_in(call: Call, body: SignIn) -> SignedIn:
    """A new session for 12 hours.

    Raises `WrongPassword` alike for an unknown login, a disabled person and a wrong password, and `TooMany` with the seconds to wait
    after several failures from the same address, and for a few seconds after many from anywhere, whether or not the login exists.
    """
    login = body.login.strip().lower()
    person = await _begin(call, login)
    right = await passwords.matches(person["password_hash"] if person else None, body.password)
    if person is None or person["disabled"] or not right:
        raise WrongPassword
    token = new_token()
    async with call.transaction() as conn:
        await SQL.forget_tries(conn, **_tried(call, login))
        row = await SQL.add_session(
            conn,
            id=new_id(),
            token_hash=hash_token(token),
            person_id=person["id"],
            kind="browser",
            label=call.request.headers.get("user-agent", "")[:80],
            hours=rules.SESSION_HOURS,
        )
    if row is None:
        raise WrongPassword
    return SignedIn(row["id"], token, row["expires_at"])


async def change_password(call: Call, body: ChangePassword) -> None:
    """A new password for the caller; every other session and token of theirs ends. Raises `Invalid` for a wrong current one."""
    async with call.transaction() as conn:
        own = await SQL.own_credentials(conn, person_id=call.caller.person_id)
    login = own["login"] if own else ""
    await _begin(call, login)
    if not await passwords.matches(own["password_hash"] if own else None, body.current):
        raise Invalid(faults=(Fault("current", "wrong_password", "原密码不对"),))
    new_hash = await passwords.hashed(body.new)
    async with call.transaction() as conn:
        await SQL.forget_tries(conn, **_tried(call, login))
        await SQL.set_password(conn, person_id=call.caller.person_id, password_hash=new_hash)
        await SQL.end_sessions(conn, person_id=call.caller.person_id, but=call.caller.session_id)


async def _begin(call: Call, login: str) -> Any:
    """Count the try before it is checked and find the person. Raises `TooMany` while the login has to wait; that try is not counted."""
    tried = _tried(call, login)
    async with call.transaction() as conn:
        here = await SQL.begin_try(conn, **tried, delays=list(rules.DELAYS))
        anywhere = here and await SQL.begin_guess(
            conn, login_hash=tried["login_hash"], delays=list(rules.DELAYS_ANYWHERE)
        )
        if anywhere is None:
            raise TooMany(seconds=await SQL.wait_seconds(conn, **tried) or 1)
        return await SQL.credentials(conn, login=login)


def _tried(call: Call, login: str) -> dict[str, bytes]:
    """What tries are counted by: the login, and the address that the request comes from."""
    client = call.request.client
    address = rules.origin(client.host) if client else ""
    return {
        "login_hash": call.keyring.blind("login", login) or b"",
        "address_hash": call.keyring.blind("address", address) or b"",
    }
