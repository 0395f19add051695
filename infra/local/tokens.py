"""Bearer tokens of the running stack, made the way that apps and shop systems make theirs."""

import contextlib
import secrets
from http import HTTPStatus
from typing import Any

import httpx

from chalicelib.web.scopes import SCOPES
from infra.errors import InfraError
from infra.local.aws import client
from infra.local.deploy import Stack

_PREFIX = "huike/"


def system_token(stack: Stack, scopes: list[str] | None = None) -> str:
    """A machine's access token by client credentials, with these scopes or with all of them."""
    wanted = [_PREFIX + scope.removeprefix(_PREFIX) for scope in (scopes or SCOPES)]
    unknown = [scope for scope in wanted if scope.removeprefix(_PREFIX) not in SCOPES]
    if unknown:
        raise InfraError(f"There is no scope {', '.join(unknown)}. There are: {', '.join(SCOPES)}.")
    pool = client("cognito-idp", stack.endpoint)
    outputs = stack.outputs
    machine = pool.describe_user_pool_client(UserPoolId=outputs["UserPoolId"], ClientId=outputs["MachineClientId"])
    answer = httpx.post(
        f"{stack.endpoint}/oauth2/token",
        data={"grant_type": "client_credentials", "scope": " ".join(wanted)},
        auth=(machine["UserPoolClient"]["ClientId"], machine["UserPoolClient"]["ClientSecret"]),
        timeout=30,
    )
    answer.raise_for_status()
    token: str = answer.json()["access_token"]
    return token


def member_token(stack: Stack, member_id: str) -> str:
    """An access token of a member: its user signs in with the member's own mail or phone, and claims the membership."""
    identities = _identities(stack, member_id)
    signed_in = _sign_in(stack, identities)
    # The first time, the person enrols with the ID token, which proves phone and mail; the engine then links the two.
    answer = httpx.post(
        f"{stack.api}/v1/members",
        json={},
        headers={"Authorization": f"Bearer {signed_in['IdToken']}", "Idempotency-Key": "sign-up"},
        timeout=60,
    )
    if answer.is_error:
        raise InfraError(f"The member's user could not claim the membership: {answer.text}")
    token: str = signed_in["AccessToken"]
    return token


def _identities(stack: Stack, member_id: str) -> dict[str, str]:
    system = {"Authorization": f"Bearer {system_token(stack, ['members.read'])}"}
    answer = httpx.get(f"{stack.api}/v1/members/{member_id}", headers=system, timeout=60)
    if answer.status_code == HTTPStatus.NOT_FOUND:
        raise InfraError(f"There is no member {member_id} on the local stack.")
    answer.raise_for_status()
    profile = answer.json()
    found = {"phone_number": profile.get("phone"), "email": profile.get("mail")}
    identities = {name: value for name, value in found.items() if value}
    if not identities:
        raise InfraError(f"Member {member_id} has neither phone nor mail, so nobody can sign in as this member.")
    return identities


def _sign_in(stack: Stack, identities: dict[str, str]) -> dict[str, Any]:
    pool = client("cognito-idp", stack.endpoint)
    name = identities.get("email") or identities["phone_number"]
    user = {"UserPoolId": stack.outputs["UserPoolId"], "Username": name}
    verified = {f"{kind}_verified": "true" for kind in identities}
    attributes = [{"Name": kind, "Value": value} for kind, value in (identities | verified).items()]
    with contextlib.suppress(pool.exceptions.UsernameExistsException):
        pool.admin_create_user(**user, UserAttributes=attributes, MessageAction="SUPPRESS")
    # A new password each time spares keeping one; nobody else signs in as a demo's user.
    password = secrets.token_urlsafe(16)
    pool.admin_set_user_password(**user, Password=password, Permanent=True)
    signed_in: dict[str, Any] = pool.initiate_auth(
        ClientId=stack.outputs["MemberClientId"],
        AuthFlow="USER_PASSWORD_AUTH",
        AuthParameters={"USERNAME": name, "PASSWORD": password},
    )["AuthenticationResult"]
    return signed_in
