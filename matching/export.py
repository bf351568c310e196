"""A plan as the sheet that anybody can check without the solver."""

import json
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from matching.allocation import Allocation
from matching.graph import Graph
from matching.plansheet import PlanSheet
from matching.shares import nobody

ENGINE = "nuanlian"


def sheet_of(
    graph: Graph,
    found: Allocation,
    *,
    need_ids: Sequence[str] = (),
    offer_ids: Sequence[str] = (),
    **meta: str,
) -> PlanSheet:
    """What the plan was asked, what it gives and the prices that prove it. `meta`: further facts to write down."""
    needs, proof, shares = (
        graph.need_quantity.size,
        found.certificate,
        graph.shares or nobody(graph.need_quantity.size),
    )
    inside = shares.member >= 0
    return PlanSheet(
        start=graph.start, offer=graph.offer, score=graph.score, group=graph.group, units=found.quantity,
        need_quantity=graph.need_quantity, offer_quantity=graph.offer_quantity, group_limit=graph.group_limit,
        held_back=graph.least, whole=graph.whole if graph.whole.size else np.zeros(needs, np.bool_),
        bundle=graph.bundle if graph.bundle.size else np.full(needs, -1, np.int32),
        member_start=np.append(0, np.cumsum(inside.sum(axis=1))).astype(np.int64), member=shares.member[inside],
        asked=shares.asked, met_before=np.zeros_like(shares.open), open=shares.open, points=shares.points,
        offer_price=found.prices.offer, group_price=found.prices.limit, share_price=found.prices.share,
        need_ids=_names(need_ids), offer_ids=_names(offer_ids), group_codes=_names(shares.codes),
        scale=found.prices.scale, objective=proof.objective, upper_bound=proof.upper_bound, gap=proof.gap,
        meta=json.dumps({"engine": ENGINE, "seed": proof.seed, "method": proof.method} | meta, sort_keys=True),
    )  # fmt: skip


def _names(ids: Sequence[str]) -> NDArray[np.str_]:
    return np.array(ids, dtype=np.str_) if ids else np.zeros(0, "<U1")
