"""What `nuanlian plan try` does: the board of now planned twice, as it is and under a scenario, without any effect on it."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict, replace
from datetime import datetime
from pathlib import Path

from deploy import scenarios
from deploy.differences import said, tell
from deploy.errors import SetupError
from deploy.modelling import as_system
from deploy.planning import printable, store
from matching.plansheet import PlanSheet
from services.matcher.handlers import SQL
from services.matcher.loading import Scope, load
from services.matcher.trials import Scenario, both
from services.matcher.whatif import compare
from shared.db import Connection
from shared.errors import Fault


def try_scenario(
    data: Path, database_url: str | None, file: Path, out: Path | None = None, for_machines: bool = False
) -> int:
    """Print what the scenario in `file` would change. 0, or 2 for a wrong file after naming every fault.

    `out`: where the scenario's plan goes. Raises `SetupError` when there is no data, or `out` can't be written, and for a wrong file
    unless that is told `for_machines`.
    """
    try:
        scope, scenario, now = _loaded(data, database_url, file)
    except scenarios.NotAScenario as error:
        return _refuse(file, error.faults, for_machines)
    as_is, tried = both(scope, scenario, now)
    found = compare(as_is, tried)
    if out:
        store(out, _signed(tried.sheet, file))
    if for_machines:
        report = {"ok": True, "file": str(file), "out": str(out) if out else None} | asdict(found)
        print(json.dumps(report, ensure_ascii=False, default=datetime.isoformat))
    else:
        print("\n".join(map(printable, tell(found, out))))
    return 0


def _loaded(data: Path, database_url: str | None, file: Path) -> tuple[Scope, Scenario, datetime]:
    """What is looked at, read in a transaction that can't write; it ends before anything is planned."""
    draft = scenarios.read(file)

    async def work(conn: Connection) -> tuple[Scope, Scenario, datetime]:
        await conn.execute("set transaction read only")
        now = await SQL.clock(conn)
        scope = await load(conn, draft.categories, now, scenarios.days_back(draft))
        return scope, await scenarios.over(conn, draft, scope, now), now

    return as_system(data, database_url, work)


def _signed(sheet: PlanSheet, file: Path) -> PlanSheet:
    """The plan says of itself that it is only a trial."""
    meta = json.loads(sheet.meta) | {"scenario": file.name}
    return replace(sheet, meta=json.dumps(meta, ensure_ascii=False, sort_keys=True))


def _refuse(file: Path, faults: tuple[Fault, ...], for_machines: bool) -> int:
    sentences = [said(fault.message, fault.params) for fault in faults]
    if for_machines:
        told = [
            {"field": fault.field, "rule": fault.rule, "zh": chinese, "en": english}
            for fault, (chinese, english) in zip(faults, sentences, strict=True)
        ]
        print(json.dumps({"ok": False, "file": str(file), "faults": told}, ensure_ascii=False))
        return 2
    for fault, both_languages in zip(faults, sentences, strict=True):
        for sentence in both_languages:
            print(printable(f"{fault.field}  [{fault.rule}]  {sentence}".strip()), file=sys.stderr)
    raise SetupError("{file} 不能试算，原因见上。", file=file)
