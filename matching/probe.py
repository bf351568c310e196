"""The features of one pair, read off the engine's own scoring, so that what is learned from is what is scored."""

from collections.abc import Mapping
from datetime import datetime

from matching.explain import explain
from matching.features import NAMES
from matching.model import Catalogue, Need, Offer, Policy
from matching.ranking import AdditiveModel

PARTS, POINT = 1_000_000, 1_000
PROBE = AdditiveModel.linear("probe", 0, [PARTS] * len(NAMES))


def features_of(
    need: Need,
    offer: Offer,
    *,
    catalogue: Catalogue,
    policy: Policy,
    now: datetime,
    shares: Mapping[str, int],
) -> dict[str, float] | None:
    """Each feature by its name, to a millionth; None if the pair is not possible."""
    verdict = explain(need, [offer], catalogue=catalogue, policy=policy, model=PROBE, now=now, shares=shares)
    if not verdict.edges:
        return None
    parts = dict(verdict.edges[0].contributions)
    return {name: parts.get(name, 0) / (POINT if name == "fairness" else PARTS) for name in NAMES}
