"""The way of a delivery: which step may follow which state, and who may take it. Pure decisions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, assert_never, get_args
from uuid import NAMESPACE_URL, UUID, uuid5

Status = Literal["scheduled", "dispatched", "delivered", "failed", "received"]
Step = Literal["schedule", "dispatch", "deliver", "fail", "receive"]
STEPS: tuple[Step, ...] = get_args(Step)


@dataclass(frozen=True, slots=True)
class Part:
    """The part that a caller has in one delivery: of its charity, in charge of its area, or neither."""

    giver: bool
    in_charge: bool


def delivery_id(commitment_id: UUID) -> UUID:
    """The id of a commitment's delivery: always the same, so that an approval told twice opens one delivery."""
    return uuid5(NAMESPACE_URL, f"urn:nuanlian:delivery:{commitment_id}")


def sources(step: Step) -> tuple[Status, ...]:
    """The states from which a step may be taken."""
    match step:
        case "schedule" | "dispatch":
            return ("scheduled",)
        case "deliver":
            return ("dispatched",)
        case "fail":
            return ("scheduled", "dispatched", "delivered")
        case "receive":
            return ("dispatched", "delivered")
        case _:
            assert_never(step)


def target(step: Step) -> Status:
    """The state that a step leads to."""
    match step:
        case "schedule":
            return "scheduled"
        case "dispatch":
            return "dispatched"
        case "deliver":
            return "delivered"
        case "fail":
            return "failed"
        case "receive":
            return "received"
        case _:
            assert_never(step)


def allowed(step: Step, part: Part) -> bool:
    """Whether someone with this part may take the step: nobody confirms the receipt of what they gave themselves."""
    match step:
        case "schedule" | "dispatch" | "deliver" | "fail":
            return part.giver or part.in_charge
        case "receive":
            return part.in_charge and not part.giver
        case _:
            assert_never(step)


def next_steps(status: Status, part: Part) -> tuple[Step, ...]:
    """The steps to offer to this person now, in the order of the way."""
    return tuple(step for step in STEPS if status in sources(step) and allowed(step, part))


def standing(status: Status) -> str:
    """A sentence for whoever came too late: where the delivery stands now, and what to do."""
    match status:
        case "scheduled":
            return "这趟派送还在待派送（第 {version} 版）。请刷新后按顺序操作：先发出，再送达，再签收。"
        case "dispatched":
            return "这趟派送已经发出（第 {version} 版）。请刷新后再操作。"
        case "delivered":
            return "这趟派送已经送达，等待签收（第 {version} 版）。请刷新后再操作。"
        case "failed":
            return "这趟派送没有送成，已经结束（第 {version} 版）。余量已退回，请等待新的对接。"
        case "received":
            return "这趟派送已经签收，已经结束（第 {version} 版）。如有差错，请在回访中登记。"
        case _:
            assert_never(status)
