"""/audit: every page in both languages, and the button that checks the ledger."""

from __future__ import annotations

import re

from services.audit.story import SENTENCES
from shared.events import BY_TYPE
from shared.labels import LABELS
from tests.audit.facts import Case
from tests.house import House

HAN = re.compile("[\u4e00-\u9fff]")
LABEL_WORDS = sorted((word for words in LABELS.values() for word in words.values()), key=len, reverse=True)


def own_words(page: str) -> str:
    """The words that this service's templates say: without the frame, the labels of codes and the sample's own marks."""
    main = page.split("<main", 1)[1].split("</main>", 1)[0]
    main = re.sub(r"<dd class=\"hash\">.*?</dd>", "", main, flags=re.S)
    for word in (*LABEL_WORDS, "示例"):
        main = main.replace(word, "")
    return main


PAGES = (
    ("/audit/", ("审计概览", "罗定市", "核验整本账")),
    ("/audit/entries", ("账本", "need.raised.v1")),
    ("/audit/entries/2", ("提出需求：电风扇 2台，紧急", "前一条的哈希")),
    ("/audit/stories/{need}", ("社工", "走访，记下 1 项需求", "协调员", "签收：电风扇 收到 2台")),
    ("/audit/follow-ups", ("待回访", "YF-示例-0001")),
    ("/audit/follow-ups?state=overdue", ("逾期回访", "打印")),
)


async def test_pages_say_what_they_show(house: House) -> None:
    case = Case()
    await house.deliver("audit", await house.publish(*case.whole()))
    auditor = await house.person("auditor")
    for path, words in PAGES:
        page = await auditor.get(path.format(need=case.need))
        assert page.status_code == 200
        assert [word for word in words if word not in page.text] == [], path
        english = await auditor.get(path.format(need=case.need), headers={"accept-language": "en"})
        assert english.status_code == 200
        assert HAN.findall(own_words(english.text)) == [], path


async def test_the_button_shows_the_verdict(house: House) -> None:
    await house.deliver("audit", await house.publish(*Case().whole()))
    auditor = await house.person("auditor")
    assert "账本完整" in (await auditor.post("/audit/verifications")).text
    await house.db.pool.execute("update bus.event set subject = 'x' where seq = 3")
    page = (await auditor.post("/audit/verifications")).text
    assert "账本有问题" in page
    assert 'href="/audit/entries/3"' in page


async def test_pages_of_nothing_are_pages_too(house: House) -> None:
    auditor = await house.person("auditor", "445302000000")
    for path in ("/audit/", "/audit/entries", "/audit/follow-ups"):
        assert (await auditor.get(path)).status_code == 200
    assert (await auditor.get("/audit/entries/1")).status_code == 404


async def test_somebody_unknown_is_sent_to_sign_in(house: House) -> None:
    answer = await house.anyone().get("/audit/")
    assert (answer.status_code, answer.headers["location"]) == (303, "/accounts/login?next=/audit/")


def test_every_event_has_its_sentence() -> None:
    assert set(SENTENCES) == set(BY_TYPE)
