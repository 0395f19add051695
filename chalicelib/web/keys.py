"""An issuer's public keys, kept by a process and fetched anew when one is missing."""

from __future__ import annotations

import http.client
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from typing import Any

import jwt
import msgspec

_TIMEOUT_S = 3
_BYTES_MAX = 512 * 1024
# A flood of tokens with invented key ids must not become a flood of requests to the issuer.
_REFETCH_AFTER_S = 60
# A key that the issuer has withdrawn is forgotten after this time.
_STALE_AFTER_S = 3600


class KeysUnavailable(Exception):
    """The issuer's keys could not be fetched, so no token can be judged."""


class NotThere(Exception):
    """The issuer has nothing at this address."""


def fetch(url: str) -> Any:
    """The JSON document at an http(s) address. Raises NotThere for a 404 and KeysUnavailable for anything else."""
    if urllib.parse.urlsplit(url).scheme not in {"https", "http"}:
        raise KeysUnavailable(f"{url!r} is not an address of keys")
    try:
        with urllib.request.urlopen(url, timeout=_TIMEOUT_S) as response:  # noqa: S310 -- the scheme is checked above
            return msgspec.json.decode(response.read(_BYTES_MAX))
    except urllib.error.HTTPError as error:
        if error.code == http.HTTPStatus.NOT_FOUND:
            raise NotThere(url) from error
        raise KeysUnavailable(f"{url} answered {error.code}") from error
    except (OSError, http.client.HTTPException, msgspec.DecodeError) as error:
        raise KeysUnavailable(f"{url}: {error}") from error


class KeyStore:
    """The keys of one issuer, by key id.

    `jwks_url` may be empty: the keys are then looked for where Cognito publishes them, and after a 404 where the
    issuer's own discovery document says.
    """

    def __init__(
        self,
        issuer: str,
        jwks_url: str,
        *,
        fetch: Callable[[str], Any] = fetch,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._issuer = issuer
        self._url = jwks_url
        self._fetch = fetch
        self._clock = clock
        self._keys: dict[str, jwt.PyJWK] = {}
        self._fetched_at: float | None = None

    def find(self, key_id: str) -> jwt.PyJWK | None:
        """The key with this id, or None.

        Raises KeysUnavailable where the issuer does not answer and no key is known.
        """
        age = None if self._fetched_at is None else self._clock() - self._fetched_at
        wanted = key_id not in self._keys and (age is None or age >= _REFETCH_AFTER_S)
        if wanted or (age is not None and age >= _STALE_AFTER_S):
            self._refresh()
        return self._keys.get(key_id)

    def _refresh(self) -> None:
        try:
            self._keys = _signing_keys(self._fetch_keys())
        except (KeysUnavailable, NotThere) as error:
            if not self._keys:
                raise KeysUnavailable(str(error)) from error
            # Known keys serve on; the next unknown key, or the next hour, asks again.
        self._fetched_at = self._clock()

    def _fetch_keys(self) -> Any:
        if self._url:
            return self._fetch(self._url)
        try:
            found = self._fetch(f"{self._issuer}/.well-known/jwks.json")
        except NotThere:
            discovered = self._fetch(f"{self._issuer}/.well-known/openid-configuration")
            self._url = str(discovered["jwks_uri"]) if isinstance(discovered, dict) else ""
            return self._fetch(self._url)
        return found


def _signing_keys(document: Any) -> dict[str, jwt.PyJWK]:
    """The usable keys of a key set: RSA and P-256, meant for signatures. Keys of other kinds are passed over."""
    found = {}
    for entry in document.get("keys", []) if isinstance(document, dict) else []:
        if entry.get("use", "sig") != "sig" or entry.get("alg", "RS256") not in {"RS256", "ES256"}:
            continue
        try:
            key = jwt.PyJWK(entry)
        except jwt.PyJWTError:
            continue
        if key.algorithm_name in {"RS256", "ES256"}:
            found[str(entry.get("kid"))] = key
    return found
