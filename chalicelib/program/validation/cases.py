"""Whether the policy for cases fits together."""

from __future__ import annotations

from collections.abc import Iterator
from typing import get_args

from chalicelib.program.document import Program
from chalicelib.program.document.cases import Severity
from chalicelib.program.validation.problem import Problem


def check_cases(program: Program) -> Iterator[Problem]:
    """Each severity has its times, a dimension one department, and approval allows more than a handler may give."""
    policy = program.cases
    for severity in get_args(Severity):
        level = policy.service_levels.get(severity)
        if level is None:
            yield Problem("cases.service_levels", f"The severity {severity} has no service level.")
        elif level.assign_hours > level.resolve_hours:
            yield Problem(f"cases.service_levels.{severity}.assign_hours", "A case is assigned before it is resolved.")
    codes: set[str] = set()
    dimensions: set[str] = set()
    for index, department in enumerate(policy.departments):
        if department.code in codes:
            yield Problem(f"cases.departments[{index}].code", f"The code {department.code} is given twice.")
        for dimension in sorted(dimensions & set(department.dimensions)):
            yield Problem(f"cases.departments[{index}].dimensions", f"{dimension} belongs to another department.")
        codes.add(department.code)
        dimensions.update(department.dimensions)
    compensation = policy.compensation
    if compensation.handler_points > compensation.points_max:
        yield Problem("cases.compensation.handler_points", "A handler may give no more than points_max.")
    batches = [voucher.batch_id for voucher in compensation.vouchers]
    if len(set(batches)) < len(batches):
        yield Problem("cases.compensation.vouchers", "A batch is named once.")
