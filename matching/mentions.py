"""Where a text speaks of which category: longest match, decoys, negation, and phrases told a little
differently.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from matching.lexicon import ASKING, DECOYS, EXTRA, LACKING, REFUSED_AFTER, REFUSED_BEFORE
from matching.numerals import plain

Side = Literal["need", "offer"]
CLAUSE = re.compile(r"[,。;!?:\n]")
SIMILAR_ENOUGH = 0.6
LOOSE = 4
GAP = "…"
REACH = "[^,。;!?:\\n]{0,8}?"
WINDOW = 6
Span = tuple[int, int, str]


@dataclass(frozen=True, slots=True)
class Terms:
    """How people name one category: names of the thing, phrases for the trouble without it, and its unit.

    `homonyms`: words that contain a name and mean something else.
    """

    code: str
    synonyms: tuple[str, ...] = ()
    phrases: tuple[str, ...] = ()
    unit: str = ""
    homonyms: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Mention:
    """`text[start:end]` speaks of `code`; `weight` grows with the length of the match and with a word of
    asking before it.
    """

    code: str
    start: int
    end: int
    phrase: str
    weight: float
    negated: bool


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """`meanings`: each word's categories and how much it says of each. `whole` words are looked for as they
    are, `gapped` ones (电线…烂) part by part, `loose` ones also by their neighbouring pairs of signs.
    """

    meanings: Mapping[str, tuple[tuple[str, float], ...]]
    whole: tuple[str, ...]
    gapped: tuple[tuple[str, tuple[str, ...], re.Pattern[str]], ...]
    loose: tuple[tuple[str, frozenset[str]], ...]


@lru_cache(maxsize=8)
def vocabulary(catalogue: tuple[Terms, ...]) -> Vocabulary:
    """The words of `catalogue` and of the lexicon."""
    meanings = _meanings(catalogue)
    whole = tuple(word for word in meanings if GAP not in word)
    gapped = tuple((word, tuple(word.split(GAP)), _pattern(word)) for word in meanings if GAP in word)
    return Vocabulary(
        meanings, whole, gapped, tuple((word, _pairs(word)) for word in whole if len(word) >= LOOSE)
    )


def _meanings(catalogue: tuple[Terms, ...]) -> dict[str, tuple[tuple[str, float], ...]]:
    words: dict[str, dict[str, float]] = {}
    for terms in catalogue:
        for listed, strength in (
            (terms.synonyms, 1.0),
            (terms.phrases, 1.1),
            (EXTRA.get(terms.code, ()), 0.9),
        ):
            for word in filter(None, map(plain, listed)):
                words.setdefault(word, {}).setdefault(terms.code, strength)
    return {
        word: tuple((code, s / len(codes) ** 0.5) for code, s in codes.items())
        for word, codes in words.items()
    }


def _pattern(word: str) -> re.Pattern[str]:
    return re.compile(REACH.join(f"({re.escape(part)})" for part in word.split(GAP)))


@lru_cache(maxsize=8)
def decoys(catalogue: tuple[Terms, ...]) -> tuple[str, ...]:
    """Words that hide a name inside them and mean something else."""
    return (*DECOYS, *(plain(word) for terms in catalogue for word in terms.homonyms))


def mentions(text: str, catalogue: tuple[Terms, ...], side: Side) -> list[Mention]:
    """All mentions in `text` (already `plain`), in order."""
    words = vocabulary(catalogue)
    named = [
        *_occurrences(text, words.whole),
        *((s, e, "") for s, e, _ in _occurrences(text, decoys(catalogue))),
    ]
    spans = _longest(named)
    spans += _gapped(text, words, spans)
    found = [
        mention
        for start, end, word in spans
        if word
        for mention in _exact(text, (start, end), word, words.meanings[word], side)
    ]
    return sorted([*found, *_loose(text, words, found)], key=lambda m: (m.start, -m.end, m.code))


def clause_of(text: str, start: int, end: int) -> tuple[str, str]:
    """What stands before and after `text[start:end]` in its clause."""
    before = CLAUSE.split(text[:start])[-1]
    after = CLAUSE.split(text[end:])[0]
    return before, after


def _occurrences(text: str, words: Iterable[str]) -> list[Span]:
    found = []
    for word in words:
        start = text.find(word)
        while start >= 0:
            found.append((start, start + len(word), word))
            start = text.find(word, start + 1)
    return found


def _gapped(text: str, words: Vocabulary, spans: Sequence[Span]) -> list[Span]:
    found = []
    for word, parts, pattern in words.gapped:
        if all(part in text for part in parts):
            matches = (m for m in pattern.finditer(text) if not _is_made_of_pieces(m, words, word, spans))
            found += [(m.start(), m.end(), word) for m in matches]
    return found


def _is_made_of_pieces(match: re.Match[str], words: Vocabulary, word: str, spans: Sequence[Span]) -> bool:
    # 没…床 is not said by 没有床垫: no part may be a piece of a longer word for something else.
    codes = {code for code, _ in words.meanings[word]}
    for start, end in (match.span(part + 1) for part in range(match.re.groups)):
        around = [w for a, b, w in spans if a <= start and end <= b and b - a > end - start]
        if any(not codes & {code for code, _ in words.meanings.get(other, ())} for other in around):
            return True
    return False


def _longest(spans: Sequence[Span]) -> list[Span]:
    # A word inside a longer one says nothing of its own: 米 in 小米手机, 床 in 床垫. On a tie a category beats a decoy.
    chosen: list[Span] = []
    for start, end, word in sorted(spans, key=lambda s: (s[0] - s[1], not s[2], s)):
        if not any(a <= start and end <= b for a, b, _ in chosen):
            chosen.append((start, end, word))
    return sorted(chosen)


def _exact(
    text: str, span: tuple[int, int], word: str, codes: tuple[tuple[str, float], ...], side: Side
) -> list[Mention]:
    start, end = span
    if len(word) == 1 and (
        text[start - 1 : start].isdigit() or text[end : end + 1] in ("高", "长", "宽", "深")
    ):
        return []
    before, after = clause_of(text, start, end)
    weight = _length_weight(len(word.replace(GAP, ""))) * (1.4 if _asked(before) else 1.0)
    negated = GAP not in word and _negated(before, after, side)
    return [
        Mention(code, start, end, text[start:end], weight * strength, negated) for code, strength in codes
    ]


def _length_weight(length: int) -> float:
    return min(length, 6) ** 0.8 if length > 1 else 0.6


def _asked(before: str) -> bool:
    return any(word in before[-WINDOW - 2 :] for word in ASKING)


def _negated(before: str, after: str, side: Side) -> bool:
    near = before[-WINDOW:]
    if any(word in near for word in REFUSED_BEFORE):
        return True
    if side == "offer" and near.endswith(LACKING):
        return True
    return any(after[:WINDOW].startswith(word) or after[1:WINDOW].startswith(word) for word in REFUSED_AFTER)


def _loose(text: str, words: Vocabulary, exact: Sequence[Mention]) -> list[Mention]:
    # A phrase of four signs or more counts in part when most of its neighbouring pairs stand in one clause.
    known = {m.code for m in exact}
    found: dict[str, Mention] = {}
    for clause in re.finditer(r"[^,。;!?:\n]+", text):
        pairs = _pairs(clause.group())
        for word, own in words.loose:
            share = len(own & pairs) / (len(word) - 1)
            if share < SIMILAR_ENOUGH:
                continue
            for code, strength in words.meanings[word]:
                weight = _length_weight(len(word)) * strength * share * 0.7
                if code not in known and (code not in found or found[code].weight < weight):
                    found[code] = Mention(code, clause.start(), clause.end(), word, weight, False)
    return list(found.values())


def _pairs(text: str) -> frozenset[str]:
    return frozenset(text[i : i + 2] for i in range(len(text) - 1))
