"""People, roles and sessions: one function a command or event."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

from services.accounts import passwords, rules
from services.accounts.schemas import (
    AddGrant,
    AddPerson,
    AddToken,
    DisablePerson,
    Ended,
    GrantAdded,
    PersonChanged,
    RoleWanted,
    TokenAdded,
)
from shared.access import Caller, Grant, hash_token
from shared.bus import new_id
from shared.db import Connection, queries
from shared.errors import Conflict, Fault, Forbidden, Invalid, Missing
from shared.events import CharityRegistered
from shared.pii import Keyring
from shared.service import Job

SQL = queries(Path(__file__).parent)


def name_place(person_id: UUID) -> str:
    """Where a person's name is sealed."""
    return f"{person_id}|person|name"


async def create_person(
    conn: Connection, keyring: Keyring, login: str, name: str, grants: Sequence[Grant]
) -> tuple[UUID, str]:
    """A new person with a random password, for the command line and the demo (role nuanlian_accounts_system).

    Returns their id and the password, which is stored nowhere in clear. Raises `Conflict` when the login is taken and `Invalid`
    when the roles may not be held together.
    """
    password = rules.random_password()
    person_id = await insert_person(conn, keyring, login, name, grants, await passwords.hashed(password))
    return person_id, password


async def insert_person(
    conn: Connection, keyring: Keyring, login: str, name: str, grants: Sequence[Grant], password_hash: str
) -> UUID:
    """Like `create_person` with a password that was hashed before."""
    for n, grant in enumerate(grants):
        _refuse_clash([held.role for held in grants[:n]], grant.role)
    person_id = new_id()
    data_key = keyring.new_data_key(str(person_id))
    sealed = keyring.seal(data_key, name_place(person_id), name)
    added = await SQL.add_person(
        conn,
        id=person_id,
        login=login.lower(),
        data_key=data_key,
        name_enc=sealed,
        password_hash=password_hash,
    )
    if added is None:
        raise Conflict("登录名 {login} 已经有人使用，请换一个。", login=login)
    await SQL.add_grants(
        conn,
        person_id=person_id,
        ids=[new_id() for _ in grants],
        roles=[grant.role for grant in grants],
        areas=[grant.area for grant in grants],
        charity_ids=[grant.charity_id for grant in grants],
    )
    return person_id


async def add_person(
    conn: Connection, command: AddPerson, by: Caller, *, keyring: Keyring, password_hash: str
) -> PersonChanged:
    """A new person with one role inside the administrator's area."""
    await _may_grant(conn, command, by)
    grant = Grant(command.role, command.area, command.charity_id)
    person_id = await insert_person(conn, keyring, command.login, command.name, [grant], password_hash)
    return PersonChanged(person_id=person_id, version=1)


async def add_grant(conn: Connection, command: AddGrant, by: Caller, *, person_id: UUID) -> GrantAdded:
    """One more role for a person whom the administrator manages."""
    await _managed(conn, person_id)
    await _may_grant(conn, command, by)
    _refuse_clash([held["role"] for held in await SQL.grants(conn, person_id=person_id)], command.role)
    grant_id = new_id()
    await SQL.add_grant(
        conn,
        id=grant_id,
        person_id=person_id,
        role=command.role,
        area=command.area,
        charity_id=command.charity_id,
    )
    version = await SQL.touch_person(conn, person_id=person_id)
    return GrantAdded(person_id=person_id, version=version, grant_id=grant_id)


async def end_grant(
    conn: Connection, command: None, by: Caller, *, person_id: UUID, grant_id: UUID
) -> PersonChanged:
    """End a role inside the administrator's area; it stays on record."""
    await _managed(conn, person_id)
    held = {row["id"]: row for row in await SQL.grants(conn, person_id=person_id)}
    if grant_id not in held:
        raise Missing
    by.require("admin", held[grant_id]["area"])
    if person_id == by.person_id:
        raise Conflict("不能收回自己的角色，请另一位管理员来做。")
    await SQL.end_grant(conn, id=grant_id, person_id=person_id)
    return PersonChanged(person_id=person_id, version=await SQL.touch_person(conn, person_id=person_id))


async def disable_person(
    conn: Connection, command: DisablePerson, by: Caller, *, person_id: UUID
) -> PersonChanged:
    """Nobody signs in as this person any more, and every session and token of theirs ends now."""
    await _wholly_managed(conn, person_id, by)
    version = await SQL.disable_person(conn, person_id=person_id, version=command.version)
    if version is None:
        raise Conflict
    await SQL.end_sessions(conn, person_id=person_id, but=new_id())
    return PersonChanged(person_id=person_id, version=version)


async def reset_password(
    conn: Connection, command: None, by: Caller, *, person_id: UUID, password_hash: str
) -> PersonChanged:
    """A new password for somebody who forgot theirs; their sessions and tokens end."""
    await _wholly_managed(conn, person_id, by)
    version = await SQL.set_password(conn, person_id=person_id, password_hash=password_hash)
    await SQL.end_sessions(conn, person_id=person_id, but=new_id())
    return PersonChanged(person_id=person_id, version=version)


async def add_token(conn: Connection, command: AddToken, by: Caller, *, token: str) -> TokenAdded:
    """A bearer token for a machine, with the roles of its owner. A token can't make tokens: a stolen one would never end."""
    if by.kind != "browser":
        raise Forbidden("令牌不能再生成令牌，请用密码登录后在“我的账号”里操作。")
    row = await SQL.add_session(
        conn,
        id=new_id(),
        token_hash=hash_token(token),
        person_id=by.person_id,
        kind="token",
        label=command.label,
        hours=command.days * 24,
    )
    if row is None:
        raise Missing
    return TokenAdded(token_id=row["id"], expires_at=row["expires_at"])


async def end_session(
    conn: Connection, command: None, by: Caller, *, session_id: UUID, kinds: Sequence[str]
) -> Ended:
    """End one of the caller's own sessions or tokens."""
    if await SQL.end_session(conn, id=session_id, person_id=by.person_id, kinds=list(kinds)) is None:
        raise Missing
    return Ended(id=session_id)


async def copy_charity(conn: Connection, event: CharityRegistered) -> None:
    """Keep the names of the organisations that people may belong to."""
    await SQL.copy_charity(
        conn, id=event.charity_id, name=event.name, kind=event.kind, area=event.area, version=event.version
    )


async def forget_old_tries(conn: Connection, job: Job) -> None:
    """Failed tries count for a day."""
    await SQL.forget_old_tries(conn)


async def _managed(conn: Connection, person_id: UUID) -> Any:
    """The person, locked; `Missing` when they neither hold a role in the administrator's area nor, without any, held their last one there."""
    person = await SQL.lock_person(conn, person_id=person_id)
    if person is None:
        raise Missing
    return person


async def _wholly_managed(conn: Connection, person_id: UUID, by: Caller) -> None:
    """What touches the whole person needs every role of theirs inside the administrator's area."""
    await _managed(conn, person_id)
    if person_id == by.person_id:
        raise Conflict("不能对自己的账号这样做，请另一位管理员来做。")
    if not all(by.may("admin", held["area"]) for held in await SQL.grants(conn, person_id=person_id)):
        raise Forbidden("这个人在别的地区还有角色。请先收回本地区的角色，或请上级管理员操作。")


async def _may_grant(conn: Connection, wanted: RoleWanted, by: Caller) -> None:
    by.require("admin", wanted.area)
    if wanted.charity_id is None:
        return
    organisation = await SQL.organisation(conn, id=wanted.charity_id)
    if organisation is None:
        raise Invalid(faults=(Fault("charity_id", "charity_unknown", "没有这个机构，请从机构列表中选择"),))
    by.require("admin", organisation["area"])


def _refuse_clash(held: Sequence[str], wanted: str) -> None:
    if rules.clash(held, wanted):
        fault = Fault(
            "role", "roles_apart", "管理员只管账号，不能同时办理个案。请另建一个账号，或先收回原有角色"
        )
        raise Invalid(faults=(fault,))
