"""Numbers and dates as people write them in Chinese: full-width digits, 两, 十二, 三千, 1.5万, 8月底."""

import calendar
import re
import unicodedata
from datetime import date

DIGITS = {
    "零": 0,
    "〇": 0,
    "一": 1,
    "二": 2,
    "两": 2,
    "俩": 2,
    "三": 3,
    "四": 4,
    "五": 5,
    "六": 6,
    "七": 7,
    "八": 8,
    "九": 9,
}
TENS = {"十": 10, "百": 100, "千": 1_000, "万": 10_000}
NUMBER = r"(?:\d+(?:\.\d+)?[万千百]?|[一二两俩三四五六七八九十百千万〇零]+)"
DATE = re.compile(
    rf"(?:(?P<year>20\d\d)年)?(?P<month>{NUMBER})月(?:(?P<day>{NUMBER})(?:日|号)|(?P<part>底|初|上旬|中旬|下旬))?"
)
TO_DAY = re.compile(rf"[至到~-](?P<day>{NUMBER})(?:日|号)")
PART_DAY = {"初": 5, "上旬": 10, "中旬": 20}


def plain(text: str) -> str:
    """The text with half-width letters, digits and signs, in lower case, without spaces."""
    kept = "\u2026".join(unicodedata.normalize("NFKC", part) for part in text.split("\u2026"))
    return re.sub(r"\s+", "", kept).lower()


def number(words: str) -> float | None:
    """The value of `words`, or None: 12 → 12, 1.5万 → 15000, 两 → 2, 二十三 → 23, 三千 → 3000."""
    if match := re.fullmatch(r"(\d+(?:\.\d+)?)([万千百]?)", words):
        return float(match[1]) * TENS.get(match[2], 1)
    if not words or not set(words) <= DIGITS.keys() | TENS.keys():
        return None
    return float(_hanzi(words))


def _hanzi(words: str) -> int:
    total = section = digit = 0
    for sign in words:
        if sign in DIGITS:
            digit = DIGITS[sign]
        elif sign == "万":
            total, section, digit = total + (section + digit) * 10_000, 0, 0
        else:
            section, digit = section + (digit or 1) * TENS[sign], 0
    # 一万二 is 12,000 and 三千五 is 3,500: a bare last digit counts the next lower unit.
    scale = TENS.get(words[-2:-1], 1)
    return total + section + digit * (scale // 10 if scale > 10 else 1)


def dates(text: str, today: date) -> list[date]:
    """The last day that each date in `text` may mean, in order; a month without a year is the nearest that
    is not long past.
    """
    found = []
    for match in DATE.finditer(text):
        month = int(number(match["month"]) or 0)
        if not 1 <= month <= 12 or _is_span(text, match):
            continue
        year = int(match["year"]) if match["year"] else today.year + (1 if month + 6 <= today.month else 0)
        end = TO_DAY.match(text, match.end())
        found.append(_day(year, month, end["day"] if end else match["day"], match["part"]))
    return found


def _is_span(text: str, match: re.Match[str]) -> bool:
    # 个月, or a number of months, tells how long and not when.
    return (
        match["day"] is None
        and match["part"] is None
        and text[match.start() - 1 : match.start()] in ("每", "个", "满")
    )


def _day(year: int, month: int, day: str | None, part: str | None) -> date:
    last = calendar.monthrange(year, month)[1]
    wanted = int(number(day) or last) if day else PART_DAY.get(part or "", last)
    return date(year, month, min(max(1, wanted), last))
