"""Whether what is offered in words serves what is needed in words, and the one reason that decides.

A first opinion on texts. `matching.rules` judges recorded needs and offers and has the last word.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from matching.conditions import (
    Places,
    age_told,
    ages_allowed,
    areas_named,
    last_day,
    restricted_to,
    sizes,
    standing,
)
from matching.dialect import folded
from matching.learned import Linear
from matching.mentions import Terms, decoys
from matching.model import Catalogue
from matching.numerals import plain
from matching.text import Reading, read

GIVING = re.compile(r"捐|赠|送出|可领|免费|义务|愿意|提供|可送货|可派|发放|认领|腾出|可上门|可借")
WANTING = re.compile(r"急需|需要|想要|缺|没钱|求|盼|申请|希望有人|想请")
HAD = re.compile(
    r"(?:上月|上个月|上周|去年|今年|刚|已经|已|前几天|前天)[^,。;]{0,8}(?:领|发|收到|送|配)(?:过|了|到)?"
)
AGAIN = re.compile(r"再(?:要|领|申请|给)|还想|又(?:想|来)|多要|重复")
RELATED = re.compile(
    r"(?:侄|甥|亲戚|亲属|表[弟哥姐妹]|岳|小舅|老板家|自家|本公司员工|理事家|董事|儿媳|女婿|股东)"
)
EXPOSED = re.compile(
    r"(?<!不)(?<!无需)(?<!不需)(?<!不用)(?<!禁止)(?:拍照|拍视频|直播|合影|露脸|出镜|举牌|公开姓名|公开照片|公布姓名|发朋友圈|上电视)"
)
UNLICENSED = re.compile(
    r"(?:无|没有|没|未持|未取得|未考|尚未)[^,。;]{0,8}(?:证|资质|资格|执照)|证[^,。;]{0,4}(?:过期|失效)|不持证"
)
UNVETTED = re.compile(r"(?:未|没|没有|不愿|拒绝|尚未)[^,。;]{0,6}(?:背景|核查|审查|无犯罪|政审)")
SAME_USE_OTHER_PEOPLE = (
    frozenset({"DLY-DIAPA", "DLY-DIAPB"}),
    frozenset({"DLY-CLOTH", "DLY-CLOTHC"}),
    frozenset({"FOD-MILK", "FOD-INFANT"}),
    frozenset({"PSY-COUN", "CHD-PSY"}),
)
ENOUGH = 600
MINORS = ("CHD-", "EDU-")


@dataclass(frozen=True, slots=True)
class Verdict:
    """`code` names the reason. `sure` is False where either text was not surely understood: a person looks."""

    match: bool
    code: str
    sure: bool


@dataclass(frozen=True, slots=True)
class World:
    """What verdicts rest on. `places`: the codes that each name of an area may mean."""

    terms: Sequence[Terms]
    catalogue: Catalogue
    today: date
    places: Places = field(default_factory=dict)
    learned: Linear | None = None


@dataclass(frozen=True, slots=True)
class Pair:
    """Both texts, as they are compared, and what was read in them."""

    need: str
    offer: str
    wanted: Reading
    given: Reading
    world: World

    @property
    def codes(self) -> tuple[str, str]:
        """The likeliest category of each side, empty where nothing is said."""
        return _likeliest(self.wanted), _likeliest(self.given)


def verdict(need: str, offer: str, world: World) -> Verdict:
    """Judge two texts: the first rule that bars the pair names the reason, else what makes it a match."""
    texts = folded(plain(need)), folded(plain(offer))
    wanted = read(need, world.terms, learned=world.learned, today=world.today)
    given = read(offer, world.terms, side="offer", learned=world.learned, today=world.today)
    pair = Pair(*texts, wanted, given, world)
    sure = wanted.category is not None and given.category is not None
    for code, bars in BARS:
        if bars(pair):
            return Verdict(False, code, sure)
    return Verdict(True, _because(pair), sure)


def _likeliest(found: Reading) -> str:
    return found.category or (found.alternatives[0][0] if found.alternatives else "")


def _reversed(pair: Pair) -> bool:
    given_by_need = GIVING.search(pair.need) and not WANTING.search(pair.need)
    wanted_by_offer = WANTING.search(pair.offer) and not GIVING.search(pair.offer)
    return bool(wanted_by_offer) or bool(given_by_need and not re.search("坏|没|不", pair.need))


def _had(pair: Pair) -> bool:
    return bool(HAD.search(pair.need) and AGAIN.search(pair.need)) and pair.codes[1] in {
        pair.codes[0], *pair.wanted.negated,
    }  # fmt: skip


def _refused(pair: Pair) -> bool:
    return pair.codes[1] in pair.wanted.negated or pair.codes[0] in pair.given.negated


def _homonym(pair: Pair) -> bool:
    hidden = any(word in pair.offer for word in decoys(tuple(pair.world.terms)) if _names(pair, word))
    return hidden and pair.codes[0] not in {code for code, _ in pair.given.evidence}


def _names(pair: Pair, word: str) -> bool:
    own = next((t.synonyms for t in pair.world.terms if t.code == pair.codes[0]), ())
    return any(name in word for name in own) or any(name[-1] in word for name in own if len(name) == 2)


def _service(pair: Pair) -> bool:
    wanted, given = (pair.world.catalogue.get(code) for code in pair.codes)
    return wanted is not None and given is not None and {wanted.kind, given.kind} == {"item", "service"}


def _age(pair: Pair) -> bool:
    if pair.codes[0] != pair.codes[1] and frozenset(pair.codes) in SAME_USE_OTHER_PEOPLE:
        return True
    allowed, age = ages_allowed(pair.offer), age_told(pair.need)
    if allowed and age is not None and not allowed[0] <= age <= allowed[1]:
        return True
    there = sizes(pair.offer)
    return any(
        unit in there and not any(a <= high and low <= b for low, high in ours for a, b in there[unit])
        for unit, ours in sizes(pair.need).items()
    )


def _other(pair: Pair) -> bool:
    wanted, given = pair.codes
    return not wanted or not given or (wanted != given and not _serves(pair))


def _serves(pair: Pair) -> bool:
    wanted, given = pair.codes
    row = pair.world.catalogue.get(wanted)
    accepted = dict(row.accepts) if row else {}
    told = given in pair.wanted.also or wanted in pair.given.also
    return accepted.get(given, 0) >= ENOUGH or (told and not _service(pair))


def _part(pair: Pair) -> bool:
    return _other(pair) and pair.codes[0][:3] == pair.codes[1][:3]


def _unvetted(pair: Pair) -> bool:
    return bool(UNVETTED.search(pair.offer)) and pair.codes[0].startswith(MINORS)


def _expired(pair: Pair) -> bool:
    if re.search(r"已过期|过了期|过期了|昨天到期|过了保质期", pair.offer):
        return True
    row, end = pair.world.catalogue.get(pair.codes[0]), last_day(pair.offer, pair.world.today)
    return end is not None and end < pair.world.today + timedelta(days=row.shelf_margin_days if row else 0)


def _purpose(pair: Pair) -> bool:
    only = restricted_to(pair.offer)
    return bool(only) and not only & standing(pair.need)


def _elsewhere(pair: Pair) -> bool:
    here, there = (areas_named(text, pair.world.places) for text in (pair.need, pair.offer))
    return bool(here and there) and not any(h.startswith(t.rstrip("0")) for h in here for t in there)


def _same_name(pair: Pair) -> bool:
    shared = [
        n for n in pair.world.places if n in pair.need and n in pair.offer and len(pair.world.places[n]) > 1
    ]
    return bool(shared) and _elsewhere(pair)


BARS: tuple[tuple[str, Callable[[Pair], bool]], ...] = (
    ("REVERSED", _reversed),
    ("RELATED_PARTY", lambda pair: bool(RELATED.search(pair.offer))),
    ("PRIVACY_CONDITION", lambda pair: bool(EXPOSED.search(pair.offer))),
    ("DUPLICATE_AID", _had),
    ("NEGATED", _refused),
    ("HOMONYM", _homonym),
    ("SIZE_OR_AGE", _age),
    ("SERVICE_NOT_ITEM", lambda pair: _other(pair) and _service(pair)),
    ("PART_NOT_WHOLE", _part),
    ("OTHER_CATEGORY", _other),
    ("LICENCE_MISSING", lambda pair: bool(UNLICENSED.search(pair.offer))),
    ("VETTING_MISSING", _unvetted),
    ("EXPIRED", _expired),
    ("PURPOSE_RESTRICTED", _purpose),
    ("AREA_HOMONYM", _same_name),
    ("OUT_OF_RANGE", _elsewhere),
)


def _because(pair: Pair) -> str:
    if restricted_to(pair.offer):
        return "PURPOSE_OK"
    if pair.codes[0] != pair.codes[1] or pair.wanted.also or pair.given.also:
        return "WHOLE_COVERS_PARTS"
    return "SYNONYM"
