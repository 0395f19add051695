"""The authorizer believes what the issuer signed for us, and nothing else."""

from __future__ import annotations

import base64
import hashlib
import hmac
import http.server
import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from chalicelib.base import links
from chalicelib.base import settings as base_settings
from chalicelib.base.links import Link
from chalicelib.base.settings import Settings
from chalicelib.web import keys, tokens
from chalicelib.web.authorizer import jwt_authorizer
from chalicelib.web.caller import Caller, from_context
from chalicelib.web.keys import KeyStore, KeysUnavailable, NotThere

ISSUER = "https://issuer.example"
RSA_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
OTHER_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
EC_KEY = ec.generate_private_key(ec.SECP256R1())
METHOD_ARN = "arn:aws:execute-api:us-east-1:123456789012:abc/api/GET/v1/members/me"

USER = {"sub": "user-1", "aud": "app", "token_use": "id"}
MACHINE = {"sub": "machine", "client_id": "machine", "token_use": "access", "scope": "huike/orders.write"}


def jwk(key: Any, kid: str, **more: Any) -> dict[str, Any]:
    algorithm = jwt.algorithms.RSAAlgorithm if isinstance(key, rsa.RSAPrivateKey) else jwt.algorithms.ECAlgorithm
    return {**json.loads(algorithm.to_jwk(key.public_key())), "kid": kid, "use": "sig", **more}


KEYS = {"keys": [jwk(RSA_KEY, "rsa", alg="RS256"), jwk(EC_KEY, "ec"), {"kty": "oct", "kid": "oct", "k": "c2VjcmV0"}]}


def token(
    claims: dict[str, Any],
    times: dict[str, int] | None = None,
    *,
    key: Any = RSA_KEY,
    alg: str = "RS256",
    kid: str = "rsa",
) -> str:
    """A signed token; `times` are claims in seconds from now, and a claim of None is left out."""
    now = int(time.time())
    whole = {"iss": ISSUER, "iat": now, "exp": now + 3600, **claims}
    whole.update({name: now + offset for name, offset in (times or {}).items()})
    return jwt.encode({name: claim for name, claim in whole.items() if claim is not None}, key, alg, {"kid": kid})


@pytest.fixture(autouse=True)
def tables() -> None:
    """No tables: the authorizer has none."""


@pytest.fixture(autouse=True)
def issuer(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """An issuer that publishes KEYS where Cognito does; gives the addresses that were asked."""
    asked: list[str] = []

    def fetch(url: str) -> Any:
        asked.append(url)
        return KEYS

    store = KeyStore(ISSUER, "", fetch=fetch)
    monkeypatch.setattr(tokens, "_keys", lambda: store)
    return asked


def authorize(bearer: str) -> Any:
    return jwt_authorizer({"type": "TOKEN", "authorizationToken": bearer, "methodArn": METHOD_ARN}, None)


def caller(bearer_token: str) -> Caller:
    return from_context(authorize(f"Bearer {bearer_token}")["context"])


def refuses(bearer: str) -> None:
    with pytest.raises(Exception, match=r"^Unauthorized$"):
        authorize(bearer)


class TestCallers:
    def test_a_user_is_a_member(self) -> None:
        assert caller(token(USER)) == Caller("member", "user-1", ISSUER, "app")

    def test_a_member_brings_the_identities_that_were_verified(self) -> None:
        proved = {"phone_number": "+8613800138000", "phone_number_verified": True, "email": "a@b.cn"}
        found = caller(token({**USER, **proved, "email_verified": "true"}))
        assert (found.phone, found.mail) == ("+8613800138000", "a@b.cn")

    @pytest.mark.parametrize("verified", [False, "false", None, "yes", 1.5, []])
    def test_an_identity_that_was_not_verified_is_none(self, verified: Any) -> None:
        claims = {"phone_number": "+8613800138000", "phone_number_verified": verified, "email": "a@b.cn"}
        found = caller(token({**USER, **claims}))
        assert (found.phone, found.mail) == (None, None)

    def test_client_credentials_make_a_system_with_its_scopes(self) -> None:
        assert caller(token(MACHINE)) == Caller("system", "machine", ISSUER, "machine", frozenset({"orders.write"}))

    def test_a_token_without_a_subject_is_a_systems(self) -> None:
        assert caller(token({**MACHINE, "sub": None})).kind == "system"

    def test_a_user_with_our_scopes_is_staff(self) -> None:
        claims = {"sub": "clerk", "client_id": "app", "token_use": "access"}
        found = caller(token({**claims, "scope": "openid huike/adjustments.write"}))
        assert (found.kind, found.scopes) == ("staff", frozenset({"adjustments.write"}))

    def test_scopes_of_others_make_no_staff(self) -> None:
        claims = {"sub": "u", "client_id": "app", "scope": "aws.cognito.signin.user.admin huike/all other/orders.write"}
        assert caller(token(claims)).kind == "member"

    def test_scopes_may_come_as_a_list(self) -> None:
        found = caller(token({"sub": "clerk", "azp": "app", "scp": ["huike/members.read"]}))
        assert (found.kind, found.scopes, found.client_id) == ("staff", frozenset({"members.read"}), "app")

    def test_all_routes_are_allowed_for_cached_policies_answer_at_random(self) -> None:
        policy = authorize(f"Bearer {token(USER)}")["policyDocument"]["Statement"][0]
        assert policy["Effect"] == "Allow"
        assert policy["Resource"] == ["arn:aws:execute-api:us-east-1:123456789012:abc/api/*/*"]

    def test_the_context_is_nothing_but_text(self) -> None:
        assert all(isinstance(value, str) for value in authorize(f"bearer {token(USER)}")["context"].values())


class TestRefusals:
    @pytest.mark.parametrize("bearer", ["", "Bearer", "Bearer ", "Basic YTpi", "Bearer a.b.c", "Bearer " + "x" * 9000])
    def test_what_is_no_token(self, bearer: str) -> None:
        refuses(bearer)

    @pytest.mark.parametrize("header", [[], 3, {"alg": ["RS256"]}, {"alg": "RS256", "kid": 5}, {"alg": None}, {}])
    def test_what_has_a_strange_header(self, header: Any) -> None:
        head = base64.urlsafe_b64encode(json.dumps(header).encode()).decode().rstrip("=")
        refuses(f"Bearer {head}.{token(USER).partition('.')[2]}")

    def test_what_is_nested_to_exhaust_us(self) -> None:
        head = base64.urlsafe_b64encode(b'{"alg":' + b"[" * 6000 + b"]" * 6000 + b"}").decode().rstrip("=")
        refuses(f"Bearer {head}.e30.c2ln")

    @pytest.mark.parametrize("claims", [{"scope": 5}, {"scope": {"huike/orders.write": 1}}, {"scope": [None, 3]}])
    def test_strange_scopes_give_no_right(self, claims: dict[str, Any]) -> None:
        assert caller(token({**USER, **claims})).kind == "member"

    @pytest.mark.parametrize(
        "claims",
        [
            {**USER, "iss": "https://evil.example"},
            {**USER, "iss": None},
            {**USER, "exp": None},
            {**USER, "aud": "other"},
            {**USER, "aud": ["other", "another"]},
            {**USER, "aud": None},
            {**USER, "aud": "other", "client_id": "app"},
            {**MACHINE, "client_id": "other"},
            {**USER, "token_use": "refresh"},
        ],
    )
    def test_a_token_that_is_not_for_us(self, claims: dict[str, Any]) -> None:
        refuses(f"Bearer {token(claims)}")

    @pytest.mark.parametrize("times", [{"exp": -31}, {"nbf": 60}, {"iat": 3600}])
    def test_a_token_out_of_its_time(self, times: dict[str, int]) -> None:
        refuses(f"Bearer {token(USER, times)}")

    @pytest.mark.parametrize("times", [{"exp": -20}, {"nbf": 20}])
    def test_clocks_may_differ_by_half_a_minute(self, times: dict[str, int]) -> None:
        assert caller(token(USER, times)).kind == "member"

    def test_a_signature_of_another_key(self) -> None:
        refuses(f"Bearer {token(USER, key=OTHER_KEY)}")

    def test_a_changed_token(self) -> None:
        head, _body, signature = token(USER).split(".")
        body = base64.urlsafe_b64encode(json.dumps({**USER, "iss": ISSUER, "sub": "chief"}).encode()).decode()
        refuses(f"Bearer {head}.{body.rstrip('=')}.{signature}")

    def test_a_key_that_the_issuer_does_not_have(self) -> None:
        refuses(f"Bearer {token(USER, kid='unknown')}")

    def test_no_signature_at_all(self) -> None:
        refuses(f"Bearer {token(USER, key=None, alg='none')}")

    @pytest.mark.parametrize("kid", ["rsa", "oct"])
    def test_the_public_key_as_a_shared_secret(self, kid: str) -> None:
        # PyJWT refuses to sign so, hence by hand: the attack is HMAC under what everybody can read.
        public = RSA_KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        secret = b"secret" if kid == "oct" else public
        refuses(f"Bearer {forged(secret, kid)}")

    def test_another_algorithm_of_the_same_key(self) -> None:
        refuses(f"Bearer {token(USER, alg='RS512')}")

    @pytest.mark.parametrize("alg", ["PS256", "RS384", "rs256", "None", "NONE", "EdDSA", "RS256 ", "HS512"])
    def test_an_algorithm_that_only_the_header_claims(self, alg: str) -> None:
        _head, body, signature = token(USER).split(".")
        head = encoded(json.dumps({"alg": alg, "kid": "rsa"}).encode())
        refuses(f"Bearer {head}.{body}.{signature}")
        refuses(f"Bearer {head}.{body}.")

    @pytest.mark.parametrize(
        "kid", ["../../../dev/null", "/dev/null", "file:///dev/null", "rsa\x00", " rsa", "RSA", "", "' OR '1'='1", "0"]
    )
    def test_a_key_id_is_a_name_and_no_way_to_somewhere(self, issuer: list[str], kid: str) -> None:
        refuses(f"Bearer {token(USER, kid=kid)}")
        assert set(issuer) <= {JWKS}

    @pytest.mark.parametrize("name", ["jwk", "jku", "x5u", "x5c"])
    def test_a_key_that_the_token_brings_itself(self, issuer: list[str], name: str) -> None:
        brought = {
            "jwk": jwk(OTHER_KEY, "rsa"),
            "jku": "http://127.0.0.1:9/keys",
            "x5u": "http://127.0.0.1:9/certificate",
            "x5c": ["MIIB"],
        }
        claims = {**USER, "iss": ISSUER, "exp": int(time.time()) + 60}
        refuses(f"Bearer {jwt.encode(claims, OTHER_KEY, 'RS256', {'kid': 'rsa', name: brought[name]})}")
        assert issuer == [JWKS]

    def test_an_extension_that_must_be_understood_and_is_not(self) -> None:
        claims = {**USER, "iss": ISSUER, "exp": int(time.time()) + 60}
        refuses(f"Bearer {jwt.encode(claims, RSA_KEY, 'RS256', {'kid': 'rsa', 'crit': ['huike'], 'huike': 1})}")

    @pytest.mark.parametrize("claims", [{"exp": "soon"}, {"exp": []}, {"nbf": "now"}, {"iat": "then"}, {"iss": [5]}])
    def test_times_and_issuers_of_a_strange_form(self, claims: dict[str, Any]) -> None:
        whole = {**USER, "iss": ISSUER, "exp": int(time.time()) + 60, **claims}
        head = encoded(json.dumps({"alg": "RS256", "kid": "rsa"}).encode())
        body = encoded(json.dumps(whole).encode())
        signature = RSA_KEY.sign(f"{head}.{body}".encode(), padding.PKCS1v15(), hashes.SHA256())
        refuses(f"Bearer {head}.{body}.{encoded(signature)}")

    def test_a_curve_key_signs_as_well(self) -> None:
        assert caller(token(USER, key=EC_KEY, alg="ES256", kid="ec")).kind == "member"

    def test_nobody_is_let_in_where_no_client_is_configured(self) -> None:
        bare = Settings("dev", "p-", b"s", ISSUER, (), "", "huike/", "")
        with pytest.raises(tokens.Refused):
            tokens.caller_of(USER, bare)


def encoded(part: bytes) -> str:
    """A part of a token."""
    return base64.urlsafe_b64encode(part).decode().rstrip("=")


def forged(secret: bytes, kid: str) -> str:
    head = encoded(json.dumps({"alg": "HS256", "typ": "JWT", "kid": kid}).encode())
    body = encoded(json.dumps({**USER, "iss": ISSUER, "exp": int(time.time()) + 60}).encode())
    signature = hmac.digest(secret, f"{head}.{body}".encode(), hashlib.sha256)
    return f"{head}.{body}.{encoded(signature)}"


class Issuer:
    """Answers for an issuer, with a clock to turn; what it publishes may be an error."""

    def __init__(self, documents: dict[str, Any]) -> None:
        self.documents = documents
        self.asked: list[str] = []
        self.now = 1000.0

    def fetch(self, url: str) -> Any:
        self.asked.append(url)
        found = self.documents.get(url, NotThere(url))
        if isinstance(found, Exception):
            raise found
        return found

    def store(self, url: str = "") -> KeyStore:
        return KeyStore(ISSUER, url, fetch=self.fetch, clock=lambda: self.now)


JWKS = f"{ISSUER}/.well-known/jwks.json"
DISCOVERY = f"{ISSUER}/.well-known/openid-configuration"


class TestKeys:
    def test_are_fetched_once(self) -> None:
        issuer = Issuer({JWKS: KEYS})
        store = issuer.store()
        assert all(store.find(key_id) for key_id in ("rsa", "ec", "rsa"))
        assert issuer.asked == [JWKS]

    def test_that_are_unknown_are_asked_for_once_a_minute(self) -> None:
        issuer = Issuer({JWKS: KEYS})
        store = issuer.store()
        assert [store.find(f"flood-{number}") for number in range(50)] == [None] * 50
        assert len(issuer.asked) == 1
        issuer.now += 60
        issuer.documents[JWKS] = {"keys": [jwk(OTHER_KEY, "new")]}
        assert store.find("new")
        assert len(issuer.asked) == 2

    def test_that_were_withdrawn_are_forgotten_in_an_hour(self) -> None:
        issuer = Issuer({JWKS: KEYS})
        store = issuer.store()
        assert store.find("rsa")
        issuer.documents[JWKS] = {"keys": []}
        issuer.now += 3600
        assert store.find("rsa") is None

    def test_that_are_known_serve_on_while_the_issuer_is_away(self) -> None:
        issuer = Issuer({JWKS: KEYS})
        store = issuer.store()
        assert store.find("rsa")
        issuer.documents[JWKS] = KeysUnavailable("away")
        issuer.now += 3600
        assert store.find("rsa")
        assert store.find("rsa")
        assert len(issuer.asked) == 2

    def test_that_never_were_fetched_judge_nobody(self) -> None:
        issuer = Issuer({JWKS: KeysUnavailable("away")})
        store = issuer.store()
        for _attempt in range(2):
            with pytest.raises(KeysUnavailable):
                store.find("rsa")
        assert len(issuer.asked) == 2

    def test_are_found_by_discovery_where_cognitos_place_is_empty(self) -> None:
        issuer = Issuer({DISCOVERY: {"jwks_uri": f"{ISSUER}/keys"}, f"{ISSUER}/keys": KEYS})
        store = issuer.store()
        assert store.find("rsa")
        assert issuer.asked == [JWKS, DISCOVERY, f"{ISSUER}/keys"]
        issuer.now += 3600
        assert store.find("rsa")
        assert issuer.asked[3:] == [f"{ISSUER}/keys"]

    def test_are_looked_for_nowhere_else_once_their_address_is_set(self) -> None:
        issuer = Issuer({"http://127.0.0.1/keys": KEYS})
        assert issuer.store("http://127.0.0.1/keys").find("rsa")
        assert issuer.asked == ["http://127.0.0.1/keys"]

    @pytest.mark.parametrize("document", [{}, [], None, {"keys": []}, {"jwks_uri": 3}])
    def test_of_a_strange_document_are_none(self, document: Any) -> None:
        assert Issuer({JWKS: document}).store().find("rsa") is None

    @pytest.mark.parametrize("entry", [{"use": "enc"}, {"alg": "RS512"}, {"kty": "moon"}, {"n": "!"}])
    def test_that_are_not_for_signatures_of_ours_are_passed_over(self, entry: dict[str, Any]) -> None:
        broken = {**jwk(RSA_KEY, "rsa"), **entry}
        assert Issuer({JWKS: {"keys": [broken, jwk(EC_KEY, "ec")]}}).store().find("rsa") is None


class TestFetching:
    @pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://issuer.example/keys", "", "issuer"])
    def test_asks_over_http_only(self, url: str) -> None:
        with pytest.raises(KeysUnavailable):
            keys.fetch(url)

    def test_reads_what_is_published(self, published: Callable[[int, bytes], str]) -> None:
        assert keys.fetch(published(200, json.dumps(KEYS).encode())) == KEYS

    def test_tells_an_empty_place_from_a_failure(self, published: Callable[[int, bytes], str]) -> None:
        with pytest.raises(NotThere):
            keys.fetch(published(404, b"{}"))
        with pytest.raises(KeysUnavailable):
            keys.fetch(published(500, b"{}"))

    def test_takes_nothing_but_json(self, published: Callable[[int, bytes], str]) -> None:
        with pytest.raises(KeysUnavailable):
            keys.fetch(published(200, b"<html>"))

    def test_gives_up_where_nobody_listens(self) -> None:
        with pytest.raises(KeysUnavailable):
            keys.fetch("http://127.0.0.1:9/keys")


@pytest.fixture
def published() -> Iterator[Callable[[int, bytes], str]]:
    """Serves one answer on loopback; gives its address."""
    servers: list[http.server.HTTPServer] = []

    def publish(status: int, body: bytes) -> str:
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_arguments: Any) -> None:
                """Say nothing."""

        server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
        servers.append(server)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{server.server_port}/keys"

    yield publish
    for server in servers:
        server.shutdown()
        server.server_close()


def test_the_issuer_is_asked_for_keys_not_for_every_token(issuer: list[str]) -> None:
    for _request in range(3):
        caller(token(USER))
    assert issuer == [JWKS]


def test_where_keys_cannot_be_fetched_no_token_is_called_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    store = Issuer({JWKS: KeysUnavailable("away")}).store()
    monkeypatch.setattr(tokens, "_keys", lambda: store)
    with pytest.raises(KeysUnavailable):
        authorize(f"Bearer {token(USER)}")


def modules_loaded_by(*names: str) -> set[str]:
    """What a fresh process has loaded after importing these modules."""
    script = f"import sys, {', '.join(names)}\nprint(*sys.modules)"
    done = subprocess.run(  # noqa: S603 -- our own interpreter and script
        [sys.executable, "-c", script], cwd=Path(__file__).parents[2], capture_output=True, text=True, check=True
    )
    return set(done.stdout.split())


def test_the_function_loads_neither_the_database_nor_any_area() -> None:
    loaded = modules_loaded_by("chalicelib.web.authorizer", "chalicelib.web.tokens")
    assert not {name.split(".")[0] for name in loaded} & {"pynamodb", "botocore", "boto3", "phonenumbers", "numpy"}
    rooms = {name.split(".")[1] for name in loaded if name.startswith("chalicelib.")}
    assert rooms == {"base", "web"}


def test_the_api_pays_for_neither_cryptography_nor_the_networks_of_the_world() -> None:
    assert not modules_loaded_by("app") & {"jwt", "cryptography", "phonenumbers", "boto3", "numpy"}


def test_the_settings_of_the_tests_are_those_of_the_issuer() -> None:
    assert base_settings.settings().oidc_issuer == ISSUER


class TestLinks:
    LINK = Link("inv_" + "a2" * 13, 1_800_000_000)

    def test_whoever_holds_a_link_is_known_by_its_invitation_alone(self) -> None:
        found = caller(links.token(self.LINK))
        assert found == Caller("link", self.LINK.invitation_id, "", "", expires_at=self.LINK.expires_at)

    def test_a_link_asks_no_issuer(self, issuer: list[str]) -> None:
        caller(links.token(self.LINK))
        assert issuer == []

    def test_a_forged_link_is_refused(self) -> None:
        text = links.token(self.LINK)
        last = "A" if text[-1] != "A" else "B"
        for forged in (text[:-1] + last, text[:-1], f"{text}a", links.PREFIX, links.PREFIX + "a" * 50):
            refuses(f"Bearer {forged}")

    def test_verifying_a_link_loads_no_cryptography(self) -> None:
        event = {"type": "TOKEN", "authorizationToken": f"Bearer {links.token(self.LINK)}", "methodArn": METHOD_ARN}
        script = f"""
import sys
from chalicelib.web.authorizer import jwt_authorizer
assert jwt_authorizer({event!r}, None)["context"]["kind"] == "link"
print("jwt" in sys.modules)
"""
        command = [sys.executable, "-c", script]
        done = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603 -- our own script
        assert done.stdout.strip() == "False"
