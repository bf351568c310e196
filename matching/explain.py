"""Everything about one need: which offers could serve it, best first, by which rule each of the others
is refused, and when asked what would turn that.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial

from matching.candidates import barred
from matching.columns import seconds
from matching.history import History
from matching.model import Catalogue, Edge, Need, Offer, PastAid, PendingAid, Policy
from matching.ranking import AdditiveModel
from matching.rules import Setting
from matching.standing import Standing
from matching.turning import Bid, Turning, turning
from matching.weighing import Balance


def _nothing(_: Mapping[str, Bid]) -> Turning:
    return Turning()


@dataclass(frozen=True, slots=True)
class Explanation:
    """`edges`: possible offers, best first. `refused`: (offer id, rule) of the others. `barred`: the rule
    that bars the need whole, or ''. `turn`: what would turn a refusal or a rank, worked out when asked for; it takes
    the scores to pass of offers that are proposed to others, by offer.
    """

    edges: tuple[Edge, ...]
    refused: tuple[tuple[str, str], ...]
    barred: str
    turn: Callable[[Mapping[str, Bid]], Turning] = field(default=_nothing, repr=False, compare=False)


def explain(
    need: Need,
    offers: Sequence[Offer],
    *,
    catalogue: Catalogue,
    policy: Policy,
    model: AdditiveModel,
    now: datetime,
    past: Iterable[PastAid] = (),
    pending: Iterable[PendingAid] = (),
    shares: Mapping[str, int] | None = None,
    declined: frozenset[tuple[str, str]] = frozenset(),
) -> Explanation:
    """Judge one need against `offers` by the rules and the model that `propose` uses; offers of categories
    that can't serve it are left out.

    Raises ValueError for a malformed area code or a time without a zone.
    """
    seconds(now)
    wide = replace(policy, edges_per_need=max(1, len(offers)))
    setting = Setting(catalogue, wide, History.of(past, pending), now, declined)
    standing = Standing(offers)
    if whole := barred([need], setting).get(0, ""):
        return Explanation((), (), whole)
    view = standing.view(need, setting)
    edges, refused = view.edges(model, shares or {}), tuple(sorted(view.refused()))
    balance, by_id = Balance(setting, model, shares or {}), {offer.id: offer for offer in offers}
    return Explanation(edges, refused, "", partial(turning, need, by_id, edges, refused, balance))
