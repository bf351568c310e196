"""The chain of the ledger, and when a follow-up is due. Pure: no clock, no database."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal
from uuid import UUID, uuid5

from shared.events import Envelope

DOMAIN = b"nuanlian-ledger-v1"
GENESIS = bytes(32)

FOLLOW_UPS = UUID("6f0c2a52-6b0e-5a4e-9a0d-3b1f1e7c9d21")

Kind = Literal["outcome", "safety"]
Fault = Literal["gap", "link", "hash"]


@dataclass(frozen=True, slots=True)
class FollowUpTimes:
    """Days from receipt until somebody has to come back: by urgency, and the two for work on a home. An office may choose others."""

    days: Mapping[str, int]
    safety_days: int
    works_days: int


@dataclass(frozen=True, slots=True)
class Link:
    """One entry of the chain: `hash` = SHA-256(DOMAIN, the hash before, the content)."""

    seq: int
    prev_hash: bytes
    hash: bytes
    content: str


@dataclass(frozen=True, slots=True)
class Place:
    """How far a chain was followed: the last number and hash."""

    seq: int = 0
    hash: bytes = GENESIS


@dataclass(frozen=True, slots=True)
class Break:
    """Where a chain breaks first, and how."""

    seq: int
    fault: Fault


def canonical(envelope: Envelope) -> str:
    """The event as it is hashed: JSON with sorted keys, no spaces, times in UTC with microseconds."""
    whole = envelope.model_dump(mode="json")
    whole["time"] = envelope.time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    return json.dumps(whole, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)


def digest(prev_hash: bytes, content: str) -> bytes:
    """The hash that ties `content` to everything before it."""
    return hashlib.sha256(DOMAIN + prev_hash + content.encode()).digest()


def extend(place: Place, contents: Iterable[str]) -> Iterator[Link]:
    """The links that follow `place`, one for each content."""
    seq, prev_hash = place.seq, place.hash
    for content in contents:
        seq, link_hash = seq + 1, digest(prev_hash, content)
        yield Link(seq, prev_hash, link_hash, content)
        prev_hash = link_hash


def follow(rows: Iterable[Iterable[Any]], place: Place) -> Place | Break:
    """Check rows (seq, prev_hash, hash, content) that come after `place`: the new place, or the first break."""
    seq, last = place.seq, place.hash
    for row_seq, prev_hash, row_hash, content in rows:
        seq += 1
        if row_seq != seq:
            return Break(seq, "gap")
        if prev_hash != last:
            return Break(seq, "link")
        if hashlib.sha256(DOMAIN + last + content.encode()).digest() != row_hash:
            return Break(seq, "hash")
        last = row_hash
    return Place(seq, last)


def export_line(link: Link) -> str:
    """A link as one line of JSON, for a check elsewhere."""
    whole = {
        "seq": link.seq,
        "prev_hash": link.prev_hash.hex(),
        "hash": link.hash.hex(),
        "content": link.content,
    }
    return json.dumps(whole, ensure_ascii=False)


def verify_export(lines: Iterable[str]) -> Place | Break:
    """Check a whole exported chain without a database: its end, to compare with another copy's, or its first break."""
    rows = (json.loads(line) for line in lines)
    return follow(
        ((r["seq"], bytes.fromhex(r["prev_hash"]), bytes.fromhex(r["hash"]), r["content"]) for r in rows),
        Place(),
    )


def area_of(data: Mapping[str, Any]) -> str | None:
    """The area that an event concerns; an offer's is where it comes from."""
    area = data.get("area") or data.get("origin_area")
    return area if isinstance(area, str) else None


def ids_in(data: Mapping[str, Any]) -> tuple[UUID, ...]:
    """The ids that an event is about: its own id fields, lists of ids and persons, not those inside nested reasons or alternatives."""
    found: dict[UUID, None] = {}
    for key, value in data.items():
        texts = [value] if key.endswith(("_id", "_by")) else value if key.endswith("_ids") else []
        for text in texts:
            if isinstance(text, str) and (known := _uuid(text)):
                found[known] = None
    return tuple(found)


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def follow_up_id(delivery_id: UUID, kind: Kind) -> UUID:
    """The same id however often a receipt is heard of."""
    return uuid5(FOLLOW_UPS, f"{delivery_id}|{kind}")


def follow_ups(
    times: FollowUpTimes, works: bool, urgency: str, received_at: datetime
) -> tuple[tuple[Kind, datetime], ...]:
    """Which follow-ups a receipt asks for, and by when. Works on a home are looked at twice: whether they are safe, and whether they last."""
    if works:
        safety, lasting = timedelta(days=times.safety_days), timedelta(days=times.works_days)
        return (("safety", received_at + safety), ("outcome", received_at + lasting))
    return (("outcome", received_at + timedelta(days=times.days[urgency])),)
