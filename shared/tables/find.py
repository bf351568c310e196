"""From what a person wrote to the one row of a table that it names, or a rule that says how to write it."""

import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Mapping
from functools import cache
from types import MappingProxyType

from shared.errors import RuleBroken
from shared.tables.labels import area_label
from shared.tables.loading import areas, categories, licences, vulnerabilities
from shared.tables.model import Area

Index = Mapping[str, tuple[str, ...]]


def plain(text: str) -> str:
    """Text as it is compared: full-width forms folded, no case, no spaces, no separators."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return "".join(letter for letter in folded if letter not in " \t\n\u3000/_-,.*·、")


def find_area(text: str) -> Area:
    """The area that a 12-digit code, a full name (罗定市罗镜镇), a name or an alias (朗塘镇) names.

    Raises RuleBroken `area_unknown`, or `area_ambiguous` with the candidates: 太平镇 lies in two counties.
    """
    found = _areas().get(plain(text), ())
    if not found:
        raise RuleBroken(
            "area_unknown", "找不到这个地方。请填12位区划代码，或县区加镇街的全名，例如 罗定市罗镜镇"
        )
    if len(found) > 1:
        candidates = "、".join(f"{area_label(code)}（{code}）" for code in found)
        raise RuleBroken(
            "area_ambiguous",
            "有几个地方叫这个名字：{candidates}。请写明县区，或填12位代码",
            candidates=candidates,
        )
    return areas()[found[0]]


def find_category(text: str) -> str:
    """The code of a category by code or name. Raises RuleBroken `category_unknown`: words of the field are not guessed at here."""
    return _one(
        _categories(),
        text,
        "category_unknown",
        "类别表里没有这个类别。请从下拉列表中选，或填类别代码，例如 APP-FAN",
    )


def find_vulnerability(text: str) -> str:
    """The code of a vulnerability by code or name. Raises RuleBroken `vulnerability_unknown`."""
    return _one(
        _vulnerabilities(),
        text,
        "vulnerability_unknown",
        "类别表里没有这类对象。请填代码或全名，例如 DIBAO，多项用分号隔开",
    )


def find_licence(text: str) -> str:
    """The Chinese name of a licence by either name. Raises RuleBroken `licence_unknown`."""
    return _one(
        _licences(),
        text,
        "licence_unknown",
        "证件表里没有这种证。请填全名，例如 低压电工作业证，多项用分号隔开",
    )


def _one(index: Index, text: str, rule: str, message: str) -> str:
    found = index.get(plain(text), ())
    if len(found) != 1:
        raise RuleBroken(rule, message)
    return found[0]


def _index(named: Iterable[tuple[str, str]]) -> Index:
    found: dict[str, dict[str, None]] = defaultdict(dict)
    for name, code in named:
        found[plain(name)][code] = None
    return MappingProxyType({name: tuple(codes) for name, codes in found.items()})


@cache
def _areas() -> Index:
    return _index((name, area.code) for area in areas().values() for name in _names(area))


def _names(area: Area) -> Iterable[str]:
    yield from (area.code, area_label(area.code), area_label(area.code, "en"), area.en, area.short_zh)
    above = [""]
    parent = areas().get(area.parent)
    while parent:
        above += [parent.zh + way for way in above] + [parent.short_zh]
        parent = areas().get(parent.parent)
    for name in (area.zh, *area.aliases):
        yield from (way + name for way in above)


@cache
def _categories() -> Index:
    return _index((name, c.code) for c in categories().values() for name in (c.code, c.zh, c.en))


@cache
def _vulnerabilities() -> Index:
    return _index((name, v.code) for v in vulnerabilities().values() for name in (v.code, v.zh, v.en))


@cache
def _licences() -> Index:
    return _index((name, item.zh) for item in licences().values() for name in (item.zh, item.en))
