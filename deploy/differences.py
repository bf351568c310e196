"""Two plans side by side in words, Chinese first."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from deploy.errors import HERE
from deploy.planning import points
from services.compose import ALL
from services.matcher.moves import Moves, PairMoved, Why
from services.matcher.whatif import Comparison, Measures, PriceOfFairness, RuleMoved, ShareMoved
from shared.i18n import Language, merge, say
from shared.reasons import RULES
from shared.service import SHARED
from shared.tables import area_label, vulnerability_label

LANGUAGES: tuple[Language, Language] = ("zh-CN", "en")
MOST = 20
"""Rows of a list that are shown."""

SENTENCES = {
    "as_is": "现状：{needs} 项需求、{offers} 份资源；{served} 项需求得到帮助，其中 {full} 项全部满足，共安排数量 {units}。",
    "scenario": "试算：{needs} 项需求、{offers} 份资源；{served} 项需求得到帮助，其中 {full} 项全部满足，共安排数量 {units}。",
    "scores": "  配对得分 {score}；计入公平、稳定和留用的总分 {objective}，上界 {bound}，差距 {gap}%。",
    "price": "  公平的代价：配对得分少 {lost}。满足率最低的镇街：{town}，{share}%；不计公平时：{town_without}，{without}%。",
    "pairs": "不同的配对：新增 {new}，取消 {gone}，数量增加 {larger}，数量减少 {smaller}。",
    "first": "得分最高的 {shown} 个（现状 → 试算）：",
    "pair": "  需求 {need}，资源 {offer}：{before} → {after}，每单位 {score} 分；{why}。",
    "towns": "满足率不同的镇街 {count} 个，变化最大的在前（此前 → 现状 → 试算）：",
    "classes": "满足率不同的困难类别 {count} 个，变化最大的在前（此前 → 现状 → 试算）：",
    "share": "  {name}：{before}% → {as_is}% → {scenario}%",
    "refused": "没有得到足够帮助的需求，按原因计（现状 → 试算）：",
    "rule": "  {name}：{as_is} → {scenario}",
    "same": "两个方案完全相同。",
    "written": "试算的方案已写入 {file}，可用 plan verify 核对。",
    "no_effect": "以上只是试算，看板没有任何改动。",
}
WHY = {
    "need_left_out": "试算不计这项需求",
    "offer_left_out": "试算不计这份资源",
    "need_added": "需求是试算新增的",
    "offer_added": "资源是试算新增的",
    "refused": "试算中不安排：{rule}",
    "allowed": "现状下不安排：{rule}",
    "served_otherwise": "这项需求改由资源 {offer} 满足",
    "instead_of": "代替资源 {offer}",
    "outranked": "资源给了得分更高的需求 {need}",
    "outranks": "得分高于原先得到这份资源的需求 {need}",
    "fairness": "与需求 {need} 之间由公平决定：得到帮助少的镇街和困难类别优先",
    "freed": "需求 {need} 不再用这份资源",
    "balance": "这样安排总分更高",
}
BELOW = "排在参与比较的资源之后"


@dataclass(frozen=True, slots=True)
class Named:
    """Something that has a name in each language."""

    zh: str
    en: str


@cache
def _words() -> Mapping[str, str]:
    return merge([HERE, SHARED, SHARED / "web", *(service.folder for service in ALL)])


def said(message: str, params: Mapping[str, object]) -> tuple[str, str]:
    """A sentence of ours or of a service in Chinese and in English."""
    chinese, english = (
        say(_words(), language, message, {name: _in(value, language) for name, value in params.items()})
        for language in LANGUAGES
    )
    return chinese, english


def _in(value: object, language: Language) -> object:
    if isinstance(value, Named):
        return value.en if language == "en" else value.zh
    return value


def tell(found: Comparison, out: Path | None) -> Iterator[str]:
    """The lines of a comparison; `out`: where the scenario's plan was written."""
    for name, numbers in (("as_is", found.as_is), ("scenario", found.scenario)):
        yield from _measures(name, numbers)
    yield from _pairs(found.pairs)
    yield from _shares("towns", found.towns, area_label)
    yield from _shares("classes", found.classes, vulnerability_label)
    yield from _rules(found.refused)
    if out:
        yield from _line("written", file=out)
    yield from _line("no_effect")


def _line(sentence: str, /, **params: object) -> tuple[str, str]:
    return said(SENTENCES[sentence], params)


def _table(heading: tuple[str, str], rows: Iterable[tuple[str, str]]) -> Iterator[str]:
    """All of it in Chinese, then all of it in English."""
    lines = [heading, *rows]
    yield from (chinese for chinese, _ in lines)
    yield from (english for _, english in lines)


def _measures(name: str, of: Measures) -> Iterator[str]:
    heading = _line(
        name, needs=of.needs, offers=of.offers, served=of.served, full=of.served_in_full, units=of.units
    )
    scores = _line(
        "scores", score=points(of.score), objective=points(of.objective), bound=points(of.upper_bound),
        gap=f"{100 * of.gap:.4f}",
    )  # fmt: skip
    yield from _table(heading, [scores, *_price(of.price_of_fairness)])


def _price(of: PriceOfFairness) -> Iterator[tuple[str, str]]:
    if of.town:
        yield _line(
            "price", lost=points(of.score_given_up), town=_named(of.town, area_label), share=_percent(of.share),
            town_without=_named(of.town_without, area_label), without=_percent(of.share_without),
        )  # fmt: skip


def _pairs(found: Moves) -> Iterator[str]:
    if not found.first:
        yield from _line("same")
        return
    yield from _line("pairs", new=found.new, gone=found.gone, larger=found.larger, smaller=found.smaller)
    yield from _table(_line("first", shown=len(found.first)), map(_pair, found.first))


def _pair(pair: PairMoved) -> tuple[str, str]:
    return _line(
        "pair", need=pair.need_id, offer=pair.offer_id, before=pair.as_is, after=pair.scenario, score=points(pair.score),
        why=_why(pair.why),
    )  # fmt: skip


def _why(why: Why) -> Named:
    rule = Named(*said(RULES.get(why.rule, why.rule) if why.rule else BELOW, {}))
    return Named(*said(WHY[why.code], {"rule": rule, "need": why.need_id, "offer": why.offer_id}))


def _shares(name: str, rows: Sequence[ShareMoved], label: Callable[[str, Language], str]) -> Iterator[str]:
    if rows:
        lines = [
            _line(
                "share", name=_named(row.code, label), before=_percent(row.before), as_is=_percent(row.as_is),
                scenario=_percent(row.scenario),
            )
            for row in rows[:MOST]
        ]  # fmt: skip
        yield from _table(_line(name, count=len(rows)), lines)


def _rules(rows: Sequence[RuleMoved]) -> Iterator[str]:
    if rows:
        lines = [
            _line(
                "rule",
                name=Named(*said(RULES.get(row.rule, row.rule), {})),
                as_is=row.as_is,
                scenario=row.scenario,
            )
            for row in rows
        ]
        yield from _table(_line("refused"), lines)


def _named(code: str, label: Callable[[str, Language], str]) -> Named:
    return Named(*(label(code, language) for language in LANGUAGES))


def _percent(milli: int) -> str:
    return f"{milli / 10:.1f}"
