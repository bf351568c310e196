"""Codes as people read them, and what lies inside what."""

from shared.i18n import Language
from shared.tables.loading import areas, categories, licences, vulnerabilities
from shared.tables.model import Area

LEVELS = (2, 4, 6, 9, 12)


def area(code: str) -> Area:
    """The area of a code. Raises KeyError when the table does not know it."""
    return areas()[code]


def prefix(code: str) -> str:
    """The digits that a code shares with everything inside it: 445381000000 gives 445381, 445381100000 gives 445381100."""
    return next(code[:length] for length in LEVELS if set(code[length:]) <= {"0"})


def is_within(code: str, container: str) -> bool:
    """Whether `code` is `container` or lies inside it."""
    return code.startswith(prefix(container))


def towns(container: str = "440000000000") -> tuple[Area, ...]:
    """The towns and streets inside `container`, by code, without the statistical units."""
    return tuple(
        a for a in areas().values() if a.level == "town" and a.is_admin and is_within(a.code, container)
    )


def area_label(code: str, language: Language = "zh-CN") -> str:
    """The full name, a town's with its county: 罗定市罗镜镇, or Luojing Town, Luoding City. An unknown code stands for itself."""
    found = areas().get(code)
    if found is None:
        return code
    county = areas().get(found.parent) if found.level == "town" else None
    if language == "en":
        return f"{found.en}, {county.en}" if county else found.en
    return f"{county.zh}{found.zh}" if county else found.zh


def category_label(code: str, language: Language = "zh-CN") -> str:
    """The name of a category; an unknown code stands for itself."""
    found = categories().get(code)
    return code if found is None else found.en if language == "en" else found.zh


def unit_label(code: str, language: Language = "zh-CN", quantity: int = 2) -> str:
    """The unit that a category is counted in: 台, or units (unit for a quantity of one)."""
    found = categories().get(code)
    if found is None:
        return ""
    return found.unit_zh if language != "en" else found.unit_en if quantity == 1 else found.units_en


def vulnerability_label(code: str, language: Language = "zh-CN") -> str:
    """The name of a vulnerability; an unknown code stands for itself."""
    found = vulnerabilities().get(code)
    return code if found is None else found.en if language == "en" else found.zh


def licence_label(name: str, language: Language = "zh-CN") -> str:
    """The name of a licence; one that the table does not know stands for itself."""
    found = licences().get(name)
    return found.en if found and language == "en" else name
