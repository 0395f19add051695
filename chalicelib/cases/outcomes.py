"""What came of a case: how easy its member says it was made."""

from __future__ import annotations

import msgspec

from chalicelib.base.errors import NotFound
from chalicelib.cases.table import head_write, read_head
from chalicelib.ledger.posting import Write


class CaseNotFound(NotFound):
    """No case has this id."""

    code = "case_not_found"

    def __init__(self) -> None:
        super().__init__("No case has this id.", field="case_id")


def noting(case_id: str, ces: int, *, response_id: str) -> Write:
    """The write that notes a member's answer (1 to 7) with its case, for the transaction of the answer.

    It fails (Lost) where somebody has changed the case meanwhile; then it is to be asked for again.
    Raises CaseNotFound.
    """
    stored = read_head(case_id)
    if stored is None:
        raise CaseNotFound
    case = msgspec.structs.replace(stored.case, ces=ces, ces_response=response_id)
    return head_write(case, stored.version + 1)
