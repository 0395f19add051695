"""OIDC tokens: what must hold for one to be believed, and what it then says about its bearer."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any

import jwt

from chalicelib.base.settings import Settings, settings
from chalicelib.web.caller import Caller
from chalicelib.web.keys import KeyStore
from chalicelib.web.scopes import SCOPES

_ALGORITHMS = ("RS256", "ES256")
_LEEWAY_S = 30


class Refused(Exception):
    """The token is not believed; the text says why, for the log only."""


def verified_caller(token: str) -> Caller:
    """The bearer of `token`. Raises Refused for every token that is not ours, whole, current and meant for us.

    Raises KeysUnavailable where that cannot be told, because the issuer does not answer.
    """
    claims = _verified(token, settings(), _keys())
    return caller_of(claims, settings())


def caller_of(claims: Mapping[str, Any], configured: Settings) -> Caller:
    """Who bears a verified token with these claims.

    A token without a user behind it belongs to a system; a user with one of our scopes is staff, any other is a member.
    Phone and mail count only where the token says that they were verified. Raises Refused for claims that fit no kind.
    """
    client, audiences = _client(claims), _audiences(claims)
    # The audience, where there is one, decides: a token that our client fetched for another service is not for us.
    if not any(name in configured.oidc_clients for name in audiences or [client]):
        raise Refused("meant for another client")
    if claims.get("token_use") not in {None, "access", "id"}:
        raise Refused("neither an access nor an ID token")
    subject, scopes = str(claims.get("sub") or ""), _scopes(claims, configured.oidc_scope_prefix)
    client = client or next(name for name in audiences if name in configured.oidc_clients)
    if subject in {"", client}:
        return Caller("system", client, configured.oidc_issuer, client, scopes)
    return Caller(
        kind="staff" if scopes else "member",
        subject=subject,
        issuer=configured.oidc_issuer,
        client_id=client,
        scopes=scopes,
        phone=_proved(claims, "phone_number"),
        mail=_proved(claims, "email"),
    )


def _verified(token: str, configured: Settings, keys: KeyStore) -> Mapping[str, Any]:
    """The claims of a token whose signature, issuer and times hold."""
    try:
        header = jwt.get_unverified_header(token)
        if header.get("alg") not in _ALGORITHMS:
            raise Refused("signed with an algorithm that is not accepted")
        key = keys.find(str(header.get("kid")))
        if key is None:
            raise Refused("signed with an unknown key")
        return jwt.decode(
            token,
            key,
            algorithms=list(_ALGORITHMS),
            # Some issuers end their name in a slash, which the setting leaves out.
            issuer=[configured.oidc_issuer, f"{configured.oidc_issuer}/"],
            leeway=_LEEWAY_S,
            # The audience is checked by `caller_of`: access tokens of some issuers, Cognito among them, have none.
            options={"require": ["exp", "iss"], "verify_aud": False},
        )
    except (jwt.PyJWTError, ValueError, TypeError, RecursionError) as error:
        # A token is made by whoever sends it; not all that can be wrong with it has a class of its own.
        raise Refused(str(error)) from error


@functools.cache
def _keys() -> KeyStore:
    return KeyStore(settings().oidc_issuer, settings().oidc_jwks_url)


def _client(claims: Mapping[str, Any]) -> str:
    return str(claims.get("client_id") or claims.get("azp") or "")


def _audiences(claims: Mapping[str, Any]) -> list[str]:
    audience = claims.get("aud") or []
    return [str(name) for name in audience] if isinstance(audience, list) else [str(audience)]


def _scopes(claims: Mapping[str, Any], prefix: str) -> frozenset[str]:
    granted = claims.get("scope") or claims.get("scp") or []
    names = granted.split() if isinstance(granted, str) else granted if isinstance(granted, list) else []
    ours = (str(name).removeprefix(prefix) for name in names if str(name).startswith(prefix))
    return frozenset(name for name in ours if name in SCOPES)


def _proved(claims: Mapping[str, Any], name: str) -> str | None:
    # Some issuers write the truth as text.
    verified = claims.get(f"{name}_verified") in (True, "true")
    return str(claims[name]) if verified and claims.get(name) else None
