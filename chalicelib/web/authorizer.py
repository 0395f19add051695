"""The function that API Gateway asks who a bearer token belongs to.

It is deployed on its own with its own small import graph: neither the database nor any area is loaded for it.
Verifying takes PyJWT and cryptography, which the API's function, importing this module for its routes, must not pay
for; hence they are imported at the first token. A signed link is verified without them.
"""

from __future__ import annotations

from chalice.app import AuthRequest, AuthResponse, Blueprint

from chalicelib.base import links
from chalicelib.web.caller import Caller, to_context

blueprint = Blueprint(__name__)


@blueprint.authorizer(ttl_seconds=300)
def jwt_authorizer(request: AuthRequest) -> AuthResponse:
    """Allow all routes to the bearer of a valid token, with the caller as context; scopes are checked where they count.

    A policy for one route only would be cached for the token, and refuse its bearer the next route at random. Raises an
    Exception with the text `Unauthorized`, by which API Gateway knows to answer 401; where the issuer's keys cannot be
    fetched, `KeysUnavailable` passes, for which it answers 500. A link whose time is over is let through, and refused
    by the room: there its bearer learns why, which API Gateway could not say.
    """
    scheme, _, token = request.token.partition(" ")
    if scheme.lower() != "bearer":
        raise Exception("Unauthorized")  # noqa: TRY002 -- API Gateway compares the text
    caller = _linked(token.strip()) if token.strip().startswith(links.PREFIX) else _signed_in(token.strip())
    return AuthResponse(routes=["*"], principal_id=caller.subject, context=to_context(caller))


def _linked(token: str) -> Caller:
    try:
        link = links.read(token)
    except links.Forged as error:
        raise Exception("Unauthorized") from error  # noqa: TRY002 -- API Gateway compares the text
    return Caller("link", link.invitation_id, "", "", expires_at=link.expires_at)


def _signed_in(token: str) -> Caller:
    from chalicelib.web import tokens  # noqa: PLC0415 -- see above

    try:
        return tokens.verified_caller(token)
    except tokens.Refused as error:
        raise Exception("Unauthorized") from error  # noqa: TRY002 -- API Gateway compares the text
