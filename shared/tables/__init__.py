"""The reference tables: areas, categories, vulnerabilities, licences, and what an office sets."""

from shared.tables.find import find_area, find_category, find_licence, find_vulnerability
from shared.tables.labels import (
    area,
    area_label,
    category_label,
    is_within,
    licence_label,
    prefix,
    towns,
    unit_label,
    vulnerability_label,
)
from shared.tables.loading import areas, categories, licences, policy, vulnerabilities
from shared.tables.model import Area, Category, Licence, Vulnerability

__all__ = [
    "Area", "Category", "Licence", "Vulnerability",
    "area", "area_label", "areas", "categories", "category_label", "find_area", "find_category", "find_licence",
    "find_vulnerability", "is_within", "licence_label", "licences", "policy", "prefix", "towns", "unit_label",
    "vulnerabilities", "vulnerability_label",
]  # fmt: skip
