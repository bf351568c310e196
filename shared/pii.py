"""Personal fields: encrypted with a key per household, found again only through a keyed index."""

import hashlib
import hmac
import os
import unicodedata
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_VERSION = b"\x01"


class Unreadable(Exception):
    """A stored field does not fit its key or its place: the data was moved, altered, or its key is gone."""


def _seal(key: bytes, text: bytes, place: bytes) -> bytes:
    nonce = os.urandom(12)
    return _VERSION + nonce + AESGCM(key).encrypt(nonce, text, place)


def _open(key: bytes, sealed: bytes, place: bytes) -> bytes:
    if sealed[:1] != _VERSION:
        raise Unreadable("unknown format")
    try:
        return AESGCM(key).decrypt(sealed[1:13], sealed[13:], place)
    except InvalidTag as error:
        raise Unreadable("wrong key or place") from error


@dataclass(frozen=True, slots=True)
class Keyring:
    """The master key (32 bytes, kept outside the database). It wraps data keys and keys the blind indexes."""

    master: bytes

    def new_data_key(self, owner: str) -> bytes:
        """A fresh data key, wrapped; `owner` is the id of the row that keeps it, so that it opens nowhere else."""
        return _seal(self._derive(b"wrap"), os.urandom(32), owner.encode())

    def seal(self, data_key: bytes, place: str, text: str | None) -> bytes | None:
        """Encrypt `text` under a wrapped data key for one place 'owner|table|column'. None stays None."""
        if text is None:
            return None
        return _seal(self._unwrap(data_key, place), text.encode(), place.encode())

    def open(self, data_key: bytes, place: str, sealed: bytes | None) -> str | None:
        """Decrypt what `seal` made for the same place. Raises `Unreadable` otherwise."""
        if sealed is None:
            return None
        return _open(self._unwrap(data_key, place), sealed, place.encode()).decode()

    def blind(self, column: str, text: str | None) -> bytes | None:
        """A keyed index of a normalised value: equal values meet, nobody without the key can try values."""
        if not text or not (plain := normalise(text)):
            return None
        return hmac.new(self._derive(b"index|" + column.encode()), plain.encode(), hashlib.sha256).digest()

    def _derive(self, purpose: bytes) -> bytes:
        return hmac.new(self.master, b"nuanlian|" + purpose, hashlib.sha256).digest()

    def _unwrap(self, data_key: bytes, place: str) -> bytes:
        return _open(self._derive(b"wrap"), data_key, place.split("|")[0].encode())


def normalise(text: str) -> str:
    """Full-width to half-width, no spaces or hyphens, lower case: how people write the same number differently."""
    return "".join(unicodedata.normalize("NFKC", text).lower().replace("-", "").split())


def mask(text: str | None, keep: int = 1) -> str:
    """The first `keep` characters and stars, as lists show a name or a number."""
    return "" if not text else text[:keep] + "*" * min(len(text) - keep, 6)
