"""Tokens that nobody issued, at the deployed gateway: each is refused by the authorizer, in the same words."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from typing import Any

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from infra.local.deploy import Stack
from infra.local.tokens import member_token, system_token
from tests.stack.shop import enrol
from tests.stack.test_edge import refused

STRANGER = rsa.generate_private_key(public_exponent=65537, key_size=2048)


class Genuine:
    """A token that is ours, taken apart."""

    def __init__(self, stack: Stack) -> None:
        token = system_token(stack)
        self.header: dict[str, Any] = jwt.get_unverified_header(token)
        self.claims: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
        keys = httpx.get(f"{stack.endpoint}/{stack.outputs['UserPoolId']}/.well-known/jwks.json").json()
        self.public = next(key for key in keys["keys"] if key["kid"] == self.header["kid"])


def part(content: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(content).encode()).decode().rstrip("=")


def unsigned(genuine: Genuine) -> str:
    return f"{part({'alg': 'none', 'kid': genuine.header['kid']})}.{part(genuine.claims)}."


def signed_with_the_public_key(genuine: Genuine) -> str:
    public: Any = jwt.algorithms.RSAAlgorithm.from_jwk(genuine.public)
    secret = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    text = f"{part({'alg': 'HS256', 'kid': genuine.header['kid']})}.{part(genuine.claims)}"
    signature = hmac.digest(secret, text.encode(), hashlib.sha256)
    return f"{text}.{base64.urlsafe_b64encode(signature).decode().rstrip('=')}"


def signed_by_a_stranger(genuine: Genuine) -> str:
    return jwt.encode(genuine.claims, STRANGER, "RS256", {"kid": genuine.header["kid"]})


def with_an_unknown_key(genuine: Genuine) -> str:
    return jwt.encode(genuine.claims, STRANGER, "RS256", {"kid": "unknown"})


def with_a_key_id_that_is_a_path(genuine: Genuine) -> str:
    return jwt.encode(genuine.claims, STRANGER, "RS256", {"kid": "../../../../dev/null"})


def with_a_key_of_its_own(genuine: Genuine) -> str:
    own = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(STRANGER.public_key()))
    return jwt.encode(genuine.claims, STRANGER, "RS256", {"kid": genuine.header["kid"], "jwk": own})


def of_another_issuer(genuine: Genuine) -> str:
    return jwt.encode({**genuine.claims, "iss": "https://issuer.example"}, STRANGER, "RS256", {"kid": "unknown"})


FORGERIES: list[Callable[[Genuine], str]] = [
    unsigned,
    signed_with_the_public_key,
    signed_by_a_stranger,
    with_an_unknown_key,
    with_a_key_id_that_is_a_path,
    with_a_key_of_its_own,
    of_another_issuer,
]


@pytest.mark.parametrize("forge", FORGERIES)
def test_a_token_that_nobody_issued_is_refused(
    stack: Stack, anyone: httpx.Client, forge: Callable[[Genuine], str]
) -> None:
    token = forge(Genuine(stack))

    refused(anyone.get("/v1/program", headers={"Authorization": f"Bearer {token}"}), 401, "unauthenticated")


@pytest.mark.parametrize("scheme", ["Basic", "Token", ""])
def test_a_token_under_another_scheme_is_refused(stack: Stack, anyone: httpx.Client, scheme: str) -> None:
    header = f"{scheme} {system_token(stack)}".strip()

    refused(anyone.get("/v1/program", headers={"Authorization": header}), 401, "unauthenticated")


@pytest.mark.parametrize("path", ["", "/account", "/entries", "/proof"])
def test_another_member_is_refused_in_the_words_of_one_that_there_is_not(
    stack: Stack, anyone: httpx.Client, shop: httpx.Client, path: str
) -> None:
    own, other = enrol(shop), enrol(shop)
    headers = {"Authorization": f"Bearer {member_token(stack, own)}"}

    answers = [anyone.get(f"/v1/members/{name}{path}", headers=headers) for name in (other, "mem_nobody")]

    assert {(answer.status_code, answer.json()["code"], answer.json()["detail"]) for answer in answers} == {
        (403, "not_your_account", "This is not your account.")
    }
