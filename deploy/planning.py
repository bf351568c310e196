"""What the commands around exported plans do. Checking needs the file alone: no database, no data folder, no solver."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from deploy.errors import SetupError, bilingual
from deploy.modelling import as_system
from matching.model import Plan
from matching.planfile import VERSION, Fault, NotAPlan, PlanSheet, read, write
from matching.verify import Verdict, verify
from services.matcher import rules
from services.matcher.handlers import SQL
from services.matcher.loading import load
from services.matcher.rounds import plan_of
from shared.db import Connection

LONG = 2_000_000
"""Edges from which on the wait is long enough to say how far it is."""

# The English of each stands beside its rule, in the checker itself, which must be able to speak without this folder.
SENTENCES = {
    "no_plan": "这不是方案文件，或者文件不完整（{reason}）",
    "version": "文件版本是 {version}，能读的是 {known}",
    "missing": "缺少数组 {name}",
    "unknown": "这个版本的方案里没有数组 {name}",
    "unreadable": "数组 {name} 读不出来（{reason}）",
    "kind": "数组 {name} 的类型是 {found}，应为 {wanted}",
    "length": "数组 {name} 有 {found} 个数，应为 {wanted}",
    "below": "数组 {name} 位置 {place} 的数是 {value}，不得小于 {least}",
    "above": "数组 {name} 位置 {place} 的数是 {value}，不得大于 {most}",
    "ends": "数组 {name} 从 {first} 到 {last}，应从 0 到 {wanted}",
    "descends": "数组 {name} 在位置 {place} 变小",
    "twice": "需求 {need} 重复计入公平组 {group}",
    "meta": "meta 不是 JSON 对象（{reason}）",
    "need_over": "需求 {need} 得到 {given}，超过所缺的 {quantity}",
    "offer_over": "资源 {offer} 给出 {given}，超过现有的 {quantity}",
    "limit_over": "每户上限 {limit} 用到 {given}，超过上限 {most}",
    "whole_split": "需求 {need} 只能由一份资源全部满足或者不满足，却由 {edges} 个配对得到 {given}，所缺为 {quantity}",
    "bundle_part": "成套需求 {bundle} 只能全部满足或者都不满足，其中需求 {need} 得到 {given}，所缺为 {quantity}",
    "asked_short": "公平组 {group}：此前满足的 {met_before} 加上未满足的 {open}，超过提出的总数 {asked}",
    "open_short": "公平组 {group}：文件称未满足的有 {open}，少于其中各项需求所缺的 {quantity}",
    "objective": "文件称总分为 {claimed} 毫分，实际为 {found}",
    "upper_bound": "文件称上界为 {claimed} 毫分，价格只能证明 {found}",
    "over_bound": "方案值 {objective} 毫分，超过价格所允许的任何方案：{bound}",
    "gap": "文件称差距为 {claimed}，按总分和上界应为 {found}",
}


def export(data: Path, database_url: str | None, file: Path) -> dict[str, Any]:
    """Plan everything that is open now, as a round would, and write the plan to `file`; nothing on the board changes.

    Raises `SetupError` when there is no data, or the file can't be written.
    """

    async def work(conn: Connection) -> Plan:
        now = await SQL.clock(conn)
        return plan_of(await load(conn, tuple(sorted(rules.catalogue())), now), now)

    plan = as_system(data, database_url, work)
    assert plan.sheet is not None
    store(file, plan.sheet())
    return {"file": str(file)} | asdict(plan.certificate)


def store(file: Path, sheet: PlanSheet) -> None:
    """Write a plan to `file`. Raises `SetupError` when it can't be written."""
    try:
        write(file, sheet)
    except OSError as error:
        raise SetupError("写不了文件 {file}：{reason}", file=file, reason=error.strerror or error) from None


def verify_file(file: Path, for_machines: bool = False) -> int:
    """Check the plan in `file` and print what was found. 0 when it holds, 1 when it doesn't, with every fault.

    Raises `SetupError` after naming what is wrong with a file that is no plan; `for_machines` prints that as JSON too,
    and 2 is returned.
    """
    try:
        sheet = read(file)
    except NotAPlan as error:
        if for_machines:
            _print_json({"ok": False, "readable": False, "version": VERSION, "faults": _plain(error.faults)})
            return 2
        _complain(error.faults)
        raise SetupError("{file} 不是可以核对的方案文件，原因见上。", file=file) from None
    verdict = verify(sheet, _Progress() if sheet.offer.size >= LONG else lambda done, needs: None)
    if for_machines:
        _print_json(_report(sheet, verdict))
    else:
        _tell(file, sheet, verdict)
    return 0 if verdict.holds else 1


class _Progress:
    """Every tenth of a long file, on stderr."""

    def __init__(self) -> None:
        self.told = 0
        print(bilingual("正在核对，文件较大，请稍候。"), file=sys.stderr)

    def __call__(self, done: int, needs: int) -> None:
        tenths = 10 * done // max(1, needs)
        if tenths > self.told:
            self.told = tenths
            print(f"{10 * tenths}%", file=sys.stderr, flush=True)


def _report(sheet: PlanSheet, verdict: Verdict) -> dict[str, Any]:
    """The verdict beside the file's own claims, in milli-points."""
    claimed = {"objective": sheet.objective, "upper_bound": sheet.upper_bound, "gap": sheet.gap}
    found = asdict(verdict) | {"faults": _plain(verdict.faults)}
    return {
        "ok": verdict.holds, "readable": True, "version": VERSION, "claimed": claimed, **found, "meta": json.loads(sheet.meta)
    }  # fmt: skip


def _plain(faults: Iterable[Fault]) -> list[dict[str, Any]]:
    return [
        {"rule": fault.rule, "count": fault.count, "places": fault.places, "words": fault.lines}
        for fault in faults
    ]


def _print_json(report: dict[str, Any]) -> None:
    print(json.dumps(report, ensure_ascii=False))


def _tell(file: Path, sheet: PlanSheet, verdict: Verdict) -> None:
    for sentence in _found(file, sheet, verdict):
        print(printable(sentence))
    if verdict.holds:
        print(bilingual("方案可行，总分属实；同样的可行配对，任何安排的总分都不会超过上界。"))
        return
    _complain(verdict.faults)
    print(bilingual("核对不通过：发现 {count} 类错误。", count=len(verdict.faults)))


def _found(file: Path, sheet: PlanSheet, verdict: Verdict) -> Iterator[str]:
    yield bilingual(
        "{file}：{needs} 项需求、{offers} 份资源、{edges} 个可行配对，共安排数量 {units}。",
        file=file.name, needs=verdict.needs, offers=verdict.offers, edges=verdict.edges, units=verdict.units,
    )  # fmt: skip
    yield bilingual(
        "文件称：总分 {objective}，上界 {bound}，差距 {gap}%。重新计算：总分 {found}，价格证明的上界 {proved}。",
        objective=points(sheet.objective), bound=points(sheet.upper_bound), gap=f"{100 * sheet.gap:.4f}",
        found=points(verdict.objective), proved=points(verdict.upper_bound),
    )  # fmt: skip
    before, after = verdict.lowest_before, verdict.lowest_after
    if before and after:
        yield bilingual(
            "{groups} 个公平组中满足率最低的：此前 {group_before}，{before}%；按此方案 {group_after}，{after}%。",
            groups=verdict.groups, group_before=before.group, before=_percent(before.before),
            group_after=after.group, after=_percent(after.after),
        )  # fmt: skip
    yield bilingual(
        "文件自述：{meta}", meta=json.dumps(json.loads(sheet.meta), ensure_ascii=False, sort_keys=True)
    )


def points(milli: int) -> str:
    """Milli-points as a person reads points."""
    sign, size = "-" if milli < 0 else "", abs(milli)
    return f"{sign}{size // 1000:,}.{size % 1000:03}"


def _percent(share: float) -> str:
    return f"{100 * share:.1f}"


def _complain(faults: Iterable[Fault]) -> None:
    """Every fault on stderr, Chinese first, with the places of each kind that are shown."""
    for fault in faults:
        for place, english in zip(fault.places, fault.lines, strict=True):
            print(printable(f"{SENTENCES[fault.rule].format_map(place)}\n{english}"), file=sys.stderr)
        if fault.count > len(fault.places):
            more = fault.count - len(fault.places)
            print(bilingual("同类错误还有 {more} 处。", more=more), file=sys.stderr)


def printable(text: str) -> str:
    """Without what could steer the terminal: names come from a file that anybody may have made."""
    return "".join(sign if sign.isprintable() or sign == "\n" else "�" for sign in text)
