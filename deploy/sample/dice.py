"""Chance that is the same on every machine and in every release: digests of a seed and a path."""

from collections.abc import Mapping, Sequence
from hashlib import blake2b
from typing import TypeVar

T = TypeVar("T")


class Dice:
    """A stream of draws. `child` gives an independent stream, so that one more draw here moves nothing there."""

    def __init__(self, *path: object) -> None:
        self._path = "/".join(map(str, path))
        self._drawn = 0

    def child(self, *path: object) -> "Dice":
        return Dice(self._path, *path)

    def below(self, limit: int) -> int:
        """A whole number from 0 to `limit` - 1."""
        self._drawn += 1
        digest = blake2b(f"{self._path}#{self._drawn}".encode(), digest_size=8).digest()
        return int.from_bytes(digest) % limit

    def between(self, low: int, high: int) -> int:
        """A whole number from `low` to `high`, both possible."""
        return low + self.below(high - low + 1)

    def chance(self, percent: int) -> bool:
        return self.below(100) < percent

    def pick(self, items: Sequence[T]) -> T:
        return items[self.below(len(items))]

    def weighted(self, weights: Mapping[T, int]) -> T:
        """A key, as often as its weight says."""
        at = self.below(sum(weights.values()))
        for item, weight in weights.items():
            at -= weight
            if at < 0:
                return item
        raise ValueError("no weight is above zero")

    def shuffled(self, items: Sequence[T]) -> list[T]:
        """The items in another order."""
        left = list(items)
        return [left.pop(self.below(len(left))) for _ in items]
