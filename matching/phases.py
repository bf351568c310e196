"""The auction run over all parts, a bid increment at a time."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from matching.auction import forward, reverse
from matching.market import Market, Small
from matching.resume import resume
from matching.sides import clear, sides_of, turn, unfilled

EASE = 2
"""By how many of the last increments prices sink before the next: what coarse bids overdid, and little more. Measured:
with less, offers that cost too much seek takers one by one, which takes up to ten times as long."""
BIDS, AT_LEAST, WITHOUT_END = 8, 1_000, 2**62
"""How many bids a need, and a part, may take to go on from an earlier plan: about as many as to begin anew."""


class Phases:
    """`parts`: needs whose offers no other part shares; parts run side by side on `threads`, inside a `with`."""

    def __init__(self, state: Market, quantity: Small, parts: Sequence[Small], threads: int) -> None:
        self.state, self.quantity, self.parts = state, quantity, parts
        self._pool = ThreadPoolExecutor(threads)
        self._sides = sides_of(state)
        self._turned = [False] * len(parts)

    def __enter__(self) -> "Phases":
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown()

    def run(self, step: int, before: int) -> None:
        """Everybody bids anew in steps of `step`, after prices came about in steps of `before`, until no offer that has
        something free costs more than its least.
        """
        list(self._pool.map(lambda number: self._part(number, step, before), range(len(self.parts))))

    def go_on(self, last: Small, step: int) -> bool:
        """Go on from an earlier plan, `last` units of each edge, at the prices that the state has. False if so much has changed that
        bids in small steps would creep: then prices prove little, and to begin anew is quicker.
        """

        def part(number: int) -> bool:
            waiting = resume(self.state, self.parts[number], last, self.quantity, step)
            budget = BIDS * self.parts[number].size + AT_LEAST
            bids = forward(self.state, waiting, step, budget)
            return max(bids, self._empty(number, step, budget)) < budget

        return all(list(self._pool.map(part, range(len(self.parts)))))

    def _part(self, number: int, step: int, before: int) -> None:
        needs = self.parts[number]
        clear(self.state, needs, self.quantity, EASE * before)
        forward(self.state, needs, step, WITHOUT_END)
        self._empty(number, step, WITHOUT_END)

    def _empty(self, number: int, step: int, budget: int) -> int:
        needs, sides = self.parts[number], self._sides
        free = unfilled(self.state, needs)
        if free.size and not self._turned[number]:
            turn(self.state, sides, needs)
            self._turned[number] = True
        return (
            reverse(self.state, free, sides.starts, sides.edges, sides.owners, step, budget)
            if free.size
            else 0
        )


def increments(finest: int, mean: float, coarser: int) -> list[int]:
    """Bid increments, coarse to fine: each is `coarser` times the next, the first below the `mean` score."""
    steps = [finest]
    while steps[-1] * coarser < mean:
        steps.append(steps[-1] * coarser)
    return steps[::-1]
