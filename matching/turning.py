"""Why an offer is not a need's first, or goes to others, and which single changes would turn that.

Nothing is guessed: each change that is told was judged by the rules and scored by the model anew, and passed. Of a value
that has steps the smallest change is told; a smaller one does not turn it. An answer speaks of scores and rules alone: the
next round weighs everything at once.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from matching.levers import Short, candidates
from matching.lifting import Lift, lifts
from matching.model import Edge, Need, Offer, Reason
from matching.outbidding import Asked, Bid, outbidding
from matching.weighing import Balance

__all__ = ["Bid", "Lift", "Turn", "Turning", "turning"]


@dataclass(frozen=True, slots=True)
class Turn:
    """The pair misses `missing` milli-points (0 = it is ahead); each of `changes` alone would bring them."""

    offer_id: str
    missing: int
    changes: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class Turning:
    """`first`: for each possible offer but the best what would make it the need's best, in order of the ranking. `ahead`: for
    offers that are proposed to others, what would bring the need before one of those. `lifts`: for refused offers, what
    would lift the rule and nothing beyond it.

    Changes and their parameters. Of the offer: distance(metres), town(area), free(units), ends(date),
    designation(vulnerability), delivery. Of the need: urgency(level), due(date), raised(days earlier, date), share(area,
    percent met). Of either, to lift a rule: served(area), radius(metres, was), until(date), from(date), needed_by(date),
    expires(date), held(vulnerabilities, any of them), open, licence(licence), vetting, limit(units), decision.
    """

    first: tuple[Turn, ...] = ()
    ahead: tuple[Turn, ...] = ()
    lifts: tuple[Lift, ...] = ()


def turning(
    need: Need,
    offers: Mapping[str, Offer],
    edges: Sequence[Edge],
    refused: Sequence[tuple[str, str]],
    balance: Balance,
    bids: Mapping[str, Bid],
) -> Turning:
    """`edges`, best first, and `refused` (offer id, rule) are what the need was told of `offers`, by their ids."""
    asked = [Asked(offers[e.offer_id], e.score, bids[e.offer_id]) for e in edges if e.offer_id in bids]
    changes = outbidding(need, asked, balance)
    return Turning(
        _first(need, offers, edges, balance),
        tuple(Turn(one.offer.id, one.missing, tuple(told)) for one, told in zip(asked, changes, strict=True)),
        lifts(need, [(offers[offer], rule) for offer, rule in refused], balance),
    )


def _first(
    need: Need, offers: Mapping[str, Offer], edges: Sequence[Edge], balance: Balance
) -> tuple[Turn, ...]:
    if len(edges) < 2:
        return ()
    best, others = offers[edges[0].offer_id], [offers[edge.offer_id] for edge in edges[1:]]
    top = edges[0].score
    missing = [_goal(best, offer, top) - e.score for offer, e in zip(others, edges[1:], strict=True)]
    short = Short(need, others, missing, [dict(edge.contributions) for edge in edges[1:]])
    changed = list(candidates(short, balance))
    rules, scores = balance.weigh(need, [one.offer for one in changed])
    found: list[list[Reason]] = [[] for _ in others]
    for one, rule, score in zip(changed, rules, scores.tolist(), strict=True):
        if not rule and score >= _goal(best, one.offer, top):
            found[one.place].append(one.told)
    told = zip(others, missing, found, strict=True)
    return tuple(Turn(offer.id, lacks, tuple(some)) for offer, lacks, some in told)


def _goal(best: Offer, offer: Offer, top: int) -> int:
    """The score that puts an offer first: of equal ones the smaller category, area and id comes first."""
    return top if _order(offer) < _order(best) else top + 1


def _order(offer: Offer) -> tuple[str, str, str]:
    return offer.category, offer.origin_area, offer.id
