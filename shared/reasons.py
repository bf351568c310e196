"""Why a pair scores as it does and why others were refused: codes and parameters in, sentences in the reader's language out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from pydantic import BaseModel, ConfigDict

from shared.access import Call
from shared.i18n import Language
from shared.labels import LABELS
from shared.tables import area_label, category_label, licence_label, vulnerability_label

Say = Callable[[str, Mapping[str, object] | None], str]
NAMED: Mapping[str, Callable[[str, Language], str]] = {
    "vulnerability": vulnerability_label, "category": category_label, "area": area_label, "licence": licence_label,
}  # fmt: skip

# One sentence for each factor of a score: first the one with parameters, then what is said without them.
FACTORS: dict[str, tuple[str, str]] = {
    "base": ("可行配对的起步分", "可行配对的起步分"),
    "vulnerability": ("困难类别：{vulnerability}", "按一般困难计"),
    "urgency": ("紧急程度：{level}", "紧急程度"),
    "waiting": ("已经等了 {days} 天", "等候时间"),
    "due": ("最迟日期临近", "最迟日期临近"),
    "fairness": ("所在镇街或同类困难对象得到的帮助还少", "所在镇街或同类困难对象得到的帮助还少"),
    "category": ("用{category}替代，按 {percent}% 计", "类别相符"),
    "area": ("资源就在本镇街", "资源在本县市或本市"),
    "distance": ("直线距离约 {km} 公里", "距离不详，按 20 公里计"),
    "expiry": ("资源须在 {date} 前用上", "资源期限较近"),
    "designation": ("捐方指定帮扶：{vulnerability}", "符合捐方指定的对象"),
    "quantity": ("资源有 {offered}，需要 {asked}，先满足一部分", "资源数量够用"),
    "condition": ("全新物品", "全新物品"),
    "delivery": ("送货上门", "送货上门"),
}

# Why a need got nothing, or an offer could not serve it; `count` is how many offers the rule refused.
RULES: dict[str, str] = {
    "unknown_category": "类别不在目录里，请先更正需求的类别",
    "government_procedure": "属于政府办理事项，不能由捐赠满足，请转相应部门办理",
    "consent_missing": "没有受益对象的同意，取得同意后才能对接",
    "needed_by_passed": "最迟日期已过，请社工核实后重新约定日期",
    "aid_received": "该户近期已收到同类帮助，未到再次发放的期限",
    "aid_pending": "该户的另一项需求已占用同类资源",
    "nothing_open": "需要的数量都已安排",
    "duplicate_open": "该户对同一耐用物品提了不止一次，先满足最早的一次",
    "no_offer_of_category": "目前没有这一类资源，也没有可替代的",
    "incompatible": "资源不能替代所需类别",
    "out_of_area": "不在资源的服务范围内",
    "out_of_radius": "超出资源的服务半径",
    "too_far_to_fetch": "自提距离太远",
    "window_missed": "资源的可用时间赶不上",
    "expiring": "资源临近保质期，送到时余量不足",
    "not_designated": "捐方指定了帮扶对象，该户不在其中",
    "licence_missing": "资源方没有这项工作要求的资质",
    "vetting_missing": "对象是未成年人，服务者未经背景核查",
    "household_limit": "该户已达到这份资源的每户上限",
    "nothing_left": "资源已全部占用",
    "too_few_at_once": "这项需求要一家一次给齐，这份资源不够数",
    "bundle_incomplete": "同一套里有别的东西凑不齐，单给这一样没有用",
    "declined_before": "这一配对曾被谢绝，不再建议",
    "outranked": "资源给了此处得分更高的需求",
    "exhausted": "可用的资源已分完",
    "score_too_low": "没有得分为正的资源",
    "held_back": "这类资源留给可能出现的更急的需求，要到更高的分数才动用",
}


@dataclass(frozen=True, slots=True)
class Words:
    """How to speak to one reader."""

    say: Say
    language: Language

    def factor(self, code: str, params: Mapping[str, Any]) -> str:
        """The sentence for one factor of a score."""
        full, short = FACTORS.get(code, (code, code))
        return self.say(full, self._readable(params)) if params else self.say(short, None)

    def rule(self, code: str) -> str:
        """The sentence for one rule that refused."""
        return self.say(RULES.get(code, code), None)

    def filled(self, message: str, params: Mapping[str, Any]) -> str:
        """A message with the parameters of the engine said as people say them."""
        return self.say(message, self._readable(params) or None)

    def _readable(self, params: Mapping[str, Any]) -> dict[str, object]:
        return {key: value for name, raw in params.items() for key, value in self._param(name, raw)}

    def _param(self, name: str, raw: Any) -> list[tuple[str, object]]:
        match name:
            case _ if name in NAMED:
                return [(name, NAMED[name](raw, self.language))]
            case "vulnerabilities":
                named = (vulnerability_label(code, self.language) for code in raw.split(";"))
                return [(name, (", " if self.language == "en" else "、").join(named))]
            case "level":
                return [(name, self.say(LABELS["urgency"].get(raw, raw), None))]
            case "factor":
                return [("percent", raw / 10 if raw % 10 else raw // 10)]
            case "metres":
                return [("km", f"{raw / 1000:.1f}")]
            case "was":
                return [("was_km", f"{raw / 1000:.1f}")]
            case "date":
                return [(name, self._day(date.fromisoformat(raw)))]
            case _:
                return [(name, raw)]

    def _day(self, value: date) -> str:
        return (
            f"{value.day} {value:%b %Y}"
            if self.language == "en"
            else f"{value.year}年{value.month}月{value.day}日"
        )


def words_of(call: Call) -> Words:
    """How to speak to the person behind a request."""
    return Words(lambda message, params: call.say(message, **(params or {})), call.language)


class Told(BaseModel):
    """One factor of a score in the reader's words; `points` in thousandths of a point."""

    model_config = ConfigDict(frozen=True)
    code: str
    points: int
    sentence: str


def tell(factors: Iterable[Mapping[str, Any]], words: Words) -> tuple[Told, ...]:
    """The factors of a score as sentences, the weightiest first; the points add up to the score."""
    told = [
        Told(code=f["code"], points=f["points"], sentence=words.factor(f["code"], f["params"]))
        for f in factors
    ]
    return tuple(sorted(told, key=lambda factor: (-abs(factor.points), factor.code)))
