"""What an offer asks of the one who receives, and what a need tells of them, as words say it."""

import re
from collections.abc import Mapping
from datetime import date

from matching.numerals import NUMBER, dates, number

Places = Mapping[str, tuple[str, ...]]

STANDING: Mapping[str, str] = {
    "低保边缘": "DIBAO_EDGE",
    "边缘户": "DIBAO_EDGE",
    "低保": "DIBAO",
    "事实无人抚养": "FACT_ORPHAN",
    "事实孤儿": "FACT_ORPHAN",
    "孤儿": "ORPHAN",
    "父母双亡": "ORPHAN",
    "特困": "TEKUN_S",
    "五保": "TEKUN_S",
    "留守儿童": "LEFTCHILD",
    "留守老人": "ELD_LEFT",
    "独居": "ELD_ALONE",
    "孤老": "ELD_ALONE",
    "空巢": "ELD_EMPTY",
    "失能": "ELD_DISABLED",
    "失智": "ELD_DEMENTIA",
    "残疾": "DIS_SEVERE",
    "残障": "DIS_SEVERE",
    "失独": "FAMPLAN",
    "退役军人": "VETERAN",
    "退伍": "VETERAN",
    "单亲": "SINGLE",
    "监测户": "FANPIN",
    "受灾": "DISASTER",
    "困境儿童": "DIFFCHILD",
    "戒毒": "DRUG_REHAB",
    "敬老院": "INSTITUTION",
    "养老院": "INSTITUTION",
}
RESTRICTED = re.compile(r"(?:仅|只|专)?(?:限|给|供|面向|资助)(?:于)?(?P<who>[^,。;!]*)|定向(?P<to>[^,。;!]*)")
AGE = re.compile(rf"(?P<age>{NUMBER})(?:周)?岁")
FROM_AGE = re.compile(rf"(?P<age>{NUMBER})(?:周)?岁(?:以上|及以上|起)")
TO_AGE = re.compile(rf"(?P<age>{NUMBER})(?:周)?岁(?:以下|以内|及以下)")
SPAN_AGE = re.compile(rf"(?P<low>{NUMBER})(?:岁)?[至到~-](?P<high>{NUMBER})(?:周)?岁")
SIZE = re.compile(rf"(?P<low>{NUMBER})(?:[至到~-](?P<high>{NUMBER}))?(?P<unit>码|段|米)(?!高|长|深)")
LAST_DAY = re.compile(r"(?:保质期|有效期|到期|过期|截止|到)")


def standing(text: str) -> frozenset[str]:
    """The vulnerabilities that a text tells of."""
    found = set()
    for word, code in STANDING.items():
        if word in text:
            found.add(code)
            text = text.replace(word, " ")
    return frozenset(found)


def restricted_to(text: str) -> frozenset[str]:
    """The vulnerabilities that an offer is limited to; empty if to none."""
    return standing(" ".join(m["who"] or m["to"] or "" for m in RESTRICTED.finditer(text)))


def ages_allowed(text: str) -> tuple[float, float] | None:
    """From and to which age an offer serves."""
    if match := SPAN_AGE.search(text):
        return number(match["low"]) or 0, number(match["high"]) or 200
    if match := FROM_AGE.search(text):
        return number(match["age"]) or 0, 200
    if match := TO_AGE.search(text):
        return 0, number(match["age"]) or 200
    return None


def age_told(text: str) -> float | None:
    """The first age that a need tells."""
    match = AGE.search(text)
    return number(match["age"]) if match else None


def sizes(text: str) -> dict[str, list[tuple[float, float]]]:
    """The sizes that a text names, from and to, by their unit."""
    found: dict[str, list[tuple[float, float]]] = {}
    for match in SIZE.finditer(text):
        low = number(match["low"])
        high = number(match["high"]) if match["high"] else low
        if low is not None and high is not None:
            found.setdefault(match["unit"], []).append((low, high))
    return found


def last_day(text: str, today: date) -> date | None:
    """The last day that an offer names, where it speaks of an end."""
    return max(dates(text, today), default=None) if LAST_DAY.search(text) else None


def areas_named(text: str, places: Places) -> frozenset[str]:
    """The codes of the areas that a text names, the narrowest: 新兴县太平镇 is one of the two 太平镇."""
    hit: list[tuple[str, ...]] = []
    for name in sorted(places, key=len, reverse=True):
        if name in text:
            hit.append(places[name])
            text = text.replace(name, " ")
    codes = {code for group in hit for code in group}
    wider = {code for code in codes if any(o != code and o.startswith(code.rstrip("0")) for o in codes)}
    above = {code for code in wider if any((code,) == group for group in hit)}
    narrow = {c for c in codes - wider if not above or any(c.startswith(a.rstrip("0")) for a in above)}
    return frozenset(narrow or codes)
