"""Read a need or an offer told in Chinese: category, urgency, quantity, and the words that say so. No guess
goes unmarked.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from math import exp, log, sqrt

from matching.dialect import folded
from matching.learned import Linear, carried, grams
from matching.lexicon import (
    COMPOSITES,
    DURATIONS,
    MEASURES,
    PEOPLE,
    REPAIR_WORDS,
    REPAIRS,
    WHO,
)
from matching.mentions import Mention, Side, Terms, mentions
from matching.model import Urgency
from matching.numerals import NUMBER, number, plain
from matching.text_urgency import by_rules, likeliest, marks, of_offer

__all__ = ["Mention", "Reading", "Side", "Terms", "carried", "chances", "read", "similar"]

THRESHOLD = 0.4
SURE = 0.9
ALTERNATIVES = 3
ALSO = 0.45
FOR_THEM, NOT_FOR_THEM = 1.15, 0.6
NEAR = 8
RUNS = (1, 2, 3)
MENTIONED, SHARPNESS = 0.35, 1.25
"""What a word counts beside the learned part, and how much surer the sum is than its parts: both from texts not learned from."""
AMOUNT = re.compile(rf"(?P<number>{NUMBER})[多来余几]?[大小整]?(?P<measure>{'|'.join(MEASURES)})")


@dataclass(frozen=True, slots=True)
class Reading:
    """What a text says. `category` is None where the reader is not sure; a person then chooses.

    `also`: further categories asked for. `negated`: categories named but not wanted. `confidence`: 0 to 1,
    of the category. `evidence`: (category, words of the text or the phrase they resemble), strongest first.
    `alternatives`: the likeliest categories and how likely each is, to choose from where the reader is not `sure`.
    """

    category: str | None
    also: tuple[str, ...]
    urgency: Urgency
    quantity: int | None
    negated: tuple[str, ...]
    confidence: float
    evidence: tuple[tuple[str, str], ...]
    alternatives: tuple[tuple[str, float], ...] = ()
    sure: bool = False


def read(
    text: str,
    catalogue: Sequence[Terms],
    *,
    side: Side = "need",
    today: date | None = None,
    learned: Linear | None = None,
) -> Reading:
    """Read `text` with the words of `catalogue`, and with what was `learned` from texts beside them.

    `side`: in a need "没有床垫" asks for a mattress, in an offer it says that none comes along. `today`
    dates words such as "8月底"; without it dates say nothing about urgency. An offer's urgency is that of
    its end.
    """
    said = folded(plain(text))
    found = mentions(said, tuple(catalogue), side)
    scores = _scores(said, found)
    refused = sorted({m.code for m in found if m.negated} - set(scores))
    likely = _chances(said, found, catalogue, learned) if learned else scores
    ranked = sorted(likely, key=lambda code: (-likely[code], code))
    confidence = likely[ranked[0]] if learned and ranked else _confidence([scores[code] for code in ranked])
    category = ranked[0] if ranked and confidence >= THRESHOLD else None
    units = {terms.code: terms.unit for terms in catalogue}
    return Reading(
        category=category,
        also=_also(category, sorted(scores, key=lambda code: (-scores[code], code)), scores),
        urgency=of_offer(said, today)
        if side == "offer"
        else _urgency(said, category, likely, learned, today),
        quantity=_quantity(said, found, category, units.get(category or "", ""), side),
        negated=tuple(refused),
        confidence=round(confidence, 3),
        evidence=tuple(
            (m.code, m.phrase) for m in sorted(found, key=lambda m: (-m.weight, m.start)) if not m.negated
        ),
        alternatives=tuple((code, round(likely[code], 3)) for code in ranked[:ALTERNATIVES]),
        sure=category is not None and confidence >= SURE,
    )


def _kept(said: str, found: Sequence[Mention]) -> str:
    # What is not wanted must not be learned from either; from the end, so that places stay right.
    for mention in sorted({(m.start, m.end) for m in found if m.negated}, reverse=True):
        said = said[: mention[0]] + said[mention[1] :]
    return said


def chances(text: str, catalogue: Sequence[Terms], *, side: Side, learned: Linear) -> dict[str, float]:
    """How likely each category is to be the one that `text` asks for."""
    said = folded(plain(text))
    return _chances(said, mentions(said, tuple(catalogue), side), catalogue, learned)


def _chances(
    said: str, found: Sequence[Mention], catalogue: Sequence[Terms], learned: Linear
) -> dict[str, float]:
    scores = _scores(said, found)
    refused = {m.code for m in found if m.negated} - scores.keys()
    wanted = {terms.code for terms in catalogue} - refused
    known = learned.log_probabilities(_kept(said, found))
    logits = {code: known[code] + MENTIONED * scores.get(code, 0.0) for code in wanted & known.keys()}
    # A category that an office added is not learned: its words alone speak for it.
    logits |= {code: scores[code] - log(len(known)) for code in scores.keys() - known.keys()}
    top = max(logits.values(), default=0.0)
    shares = {code: exp(SHARPNESS * (value - top)) for code, value in logits.items()}
    total = sum(shares.values())
    return {code: share / total for code, share in shares.items()}


def _urgency(
    said: str,
    category: str | None,
    likely: Mapping[str, float],
    learned: Linear | None,
    today: date | None,
) -> Urgency:
    told = learned.urgency(said, marks(said, likely, today)) if learned else None
    return by_rules(said, category, today) if told is None else likeliest(told)


def similar(one: str, other: str) -> float:
    """How alike two texts are, 0 to 1: the cosine of their counts of one to three neighbouring signs. Near
    1: told twice.
    """
    return Signs.of(one).likeness(Signs.of(other))


@dataclass(frozen=True, slots=True)
class Signs:
    """How often each run of neighbouring signs stands in a text, ready to be compared with many; `length` of that vector, squared."""

    counts: Mapping[str, int]
    length: int

    @classmethod
    def of(cls, text: str) -> "Signs":
        counts = Counter(grams(plain(text), RUNS))
        return cls(counts, sum(n * n for n in counts.values()))

    def likeness(self, other: "Signs") -> float:
        """The cosine of both."""
        few, many = sorted((self.counts, other.counts), key=len)
        size, find = sqrt(self.length * other.length), many.get
        return sum([n * find(gram, 0) for gram, n in few.items()]) / size if size else 0.0


def _scores(said: str, found: Sequence[Mention]) -> dict[str, float]:
    """The strength of each category that is wanted; a second mention adds a little."""
    weights: dict[str, list[float]] = defaultdict(list)
    for mention in found:
        if not mention.negated:
            weights[mention.code].append(mention.weight)
    scores = {code: max(all_) + 0.3 * (sum(all_) - max(all_)) for code, all_ in weights.items()}
    return _repaired(said, _combined(_suited(said, scores)))


def _also(category: str | None, ranked: Sequence[str], scores: Mapping[str, float]) -> tuple[str, ...]:
    if category is None or category not in scores:
        return ()
    parts = [
        code
        for codes, whole in COMPOSITES.items()
        if whole == category
        for code in sorted(codes & scores.keys())
    ]
    others = [code for code in ranked[:4] if code != category]
    near = [code for code in others if scores[code] >= ALSO * scores[category]]
    return tuple(dict.fromkeys([*parts, *near]))


def _suited(said: str, scores: dict[str, float]) -> dict[str, float]:
    """Categories for children, or for elders, weigh more where those are spoken of and less where only the others are."""
    spoken = [any(word in said for word in words) for words, _ in WHO]
    for (_, codes), here in zip(WHO, spoken, strict=True):
        factor = FOR_THEM if here else NOT_FOR_THEM if any(spoken) else 1.0
        scores = {code: score * (factor if code.startswith(codes) else 1.0) for code, score in scores.items()}
    return scores


def _combined(scores: dict[str, float]) -> dict[str, float]:
    for parts, whole in COMPOSITES.items():
        if parts <= scores.keys():
            scores[whole] = max([scores.get(whole, 0.0), *(scores[part] * 1.2 for part in parts)])
    return scores


def _repaired(said: str, scores: dict[str, float]) -> dict[str, float]:
    if not any(word in said for word in REPAIR_WORDS):
        return scores
    for group, service in REPAIRS.items():
        things = [score for code, score in scores.items() if code.startswith(group + "-")]
        if things:
            scores[service] = max([scores.get(service, 0.0), max(things) * 1.3])
    return scores


def _confidence(ranked: Sequence[float]) -> float:
    if not ranked:
        return 0.0
    second = ranked[1] if len(ranked) > 1 else 0.0
    return (1 - exp(-ranked[0] / 1.2)) * ranked[0] / (ranked[0] + 0.6 * second)


def _quantity(said: str, found: Sequence[Mention], category: str | None, unit: str, side: Side) -> int | None:
    """The amount in the category's own unit that stands nearest to a mention of it, else the nearest in
    another measure.

    Money is only read in yuan, and after 差, 缺 or 要 first; people and durations are no amounts of goods.
    None if nothing is said.
    """
    if category is None:
        return None
    places = [m.start for m in found if m.code == category and not m.negated] or [0]
    best: tuple[bool, bool, int, int] | None = None
    for match in AMOUNT.finditer(said):
        value, own = number(match["number"]), match["measure"] == unit
        distance = min(abs(match.start() - place) for place in places)
        if not value or value != int(value) or not (own or _counts(said, match, unit, side, distance)):
            continue
        lacking = said[max(0, match.start() - 2) : match.start()].endswith(("差", "缺", "要", "求", "欠"))
        candidate = (not own, not lacking, distance, int(value))
        best = candidate if best is None else min(best, candidate)
    return best[3] if best else None


def _counts(said: str, match: re.Match[str], unit: str, side: Side, distance: int) -> bool:
    if unit == "元" or (match["measure"] == "个" and said.startswith(DURATIONS, match.end())):
        return False
    if side == "offer":
        return True
    return match["measure"] not in PEOPLE and distance <= NEAR
