"""The offers of one category with their columns, kept up to date one offer at a time."""

from bisect import bisect_left
from collections.abc import Iterable, Mapping

import numpy as np

from matching.columns import OfferColumns, offer_columns, rows, wider
from matching.market import Small
from matching.model import Catalogue, Category, Offer, Policy

LEAST = 16
Basis = tuple[Category | None, int, int | None]


def basis_of(code: str, catalogue: Catalogue, policy: Policy) -> Basis:
    """What of the catalogue and the policy is written into the columns of a category's offers."""
    return catalogue.get(code), policy.self_pickup_m, policy.expiry_margin_days.get(code)


class Shelf:
    """One category's offers in order of area and id. A new one gets the next row of the columns, whatever its place in
    the order; dropped ones keep theirs until the shelf is packed, so that a change costs the same however
    long the shelf is, but for the moving of one array of small numbers.

    `rows`: (offers,) the row of each, in order. `offers`: by row, and `columns`: longer than what is in use.
    """

    def __init__(
        self,
        code: str,
        offers: Iterable[Offer],
        codes: Mapping[str, int],
        catalogue: Catalogue,
        policy: Policy,
    ) -> None:
        """`codes` numbers the vulnerabilities that offers are designated for. ValueError as for `offer_columns`."""
        self.code, self.basis = code, basis_of(code, catalogue, policy)
        self._codes, self._catalogue, self._policy = codes, catalogue, policy
        ordered = sorted(offers, key=key_of)
        self.offers = ordered
        self._keys = [key_of(offer) for offer in ordered]
        self.rows: Small = np.arange(len(ordered), dtype=np.int32)
        self.columns = _roomy(self._columns(ordered), _room(len(ordered)))

    def put(self, offer: Offer) -> None:
        """Add an offer, or replace the one of the same area and id."""
        row = self._columns([offer])
        rank = bisect_left(self._keys, key_of(offer))
        if rank == len(self._keys) or self._keys[rank] != key_of(offer):
            self._insert(rank, offer)
        self.offers[self.rows[rank]] = offer
        self._write(int(self.rows[rank]), row)

    def drop(self, offer: Offer) -> None:
        """Take away an offer that is on the shelf."""
        rank = bisect_left(self._keys, key_of(offer))
        del self._keys[rank]
        self.rows = np.delete(self.rows, rank)
        if len(self.offers) > LEAST + 4 * len(self._keys):
            self._pack()

    def row_of(self, offer: Offer) -> int:
        """The row of an offer that is on the shelf."""
        return int(self.rows[bisect_left(self._keys, key_of(offer))])

    def _insert(self, rank: int, offer: Offer) -> None:
        if len(self.offers) == self.columns.quantity.size:
            self._pack()
        self._keys.insert(rank, key_of(offer))
        self.rows = np.insert(self.rows, rank, len(self.offers))
        self.offers.append(offer)

    def _pack(self) -> None:
        """Rows in order of the offers again, without the dropped ones, and room for half as many more."""
        size = len(self._keys)
        self.columns = _roomy(rows(self.columns, self.rows), _room(size))
        self.offers = [self.offers[row] for row in self.rows.tolist()]
        self.rows = np.arange(size, dtype=np.int32)

    def _write(self, number: int, row: OfferColumns) -> None:
        width = max(row.first.shape[1], self.columns.first.shape[1])
        self.columns = wider(self.columns, width)
        for column, value in zip(self.columns, wider(row, width), strict=True):
            column[number] = value[0]

    def _columns(self, offers: list[Offer]) -> OfferColumns:
        return offer_columns(offers, self._codes, self._catalogue, self._policy)


def key_of(offer: Offer) -> tuple[str, str]:
    """Where an offer stands among those of its category."""
    return offer.origin_area, offer.id


def _room(size: int) -> int:
    return LEAST + size + size // 2


def _roomy(columns: OfferColumns, size: int) -> OfferColumns:
    longer = [np.zeros((size, *column.shape[1:]), column.dtype) for column in columns]
    for column, old in zip(longer, columns, strict=True):
        column[: len(old)] = old
    return OfferColumns._make(longer)
