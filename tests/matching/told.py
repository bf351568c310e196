"""Invented texts held aside, from which nothing was learned: `unseen` ones by an author who knew nothing of the reader, and
earlier ones with which the reader was improved, in frames of their own."""

import csv
import json
import random
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any, cast

from matching.mentions import Side
from matching.text import Reading, Terms, carried, read
from shared import tables

DATA = Path(__file__).parent / "data"
SEED = 20240820
TODAY = date(2024, 8, 20)
"""The day that the invented texts speak on."""
OPENINGS = (
    "", "", "", "隔篱邻舍来站里讲:", "网格员转来一单。", "接电话登记——", "走访日志(周四):", "党员干部反映,", "村医顺路带话,",
)  # fmt: skip
PEOPLE = ("", "", "", "某户主六十七岁,", "一家五口,", "单亲带两娃,", "低保边缘户,", "隔壁那家不困难,这家是:")
ENDINGS = ("", "", "", "。烦请跟进", "!多谢", ",请站里看看", "。电话已留,白天有人", "…拜托了")
HAS = ("另外{}上回已经领过,不用再给。", "{}他自己有。", "已有{},不要重复。")
GIVERS = ("", "", "企业来函:", "热心街坊:", "商会转来,")


@dataclass(frozen=True, slots=True)
class Told:
    """One text and what a person reads in it; `refused` is named in it and not wanted."""

    text: str
    side: Side
    category: str
    urgency: str
    refused: str = ""


@cache
def terms() -> tuple[Terms, ...]:
    """The words of every category."""
    return tuple(
        Terms(c.code, (c.zh, *c.synonyms), c.phrases, c.unit_zh, c.homonyms)
        for c in tables.categories().values()
    )


def rows(name: str) -> list[dict[str, Any]]:
    """The lines of a file of texts."""
    return [json.loads(line) for line in (DATA / name).read_text("utf-8").splitlines()]


def reading(told: Told) -> Reading:
    """What the reader makes of the text."""
    return read(told.text, terms(), side=told.side, learned=carried())


@cache
def unseen() -> tuple[Told, ...]:
    """The texts that figures are told of; the reader was never improved by looking at them."""
    return tuple(_told("unseen.csv"))


@cache
def aside(seed: int = SEED) -> tuple[Told, ...]:
    """The earlier texts: each one bare and each one framed."""
    draw = random.Random(seed)
    return tuple(text for told in _told("aside.csv") for text in (told, framed(told, draw)))


def _told(name: str) -> list[Told]:
    with (DATA / name).open(encoding="utf-8") as file:
        return [
            Told(row["text"], cast(Side, row["side"]), row["category"], row["urgency"])
            for row in csv.DictReader(file)
        ]


def framed(told: Told, draw: random.Random) -> Told:
    """The same wish as others would write it down: who says it, what they have already, wide digits."""
    if told.side == "offer":
        return Told(draw.choice(GIVERS) + told.text, told.side, told.category, told.urgency)
    text = draw.choice(OPENINGS) + draw.choice(PEOPLE) + told.text + draw.choice(ENDINGS)
    refused = ""
    if draw.random() < 0.2:
        refused, thing = draw.choice([pair for pair in THINGS if pair[0][:3] != told.category[:3]])
        text += "。" + draw.choice(HAS).format(thing)
    return Told(text.translate(WIDE), told.side, told.category, told.urgency, refused)


THINGS = (
    ("APP-FAN", "电风扇"), ("FUR-QUILT", "棉被"), ("FOD-RICE", "大米"), ("MED-WCH", "轮椅"), ("EDU-STAT", "书包"),
    ("FUR-MATT", "床垫"), ("DLY-HYG", "洗衣液"),
)  # fmt: skip
WIDE = str.maketrans("0123456789", "０１２３４５６７８９")
