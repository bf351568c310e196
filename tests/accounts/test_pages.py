"""/accounts: signing in by form, the account page, the administrator's page; in both languages."""

from __future__ import annotations

import re

import httpx

from shared.bus import new_id
from shared.labels import LABELS
from shared.pii import Keyring
from tests.accounts.people import COUNTY, TOWN, Known, make, sign_in
from tests.house import House

HAN = re.compile("[\u4e00-\u9fff]")
LABEL_WORDS = sorted((word for words in LABELS.values() for word in words.values()), key=len, reverse=True)


def own_words(page: str) -> str:
    """The words that this service's templates say: without the frame, the labels of codes and invented names."""
    main = page.split("<main", 1)[1].split("</main>", 1)[0]
    for word in (*LABEL_WORDS, "张示例", "示例慈善会"):
        main = main.replace(word, "")
    return main


async def english(client: httpx.AsyncClient, path: str) -> str:
    page = await client.get(path, headers={"accept-language": "en"})
    assert page.status_code == 200
    return own_words(page.text)


def field(page: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', page)
    assert found
    return found[1]


async def test_signing_in_by_form_leads_to_ones_work(house: House, keyring: Keyring) -> None:
    person = await make(house, keyring, "zhang.shili", "auditor", COUNTY)
    client = house.anyone()
    page = await client.get("/accounts/login?next=/audit/entries")
    assert field(page.text, "next") == "/audit/entries"
    form = {"login": person.login, "password": person.password, "next": "/audit/entries"}
    answer = await client.post("/accounts/login", data=form)
    assert (answer.status_code, answer.headers["location"]) == (303, "/audit/entries")
    assert (await client.get("/accounts/home")).headers["location"] == "/audit/"
    assert (await client.get("/accounts/login")).headers["location"] == "/accounts/home"


async def test_the_form_does_not_lead_to_another_site(house: House, keyring: Keyring) -> None:
    person = await make(house, keyring, "zhang.shili")
    form = {"login": person.login, "password": person.password, "next": "//evil.example/"}
    answer = await house.anyone().post("/accounts/login", data=form)
    assert answer.headers["location"] == "/accounts/home"


async def test_a_wrong_password_keeps_the_login_and_shows_no_password(house: House, keyring: Keyring) -> None:
    await make(house, keyring, "zhang.shili")
    client = house.anyone()
    form = {"login": "zhang.shili", "password": "not the password"}
    for _ in range(4):
        page = await client.post("/accounts/login", data=form)
    assert page.status_code == 401
    assert "登录名或密码不对" in page.text
    assert 'value="zhang.shili"' in page.text
    assert "not the password" not in page.text
    waiting = await client.post("/accounts/login", data=form)
    assert waiting.status_code == 429
    assert int(waiting.headers["retry-after"]) >= 1
    assert (await client.post("/accounts/login", data={})).status_code == 422


async def test_the_login_page_in_english(house: House) -> None:
    assert HAN.findall(await english(house.anyone(), "/accounts/login")) == []


async def test_signing_out(house: House, keyring: Keyring) -> None:
    client = await sign_in(house, await make(house, keyring, "zhang.shili"))
    assert (await client.post("/accounts/logout")).headers["location"] == "/accounts/login"
    assert (await client.get("/accounts/me")).headers["location"] == "/accounts/login?next=/accounts/me"
    assert (await client.post("/accounts/logout")).status_code == 303


async def test_ones_own_account(house: House, keyring: Keyring) -> None:
    person = await make(house, keyring, "zhang.shili")
    client = await sign_in(house, person)
    page = (await client.get("/accounts/me")).text
    assert "张示例" in page
    assert "社工 · 罗定市" in page
    assert HAN.findall(await english(client, "/accounts/me")) == []
    form = {"label": "report", "days": "30", "idempotency_key": str(new_id())}
    shown = (await client.post("/accounts/me/tokens", data=form)).text
    token = re.search(r'id="token">([^<]+)<', shown)
    assert token
    assert (
        await house.anyone({"authorization": f"Bearer {token[1]}"}).get("/accounts/me")
    ).status_code == 200
    assert token[1] not in (await client.post("/accounts/me/tokens", data=form)).text
    wrong = await client.post("/accounts/me/password", data={"current": "x", "new": "a new password"})
    assert (wrong.status_code, "原密码不对" in wrong.text) == (422, True)
    done = await client.post(
        "/accounts/me/password", data={"current": person.password, "new": "a new password"}
    )
    assert "密码已更改" in done.text
    session = re.search(r"/accounts/me/sessions/([0-9a-f-]+)/end", (await client.get("/accounts/me")).text)
    assert session
    assert (await client.post(session[0])).status_code == 303
    assert (await client.get("/accounts/me")).status_code == 303


async def test_an_administrator_adds_a_person_by_form(house: House, keyring: Keyring) -> None:
    admin = await sign_in(house, await make(house, keyring, "admin-one", "admin", COUNTY))
    assert HAN.findall(await english(admin, "/accounts/people")) == []
    form = {
        "login": "li.shili", "name": "张示例", "role": "worker", "area": TOWN, "charity_id": "",
        "idempotency_key": field((await admin.get("/accounts/people")).text, "idempotency_key"),
    }  # fmt: skip
    page = await admin.post("/accounts/people", data=form)
    password = re.search(r'id="password">([^<]+)<', page.text)
    assert password
    assert await sign_in(house, Known(new_id(), "li.shili", password[1]))
    again = await admin.post("/accounts/people", data=form)
    assert (again.status_code, "密码只在第一次显示" in again.text) == (200, True)
    listed = (await admin.get("/accounts/people")).text
    assert "li.shili" in listed
    assert listed.count("可登录") == 2


async def test_a_refused_form_keeps_what_was_entered(house: House, keyring: Keyring) -> None:
    admin = await sign_in(house, await make(house, keyring, "admin-one", "admin", COUNTY))
    key = str(new_id())
    form = {"login": "li.shili", "name": "张示例", "role": "charity", "area": TOWN, "idempotency_key": key}
    page = await admin.post("/accounts/people", data=form)
    assert page.status_code == 422
    assert "慈善机构角色要选机构" in page.text
    assert field(page.text, "login") == "li.shili"
    assert field(page.text, "idempotency_key") == key


async def test_roles_passwords_and_disabling_by_form(house: House, keyring: Keyring) -> None:
    person = await make(house, keyring, "zhang.shili")
    admin = await sign_in(house, await make(house, keyring, "admin-one", "admin", COUNTY))
    base = f"/accounts/people/{person.id}"
    form = {"role": "coordinator", "area": COUNTY, "idempotency_key": str(new_id())}
    assert (await admin.post(f"{base}/grants", data=form)).status_code == 303
    clash = await admin.post(
        f"{base}/grants", data=form | {"role": "admin", "idempotency_key": str(new_id())}
    )
    assert (clash.status_code, "管理员只管账号" in clash.text) == (422, True)
    page = (await admin.get("/accounts/people")).text
    assert "协调员 · 罗定市" in page
    ends = re.findall(rf"{base}/grants/[0-9a-f-]+/end", page)
    assert (await admin.post(ends[0])).status_code == 303
    assert (await admin.post(ends[0])).status_code == 404
    shown = (await admin.post(f"{base}/password")).text
    password = re.search(r'id="password">([^<]+)<', shown)
    assert password
    client = await sign_in(house, Known(person.id, person.login, password[1]))
    version = await house.db.pool.fetchval("select version from accounts.person where id = $1", person.id)
    assert (await admin.post(f"{base}/disable", data={"version": "1"})).status_code == 409
    assert (await admin.post(f"{base}/disable", data={"version": str(version)})).status_code == 303
    assert (await client.get("/accounts/me")).status_code == 303
    assert "已停用" in (await admin.get("/accounts/people")).text


async def test_pages_ask_who_one_is(house: House) -> None:
    for path in ("/accounts/people", "/accounts/me", "/accounts/home"):
        answer = await house.anyone().get(path)
        assert answer.headers["location"] == f"/accounts/login?next={path}"


async def test_the_people_page_is_for_administrators(house: House, keyring: Keyring) -> None:
    worker = await sign_in(house, await make(house, keyring, "zhang.shili"))
    assert (await worker.get("/accounts/people")).status_code == 403
