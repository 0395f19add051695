"""Complaints and other feedback: who sees to it, by when, and what a handler may give to make it good."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

import msgspec
from msgspec import Meta

from chalicelib.program.document.parts import Code, Part, Points, Texts

Dimension: TypeAlias = Literal["product", "service", "price", "after_sales", "other"]
"""What feedback is about, by the four dimensions of satisfaction."""

Severity: TypeAlias = Literal["low", "normal", "high", "critical"]

Hours: TypeAlias = Annotated[int, Meta(ge=1, le=8_784)]


class ServiceLevel(Part, frozen=True, kw_only=True):
    """Within how many hours after it was opened a case is assigned to somebody, and within how many it is resolved."""

    assign_hours: Hours
    resolve_hours: Hours


class Department(Part, frozen=True, kw_only=True):
    """Who sees to cases of these dimensions, unless somebody says otherwise."""

    code: Code
    title: Texts
    dimensions: Annotated[tuple[Dimension, ...], Meta(max_length=5)] = ()


class CompensationVoucher(Part, frozen=True, kw_only=True):
    """A batch of single-use codes of which a handler may give one; `needs_approval` says that another must agree."""

    batch_id: Annotated[str, Meta(pattern=r"^vbt_[a-z2-7]{26}(?!\n)$")]
    title: Texts
    needs_approval: bool = False


class Compensation(Part, frozen=True, kw_only=True):
    """What may be given for one case in all: `handler_points` by its handler, up to `points_max` with approval."""

    handler_points: Points = 500
    points_max: Points = 20_000
    vouchers: Annotated[tuple[CompensationVoucher, ...], Meta(max_length=20)] = ()


def _service_levels() -> dict[Severity, ServiceLevel]:
    return {
        "low": ServiceLevel(assign_hours=72, resolve_hours=240),
        "normal": ServiceLevel(assign_hours=24, resolve_hours=120),
        "high": ServiceLevel(assign_hours=8, resolve_hours=48),
        "critical": ServiceLevel(assign_hours=2, resolve_hours=24),
    }


class CasePolicy(Part, frozen=True, kw_only=True):
    """How feedback is seen to. Every severity has its service level.

    `causes` are the root causes that a case may be put down to. A warning goes out once `near_breach_percent` of the
    time is gone, and `remind_hours` after a breach another one as long as nobody has done anything.
    """

    service_levels: Annotated[dict[Severity, ServiceLevel], Meta(max_length=4)] = msgspec.field(
        default_factory=_service_levels
    )
    departments: Annotated[tuple[Department, ...], Meta(max_length=50)] = ()
    causes: Annotated[dict[Code, Texts], Meta(max_length=100)] = msgspec.field(default_factory=dict)
    compensation: Compensation = Compensation()
    near_breach_percent: Annotated[int, Meta(ge=1, le=99)] = 80
    remind_hours: Hours = 24
