"""Accounts as the operator of the machine makes them, from the command line: the way in for the first administrator."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import ValidationError

from services.accounts import passwords, rules
from services.accounts.handlers import SQL, create_person
from services.accounts.schemas import AddPerson
from shared import tables
from shared.access import Grant, Role
from shared.bus import new_id
from shared.db import Connection
from shared.errors import Invalid, Missing, fault_of
from shared.pii import Keyring


async def grant_of(conn: Connection, role: Role, area: str, charity: str | None) -> Grant:
    """The grant that these words mean; a charity is named as it registered. Raises `Invalid` or `Missing`."""
    if area not in tables.areas():
        raise Invalid("没有地区代码 {area}，请用 12 位代码，例如 445381100000。", area=area)
    if (role == "charity") != (charity is not None):
        raise Invalid("慈善机构角色要写明机构名称（--charity），其他角色不写。")
    if charity is None:
        return Grant(role, area)
    charity_id = await SQL.organisation_named(conn, name=charity)
    if charity_id is None:
        raise Missing("没有登记过机构“{charity}”，请先登记机构或导入它的资源。", charity=charity)
    return Grant(role, area, charity_id)


async def create_account(
    conn: Connection, keyring: Keyring, login: str, name: str, role: Role, area: str, charity: str | None
) -> str:
    """A new account; its password is returned and kept nowhere.

    Raises `Conflict` for a login that exists, whose person keeps password and roles, and `Invalid` for what the API refuses too.
    """
    grant = await grant_of(conn, role, area, charity)
    try:
        wanted = AddPerson(login=login, name=name, role=role, area=area, charity_id=grant.charity_id)
    except ValidationError as error:
        raise Invalid(faults=tuple(fault_of(e) for e in error.errors())) from error
    return (await create_person(conn, keyring, wanted.login, wanted.name, [grant]))[1]


async def new_password(conn: Connection, login: str) -> str:
    """A new password for a login, returned and kept nowhere; the person's sessions and tokens end. Raises `Missing`."""
    person = await SQL.credentials(conn, login=login.lower())
    if person is None:
        raise Missing("没有登录名 {login}，请核对拼写。", login=login)
    password = rules.random_password()
    await SQL.set_password(conn, person_id=person["id"], password_hash=await passwords.hashed(password))
    await SQL.end_sessions(conn, person_id=person["id"], but=new_id())
    return password


async def set_account(
    conn: Connection, keyring: Keyring, login: str, name: str, grants: Sequence[Grant]
) -> str:
    """The demo's own accounts: a new one, or on a later run a new password for it."""
    if await SQL.credentials(conn, login=login.lower()) is None:
        return (await create_person(conn, keyring, login, name, grants))[1]
    return await new_password(conn, login)
