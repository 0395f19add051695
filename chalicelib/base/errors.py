"""What the engine refuses, by what the caller can do about it.

Refusal
├── Invalid              the request itself is wrong; sending it again cannot help
├── NotAuthenticated     nobody is known behind the request
├── Forbidden            the caller may not do this
├── NotFound             no such thing, or none that the caller may see
├── Conflict             the state of things forbids it
│   └── KeyReused        the business key was used before with another body
├── Unmet                a precondition header does not hold
├── Slowed               asked too often; the caller must wait
└── Unavailable          try again later
"""

from __future__ import annotations

from typing import ClassVar


class Refusal(Exception):
    """A request that was understood and refused, changing nothing.

    `code` is stable and meant for programs, `detail` says in words what is wrong and what to do, and `field` names the
    offending member of the body by its path (`lines[2].amount_minor`) where there is one.
    """

    code: ClassVar[str] = "refused"

    def __init__(self, detail: str, *, field: str | None = None, code: str | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.field = field
        self.reason_code = code or self.code


class Invalid(Refusal):
    """The request breaks its contract."""

    code = "invalid_request"


class NotAuthenticated(Refusal):
    """No caller could be made out."""

    code = "unauthenticated"


class Forbidden(Refusal):
    """The caller is known and may not do this."""

    code = "forbidden"


class NotFound(Refusal):
    """There is no such thing."""

    code = "not_found"


class Conflict(Refusal):
    """The present state of things forbids the request."""

    code = "conflict"


class KeyReused(Conflict):
    """The business key already stands for another request."""

    code = "key_reused"


class Unmet(Refusal):
    """The precondition that the caller set does not hold (any more)."""

    code = "precondition_failed"


class Slowed(Refusal):
    """The caller has asked too often, or guessed too often, and must wait `retry_after_s` seconds."""

    code = "slowed"

    def __init__(self, detail: str, *, field: str | None = None, code: str | None = None, retry_after_s: int) -> None:
        super().__init__(detail, field=field, code=code)
        self.retry_after_s = retry_after_s


class Unavailable(Refusal):
    """The engine could not do it just now; the same request may succeed later."""

    code = "unavailable"
