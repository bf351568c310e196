"""Signing in: the cookie, what a stranger can't learn, waiting after wrong passwords, sessions that end."""

from __future__ import annotations

import asyncio
import hashlib

import httpx

from services.accounts.rules import DELAYS
from shared import bus
from shared.access import COOKIE
from shared.pii import Keyring
from shared.settings import Settings
from tests.accounts.people import API, CITY, COUNTY, make, sign_in
from tests.house import House

WRONG = {"login": "zhang.shili", "password": "not the password"}
HERE = "127.0.0.1"


def at(house: House, address: str) -> httpx.AsyncClient:
    """A browser at another address."""
    transport = httpx.ASGITransport(app=house.app, raise_app_exceptions=False, client=(address, 50_000))
    client = httpx.AsyncClient(transport=transport, base_url="http://nuanlian.test")
    house.clients.append(client)
    return client


async def test_signing_in_gives_a_cookie_that_scripts_and_other_sites_do_not_get(
    house: House, keyring: Keyring
) -> None:
    person = await make(house, keyring, "zhang.shili")
    client = house.anyone()
    answer = await client.post(
        f"{API}/sessions", json={"login": " Zhang.Shili ", "password": person.password}
    )
    assert answer.status_code == 201
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith(f"{COOKIE}=")
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert "Secure" not in cookie
    assert client.cookies[COOKIE] not in answer.text
    me = (await client.get(f"{API}/me")).json()
    assert (me["login"], me["name"], [grant["role"] for grant in me["grants"]]) == (
        "zhang.shili",
        "张示例",
        ["worker"],
    )


async def test_the_cookie_is_secure_where_the_settings_say_so(house: House, keyring: Keyring) -> None:
    person = await make(house, keyring, "zhang.shili")
    values = house.settings.model_dump() | {"secure_cookies": True}
    house.app.state.settings = Settings(**values)
    answer = await house.anyone().post(
        f"{API}/sessions", json={"login": person.login, "password": person.password}
    )
    assert "; Secure" in answer.headers["set-cookie"]


async def test_the_token_is_stored_as_its_hash_for_twelve_hours(house: House, keyring: Keyring) -> None:
    client = await sign_in(house, await make(house, keyring, "zhang.shili"))
    row = await house.db.pool.fetchrow(
        "select token_hash, extract(epoch from expires_at - created_at)::int as seconds from access.session"
    )
    assert row is not None
    assert row["token_hash"] == hashlib.sha256(client.cookies[COOKIE].encode()).hexdigest()
    assert row["seconds"] == 12 * 3600


async def test_a_wrong_login_and_a_wrong_password_look_alike(house: House, keyring: Keyring) -> None:
    await make(house, keyring, "zhang.shili")
    known = await house.anyone().post(f"{API}/sessions", json=WRONG)
    unknown = await house.anyone().post(f"{API}/sessions", json=WRONG | {"login": "nobody"})
    assert known.status_code == unknown.status_code == 401
    assert known.json() == unknown.json()
    assert "set-cookie" not in known.headers


async def test_after_some_failures_one_has_to_wait_whether_or_not_the_login_exists(
    house: House, keyring: Keyring
) -> None:
    person = await make(house, keyring, "zhang.shili")
    client = house.anyone()
    for login in (person.login, "nobody"):
        form = WRONG | {"login": login}
        statuses = [(await client.post(f"{API}/sessions", json=form)).status_code for _ in range(5)]
        assert statuses == [401, 401, 401, 401, 429]
        answer = await client.post(f"{API}/sessions", json=form | {"password": person.password})
        assert answer.status_code == 429
        assert 1 <= answer.json()["seconds"] <= 2
        assert answer.headers["retry-after"] == str(answer.json()["seconds"])


async def test_the_right_password_after_the_wait_forgets_the_failures(house: House, keyring: Keyring) -> None:
    person = await make(house, keyring, "zhang.shili")
    await house.db.pool.execute(
        "insert into accounts.attempt values ($1, $2, 40, now(), now() - interval '1 second')",
        keyring.blind("login", "zhang.shili"),
        keyring.blind("address", HERE),
    )
    await sign_in(house, person)
    assert await house.db.pool.fetchval("select count(*) from accounts.attempt") == 0


async def test_there_is_no_permanent_lock(house: House, keyring: Keyring) -> None:
    await make(house, keyring, "zhang.shili")
    await house.db.pool.execute(
        "insert into accounts.attempt values ($1, $2, 1000, now(), now() - interval '1 second')",
        keyring.blind("login", "zhang.shili"),
        keyring.blind("address", HERE),
    )
    assert (await house.anyone().post(f"{API}/sessions", json=WRONG)).status_code == 401
    wait = (await house.anyone().post(f"{API}/sessions", json=WRONG)).json()["seconds"]
    assert wait in (DELAYS[-1] - 1, DELAYS[-1])


async def test_tries_at_once_are_all_counted(house: House, keyring: Keyring) -> None:
    await make(house, keyring, "zhang.shili")
    answers = await asyncio.gather(*(house.anyone().post(f"{API}/sessions", json=WRONG) for _ in range(8)))
    assert sorted(answer.status_code for answer in answers) == [401] * 4 + [429] * 4


async def test_a_stranger_elsewhere_keeps_nobody_waiting(house: House, keyring: Keyring) -> None:
    person = await make(house, keyring, "zhang.shili")
    stranger = at(house, "203.0.113.7")
    statuses = [(await stranger.post(f"{API}/sessions", json=WRONG)).status_code for _ in range(6)]
    assert statuses == [401] * 4 + [429] * 2
    await sign_in(house, person)
    assert (await stranger.post(f"{API}/sessions", json=WRONG)).status_code == 429


async def test_guessing_from_many_addresses_is_slowed_for_all_but_mildly(
    house: House, keyring: Keyring
) -> None:
    person = await make(house, keyring, "zhang.shili")
    statuses = [
        (await at(house, f"203.0.113.{n}").post(f"{API}/sessions", json=WRONG)).status_code for n in range(52)
    ]
    assert statuses == [401] * 51 + [429]
    right = {"login": person.login, "password": person.password}
    waits = await house.anyone().post(f"{API}/sessions", json=right)
    assert (waits.status_code, waits.json()["seconds"] in (1, 2)) == (429, True)
    assert await house.db.pool.fetchval("select tries from accounts.guessed") == 51
    await house.db.pool.execute("update accounts.guessed set tries = 900, locked_until = now()")
    assert (await at(house, "198.51.100.1").post(f"{API}/sessions", json=WRONG)).status_code == 401
    waits = await house.anyone().post(f"{API}/sessions", json=right)
    assert waits.json()["seconds"] in (9, 10)
    await house.db.pool.execute("update accounts.guessed set locked_until = now()")
    await sign_in(house, person)


async def test_signing_in_does_not_count_against_a_login(house: House, keyring: Keyring) -> None:
    person = await make(house, keyring, "zhang.shili")
    for _ in range(3):
        await sign_in(house, person)
    assert await house.db.pool.fetchval("select tries from accounts.guessed") == 0


async def test_a_day_after_its_first_try_a_login_is_counted_anew(house: House, keyring: Keyring) -> None:
    await house.db.pool.execute(
        "insert into accounts.guessed values ($1, 900, now() - interval '25 hours', now())",
        keyring.blind("login", "zhang.shili"),
    )
    assert (await house.anyone().post(f"{API}/sessions", json=WRONG)).status_code == 401
    assert await house.db.pool.fetchval("select tries from accounts.guessed") == 1


async def test_failed_tries_are_forgotten_after_a_day(house: House) -> None:
    await house.db.pool.execute(
        "insert into accounts.attempt values ('a', '', 9, now() - interval '25 hours', now()), ('b', '', 9, now(), now())"
    )
    await house.db.pool.execute(
        "insert into accounts.guessed values ('a', 9, now() - interval '25 hours', now()), ('b', 9, now(), now())"
    )
    async with house.db.transaction(bus.SYSTEM) as conn:
        await conn.execute(
            "insert into bus.job (id, kind, key) values (gen_random_uuid(), 'accounts.forget_old_tries', 'timer')"
        )
    await house.settle()
    for table in ("attempt", "guessed"):
        left = await house.db.pool.fetch(
            f"select encode(login_hash, 'escape') as login from accounts.{table}"
        )
        assert [row["login"] for row in left] == ["b"]


async def test_signing_out_ends_the_session(house: House, keyring: Keyring) -> None:
    client = await sign_in(house, await make(house, keyring, "zhang.shili"))
    token = client.cookies[COOKIE]
    assert (await client.delete(f"{API}/sessions/current")).status_code == 200
    assert COOKIE not in client.cookies
    again = house.anyone({"authorization": f"Bearer {token}"})
    assert (await again.get(f"{API}/me")).status_code == 401


async def test_a_disabled_person_is_told_nothing_else_than_a_stranger(house: House, keyring: Keyring) -> None:
    person = await make(house, keyring, "zhang.shili")
    client = await sign_in(house, person)
    admin = await house.person("admin", COUNTY)
    answer = await admin.post(f"{API}/people/{person.id}/disable", json={"version": 1})
    assert answer.status_code == 200
    assert (await client.get(f"{API}/me")).status_code == 401
    right = await house.anyone().post(
        f"{API}/sessions", json={"login": person.login, "password": person.password}
    )
    wrong = await house.anyone().post(f"{API}/sessions", json=WRONG)
    assert (right.status_code, right.json()) == (401, wrong.json())


async def test_a_new_password_ends_the_other_sessions(house: House, keyring: Keyring) -> None:
    person = await make(house, keyring, "zhang.shili", "auditor", CITY)
    here, elsewhere = await sign_in(house, person), await sign_in(house, person)
    wrong = await here.post(f"{API}/me/password", json={"current": "wrong", "new": "a new password"})
    assert (wrong.status_code, wrong.json()["errors"][0]["field"]) == (422, "current")
    short = await here.post(f"{API}/me/password", json={"current": person.password, "new": "short"})
    assert (short.status_code, short.json()["errors"][0]["field"]) == (422, "new")
    done = await here.post(f"{API}/me/password", json={"current": person.password, "new": "a new password"})
    assert done.status_code == 204
    assert (await here.get(f"{API}/me")).status_code == 200
    assert (await elsewhere.get(f"{API}/me")).status_code == 401
    answer = await house.anyone().post(
        f"{API}/sessions", json={"login": person.login, "password": "a new password"}
    )
    assert answer.status_code == 201


async def test_a_request_from_another_site_changes_nothing(house: House, keyring: Keyring) -> None:
    client = await sign_in(house, await make(house, keyring, "zhang.shili"))
    answer = await client.delete(f"{API}/sessions/current", headers={"origin": "https://evil.example"})
    assert answer.status_code == 403
    assert (await client.get(f"{API}/me")).status_code == 200
