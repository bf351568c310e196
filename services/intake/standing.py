"""Whom a need is for, as matching may know it: number, town, categories, consent; no name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from services.intake.rules import concerns_minor, union
from shared.db import Connection, queries
from shared.events import BeneficiaryKind

SQL = queries(Path(__file__).parent)


@dataclass(frozen=True, slots=True)
class Standing:
    """A beneficiary at the moment a need is raised; `vulnerabilities` are the household's and its members' together.

    `guardian_needed`: a member is under fourteen and consent was given, but not by a guardian (个人信息保护法 art. 31).
    """

    id: UUID
    kind: BeneficiaryKind
    case_number: str
    area: str
    data_key: bytes
    vulnerabilities: tuple[str, ...] = ()
    minor: bool = False
    consent: bool = True
    members: int = 0
    version: int = 1
    guardian_needed: bool = False


def of_site(row: Mapping[str, Any]) -> Standing:
    """A site has no personal data, so nobody's consent is asked."""
    return Standing(
        row["id"], row["kind"], row["site_number"], row["area"], row["data_key"], minor=row["minors"]
    )


def of_household(row: Mapping[str, Any]) -> Standing:
    codes = union(row["vulnerabilities"])
    return Standing(
        row["id"],
        "household",
        row["case_number"],
        row["area"],
        row["data_key"],
        codes,
        concerns_minor(row["minor"], codes),
        row["consent"],
        row["members"],
        row["version"],
        row["guardian_needed"],
    )


async def households(conn: Connection, ids: Sequence[UUID]) -> dict[UUID, Standing]:
    """The standing of each household the caller may see."""
    return {row["id"]: of_household(row) for row in await SQL.standings(conn, ids=list(ids))}


async def beneficiary(conn: Connection, beneficiary_id: UUID, kind: str) -> Standing | None:
    """The standing of one beneficiary, or None where nobody of that id may be seen."""
    if kind == "household":
        return (await households(conn, [beneficiary_id])).get(beneficiary_id)
    row = await SQL.site(conn, site_id=beneficiary_id)
    return of_site(row) if row else None
