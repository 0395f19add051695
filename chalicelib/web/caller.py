"""Who stands behind a request, as the authorizer made it out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, cast, get_args

from chalicelib.base.errors import Forbidden, NotAuthenticated

Kind = Literal["member", "staff", "system", "link"]
"""A `link` is whoever holds a signed link; it may call only operations that name it."""


@dataclass(frozen=True, slots=True)
class Caller:
    """A verified caller.

    `subject` is the token's `sub` (for a system its client id), unique only together with `issuer`; of a link it is the
    invitation's id. `phone` (E.164) and `mail` are identities that the token itself proves, and None where it does not.
    `expires_at` is the end of a link in seconds, and 0 for everybody else.
    """

    kind: Kind
    subject: str
    issuer: str
    client_id: str
    scopes: frozenset[str] = frozenset()
    phone: str | None = None
    mail: str | None = None
    expires_at: int = 0

    def actor(self, _member_id: str = "") -> str:
        """How a ledger entry names this caller. A member acts on its own account, which need not be named again."""
        if self.kind == "system":
            return f"system:{self.client_id}"
        if self.kind == "staff":
            return f"staff:{self.subject}"
        return self.kind

    def require(self, scope: str) -> None:
        """Raises Forbidden (`scope_missing`) unless the token carries `scope`; who may write may read as well."""
        if not {scope, scope.replace(".read", ".write")} & self.scopes:
            raise Forbidden(f"The token lacks the scope {scope}.", code="scope_missing")


def to_context(caller: Caller) -> dict[str, str]:
    """The caller as the authorizer hands it to API Gateway, which passes on nothing but text."""
    return {
        "kind": caller.kind,
        "sub": caller.subject,
        "iss": caller.issuer,
        "client": caller.client_id,
        "scopes": " ".join(sorted(caller.scopes)),
        "phone": caller.phone or "",
        "mail": caller.mail or "",
        "until": str(caller.expires_at or ""),
    }


def from_context(context: Mapping[str, Any] | None) -> Caller:
    """The inverse of `to_context`. Raises NotAuthenticated where no authorizer has been at work."""
    context = context or {}
    kind, subject = context.get("kind"), context.get("sub")
    if kind not in get_args(Kind) or not subject:
        raise NotAuthenticated("Send a valid bearer token in the Authorization header.")
    return Caller(
        kind=cast("Kind", kind),
        subject=subject,
        issuer=context.get("iss", ""),
        client_id=context.get("client", ""),
        scopes=frozenset(context.get("scopes", "").split()),
        phone=context.get("phone") or None,
        mail=context.get("mail") or None,
        expires_at=int(context.get("until") or 0),
    )
