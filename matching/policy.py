"""What an office may set about matching. Every default here is a suggestion, to be changed as data and not
in code.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from types import MappingProxyType
from typing import Any

PRIORITY: Mapping[str, int] = MappingProxyType(
    {
        "ORPHAN": 90, "DV_VICTIM": 90, "FACT_ORPHAN": 88, "DISASTER": 85, "TEKUN_S": 80, "MINOR_RISK": 80,
        "ELD_DISABLED": 78, "DIFFCHILD": 75, "ELD_DEMENTIA": 75, "HOMELESS": 75, "DIS_SEVERE": 72, "PSY_SEVERE": 72,
        "TEMP_AID": 70, "ILL_SEVERE": 70, "DIBAO": 65, "FAMPLAN": 65, "LEFTCHILD": 60, "ELD_ALONE": 60,
        "DRUG_REHAB": 60, "TEKUN_C": 55, "RIGID": 55, "ELD_LEFT": 55, "SINGLE": 55, "DIBAO_EDGE": 50, "FANPIN": 50,
        "ELD_EMPTY": 50, "ELD_80": 50, "DIS_OTHER": 50, "CORRECTION": 50, "VETERAN": 50, "MIGCHILD": 45,
        "INSTITUTION": 45, "LEFTWOMAN": 40, "UNEMP": 40, "OTHER_HARD": 35, "GENERAL": 15,
    }
)  # fmt: skip
URGENCY: Mapping[str, int] = MappingProxyType({"critical": 40, "high": 20, "normal": 5, "low": 0})


class UnknownSetting(ValueError):
    """A policy names a setting that does not exist; the message lists those that do."""


def _mapping(default: Mapping[str, int] | None = None) -> Mapping[str, int]:
    return MappingProxyType(dict(default or {}))


@dataclass(frozen=True, slots=True)
class Policy:
    """The settings of one office. Points are whole points (1,000 milli-points), distances metres, shares
    thousandths.

    `base_priority`: points of each vulnerability; the highest held counts, plus `further_points` for each
    other one up to `further_cap` (the categories overlap, a sum would count poverty twice). A code that is
    not listed counts `default_priority`. `expiry_margin_days`: per category, in place of the catalogue's
    margin. `cycle_days`: per category, how long aid received bars the same category (0 = never), in place
    of `durable_months` (goods that last) and `consumable_cycle_days` (everything else). `fairness_points`:
    what the next unit is worth on top in a town of which nothing was met; it falls in step with the share met, to 0
    where all is. `class_fairness_points`: the same for the class of the highest priority that a beneficiary holds.
    `hold_back_points`: per category, what a unit is worth kept for urgent needs that are likely to come: needs that score
    less don't get it. `forecast_samples`: how many futures are drawn to find out what units are worth kept, offer by offer, at
    least those points (0 = none are; `matching.forecast`), from the needs of the last `forecast_days` for the next
    `forecast_horizon_days`. `spared_urgency_points`: needs whose urgency counts so many points or more, and their bundles,
    are never refused for what is kept. `stability_points`: what a unit must gain to be moved from a proposal that waits on the board.
    `substitute_milli`: multiplies the catalogue's factor of a substitute; 0 forbids substitutes.
    `edges_per_need`: how many of a need's best offers come before the solver; the certificate speaks of
    these.
    """

    base_priority: Mapping[str, int] = field(default_factory=lambda: PRIORITY)
    default_priority: int = 15
    further_points: int = 3
    further_cap: int = 12
    urgency_points: Mapping[str, int] = field(default_factory=lambda: URGENCY)
    waiting_points_per_day: int = 1
    waiting_cap: int = 20
    soft_distance_m: int = 10_000
    self_pickup_m: int = 15_000
    expiry_margin_days: Mapping[str, int] = field(default_factory=_mapping)
    durable_months: int = 24
    consumable_cycle_days: int = 28
    cycle_days: Mapping[str, int] = field(default_factory=_mapping)
    fairness_points: int = 10
    class_fairness_points: int = 5
    hold_back_points: Mapping[str, int] = field(default_factory=_mapping)
    forecast_samples: int = 0
    forecast_days: int = 90
    forecast_horizon_days: int = 28
    spared_urgency_points: int = 40
    stability_points: int = 2
    substitute_milli: int = 1000
    edges_per_need: int = 20
    alternatives: int = 5

    @property
    def days_back(self) -> int:
        """Days whose needs the forecast draws on; 0 when nothing is drawn."""
        return self.forecast_days if self.forecast_samples else 0

    @classmethod
    def load(cls, data: Mapping[str, Any]) -> "Policy":
        """The defaults with `data` laid over them; a table in `data` changes only the rows that it names."""
        known = {item.name for item in fields(cls)}
        if unknown := sorted(set(data) - known):
            raise UnknownSetting(
                f"unknown settings {', '.join(unknown)}; choose among {', '.join(sorted(known))}"
            )
        policy = cls()
        return replace(
            policy, **{name: _laid_over(getattr(policy, name), value) for name, value in data.items()}
        )


def _laid_over(default: Any, value: Any) -> Any:
    return _mapping({**default, **value}) if isinstance(default, Mapping) else value
