"""Asks a deployed stage's API one question, the way that a shop system does."""

import time
from http import HTTPStatus
from typing import Any

import httpx

from infra.errors import InfraError
from infra.stage import Stage

# A new role or stage takes some seconds until every part of AWS knows of it.
_PATIENCE_SECONDS = 60
_AGAIN_SECONDS = 2.0


def smoke(stage: Stage) -> str:
    """GET /v1/program with a machine's token; gives what the API said. Raises InfraError with a hint."""
    outputs = stage.outputs()
    url = f"{api_of(stage, outputs)}/v1/program"
    headers = {"Authorization": f"Bearer {machine_token(stage, outputs)}"}
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while True:
        try:
            answer = httpx.get(url, headers=headers, timeout=30)
        except httpx.TransportError as error:
            said = f"nothing ({error})"
        else:
            if answer.status_code == HTTPStatus.OK:
                return f"programme version {answer.json()['version']}"
            said = f"{answer.status_code} {answer.text}"
        if time.monotonic() > deadline:
            raise InfraError(f"GET {url} answers {said}. The logs are in /huike/{stage.name}/api and …/jwt_authorizer.")
        time.sleep(_AGAIN_SECONDS)


def api_of(stage: Stage, outputs: dict[str, str]) -> str:
    """The address of the API, without `/v1`."""
    if stage.endpoint:
        return f"{stage.endpoint}/restapis/{outputs['RestAPIId']}/api/_user_request_"
    return outputs["EndpointURL"].rstrip("/")


def machine_token(stage: Stage, outputs: dict[str, str]) -> str:
    """An access token by client credentials, from the stack's own pool. Raises InfraError where none is to be had."""
    pool: Any = stage.client("cognito-idp")
    client = pool.describe_user_pool_client(UserPoolId=outputs["UserPoolId"], ClientId=outputs["MachineClientId"])
    found = client["UserPoolClient"]
    domain = f"https://{outputs['UserPoolDomainName']}.auth.{pool.meta.region_name}.amazoncognito.com"
    answer = httpx.post(
        f"{stage.endpoint or domain}/oauth2/token",
        data={"grant_type": "client_credentials", "scope": " ".join(found["AllowedOAuthScopes"])},
        auth=(found["ClientId"], found["ClientSecret"]),
        timeout=30,
    )
    if answer.is_error:
        raise InfraError(f"The user pool gives no token to the machines' client: {answer.status_code} {answer.text}")
    token: str = answer.json()["access_token"]
    return token
