"""Scenario files: what somebody wants to try, in TOML. A wrong file is refused whole, with every fault named."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields, replace
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Literal, cast

from pydantic import AwareDatetime, BaseModel, Field, ValidationError, create_model

from matching.model import Need, Offer, Policy
from services.matcher import numbers, rules
from services.matcher.loading import Scope, point_of
from services.matcher.trials import Scenario
from services.offers.schemas import OfferTerms
from shared import tables
from shared.db import Connection
from shared.errors import Fault, fault_of
from shared.events import BeneficiaryKind, Urgency
from shared.fields import CategoryCode, Quantity, Request, TownCode, VulnerabilityCode, VulnerabilityCodes

UNREADABLE = "不是可以读取的 TOML 文件：{reason}"
OUTSIDE = "类别 {code} 不在这次试算的类别里。请把它加进 categories，或者去掉 categories。"
NO_SUCH = {
    "without_needs": "试算的类别里没有这样的待对接需求：{code}。请填需求编号或案卷号。",
    "without_offers": "试算的类别里没有这样的可用资源：{code}。请填资源编号。",
}
# What keeps every score within the engine's whole numbers, and a trial within minutes.
MOST, FARTHEST_M = 10_000, 10_000_000
BOUNDS: Mapping[str, tuple[int, int]] = {
    "edges_per_need": (1, 1_000), "forecast_samples": (0, 100), "forecast_days": (0, 1_000), "forecast_horizon_days": (0, 1_000),
}  # fmt: skip
KEYS: Mapping[str, Any] = {"base_priority": VulnerabilityCode, "urgency_points": Urgency}


class NotAScenario(ValueError):
    """A file that can't be tried. `faults`: everything that is wrong with it, by its place in the file."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__("; ".join(f"{fault.field}: {fault.rule}" for fault in self.faults))


class FurtherNeed(Request):
    """A need that nobody raised yet, of a beneficiary of its own who agrees. Without `raised_at` it is raised now. Needs of the same
    `bundle` are met together or not at all."""

    category: CategoryCode
    quantity: Quantity
    area: TownCode
    urgency: Urgency = "normal"
    needed_by: AwareDatetime | None = None
    raised_at: AwareDatetime | None = None
    vulnerabilities: VulnerabilityCodes = ()
    minor: bool = False
    beneficiary_kind: BeneficiaryKind = "household"
    whole: bool = False
    bundle: Annotated[int, Field(ge=1, le=9)] | None = None


def _settings() -> type[BaseModel]:
    """Every setting of the policy as a field that may be left out: whole numbers, and tables of them by code."""
    default = Policy()
    kinds: dict[str, Any] = {
        item.name: (_kind(item.name, getattr(default, item.name)), None) for item in fields(Policy)
    }
    made: type[BaseModel] = create_model("Settings", __base__=Request, **kinds)
    return made


def _kind(name: str, default: Any) -> Any:
    if isinstance(default, Mapping):
        return dict[KEYS.get(name, CategoryCode), _whole(0, MOST)]  # type: ignore[misc]
    return _whole(*BOUNDS.get(name, (0, FARTHEST_M if name.endswith("_m") else MOST)))


def _whole(least: int, most: int) -> Any:
    return Annotated[int, Field(ge=least, le=most, strict=True)]


Settings = _settings()


class ScenarioFile(Request):
    """The file's tables. `policy` is laid over the office's settings; `categories`: those planned, with all that may stand in for
    them (none = every one)."""

    policy: Settings = Settings()  # type: ignore[valid-type]
    offer: tuple[OfferTerms, ...] = ()
    need: tuple[FurtherNeed, ...] = ()
    without_offers: tuple[str, ...] = ()
    without_needs: tuple[str, ...] = ()
    categories: tuple[CategoryCode, ...] = ()
    model: Literal["rules", "in_force"] = "in_force"


@dataclass(frozen=True, slots=True)
class Draft:
    """A file as it was read. `file` is None while `faults` are known; `without_needs` and `without_offers` are still words."""

    file: ScenarioFile | None
    faults: tuple[Fault, ...]
    categories: tuple[str, ...]
    without_needs: tuple[str, ...]
    without_offers: tuple[str, ...]


def read(path: Path) -> Draft:
    """The scenario in `path`. Raises `NotAScenario` when nothing of it needs a look at the board to be refused."""
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise NotAScenario([Fault("", "unreadable", UNREADABLE, {"reason": error})]) from None
    file, faults = _checked(raw)
    words = {name: tuple(_texts(raw.get(name))) for name in NO_SUCH}
    draft = Draft(file, faults, _reach(raw), words["without_needs"], words["without_offers"])
    if faults and not (draft.without_needs or draft.without_offers):
        raise NotAScenario(faults)
    return draft


def _checked(raw: Mapping[str, Any]) -> tuple[ScenarioFile | None, tuple[Fault, ...]]:
    file, outside = None, tuple(_outside(raw))
    try:
        file = ScenarioFile.model_validate(raw)
    except ValidationError as error:
        return None, (*(_fault(one) for one in error.errors()), *outside)
    return None if outside else file, outside


def _fault(error: Any) -> Fault:
    raised = (error.get("ctx") or {}).get("error")
    parts = [*error["loc"], *([field] if (field := getattr(raised, "field", "")) else [])]
    return replace(fault_of(error), field=_path(parts))


def _path(parts: Iterable[int | str]) -> str:
    """offer, 0, quantity -> offer[1].quantity: places in the file are counted from one."""
    found = ""
    for part in parts:
        if isinstance(part, int):
            found += f"[{part + 1}]"
        elif part != "[key]":
            found += f".{part}" if found else part
    return found


def _texts(value: Any) -> Iterator[str]:
    yield from (text for text in value if isinstance(text, str)) if isinstance(value, list) else ()


def _reach(raw: Mapping[str, Any]) -> tuple[str, ...]:
    """The categories to plan: those named with all that may stand in for them, or every one."""
    wanted = [code for code in _texts(raw.get("categories")) if code in rules.catalogue()]
    return rules.component(wanted) if wanted else tuple(sorted(rules.catalogue()))


def _outside(raw: Mapping[str, Any]) -> Iterator[Fault]:
    """Needs and offers of categories that are not planned."""
    reach = _reach(raw)
    for name in ("offer", "need"):
        rows = raw.get(name)
        for place, row in enumerate(rows if isinstance(rows, list) else ()):
            code = row.get("category") if isinstance(row, dict) else None
            if isinstance(code, str) and code in rules.catalogue() and code not in reach:
                yield Fault(_path([name, place, "category"]), "category_outside", OUTSIDE, {"code": code})


def days_back(draft: Draft) -> int:
    """How far the forecast looks back, of the board as it is or of the scenario."""
    own = policy_of(draft.file).days_back if draft.file else 0
    return max(rules.policy().days_back, own)


async def over(conn: Connection, draft: Draft, scope: Scope, now: datetime) -> Scenario:
    """The draft as the engine's values over what `load` found. Raises `NotAScenario` with every fault, ids unknown there among them."""
    needs, no_needs = _meant(
        "without_needs",
        draft.without_needs,
        await numbers.needs_called(conn, draft.without_needs),
        {need.id for need in scope.needs},
    )
    offers, no_offers = _meant(
        "without_offers",
        draft.without_offers,
        await numbers.offers_called(conn, draft.without_offers),
        {offer.id for offer in scope.offers},
    )
    if (faults := (*draft.faults, *no_offers, *no_needs)) or draft.file is None:
        raise NotAScenario(faults)
    return _scenario(draft.file, needs, offers, now)


def _meant(
    name: str, words: Iterable[str], called: Mapping[str, frozenset[str]], open_: set[str]
) -> tuple[frozenset[str], list[Fault]]:
    found: set[str] = set()
    faults = []
    for place, word in enumerate(words):
        ids = called.get(word, frozenset()) & open_
        found |= ids
        if not ids:
            faults.append(Fault(_path([name, place]), "not_on_the_board", NO_SUCH[name], {"code": word}))
    return frozenset(found), faults


def _scenario(file: ScenarioFile, needs: frozenset[str], offers: frozenset[str], now: datetime) -> Scenario:
    return Scenario(
        policy=policy_of(file),
        by_rules=file.model == "rules",
        without_needs=needs,
        without_offers=offers,
        needs=tuple(_need(need, f"need[{n}]", now) for n, need in enumerate(file.need, 1)),
        offers=tuple(_offer(offer, f"offer[{n}]") for n, offer in enumerate(file.offer, 1)),
    )


def policy_of(file: ScenarioFile) -> Policy:
    """The file's settings over the office's, over the defaults; of a table only the rows that are named."""
    settings: dict[str, Any] = dict(tables.policy()["matching"])
    for name, value in cast(BaseModel, file.policy).model_dump(exclude_unset=True).items():
        settings[name] = {**settings.get(name, {}), **value} if isinstance(value, dict) else value
    return Policy.load(settings)


def _need(need: FurtherNeed, name: str, now: datetime) -> Need:
    return Need(
        id=name,
        beneficiary_id=name,
        area=need.area,
        point=point_of(need.area),
        category=need.category,
        quantity=need.quantity,
        urgency=need.urgency,
        needed_by=need.needed_by,
        raised_at=need.raised_at or now,
        vulnerabilities=need.vulnerabilities,
        minor=need.minor,
        whole=need.whole,
        bundle=f"bundle[{need.bundle}]" if need.bundle else "",
        beneficiary_kind=need.beneficiary_kind,
    )


def _offer(offer: OfferTerms, name: str) -> Offer:
    terms = offer.model_dump(exclude={"unit_value_fen"})
    return Offer(id=name, charity_id=name, point=point_of(offer.origin_area), **terms)
