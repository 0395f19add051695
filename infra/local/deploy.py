"""Deploys the packaged template onto the local AWS the way `aws cloudformation deploy` does onto the real one."""

import json
import secrets
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from infra.errors import InfraError
from infra.local.aws import LocalAws
from infra.package import PARTS, place_parts

STACK = "huike-local"
_BUCKET = "huike-deployments"
_DEPLOY_SECONDS = 120


@dataclass(frozen=True)
class Stack:
    """Where the deployed stack is: the endpoint of the local AWS, its template, and the template's outputs."""

    endpoint: str
    template: str
    outputs: dict[str, str]

    @property
    def api(self) -> str:
        """The address at which the local AWS serves the API, without `/v1`."""
        return f"{self.endpoint}/restapis/{self.outputs['RestAPIId']}/api/_user_request_"

    def save(self, path: Path) -> None:
        """Write the stack down for commands that run beside it."""
        path.write_text(json.dumps(asdict(self)), encoding="utf-8")

    @staticmethod
    def load(path: Path) -> "Stack":
        """Read what `save` wrote."""
        try:
            return Stack(**json.loads(path.read_text(encoding="utf-8")))
        except FileNotFoundError:
            raise InfraError("No local stack is running. Start it with `make run` and try again.") from None


def deploy(aws: LocalAws, template: Path) -> Stack:
    """Create the stack, or update the one that was kept; returns it when it is complete."""
    document = json.loads(template.read_text(encoding="utf-8"))
    keys = {
        part: _upload(aws, f"{template.parent.name}-{part}", template.with_name(part).read_bytes())
        for part in PARTS.values()
    }
    place_parts(document, {part: {"Bucket": _BUCKET, "Key": key} for part, key in keys.items()})
    cloudformation = aws.client("cloudformation")
    exists = _outputs(cloudformation) is not None
    call = cloudformation.update_stack if exists else cloudformation.create_stack
    secret: dict[str, Any] = {"ParameterKey": "IdSecret"}
    secret |= {"UsePreviousValue": True} if exists else {"ParameterValue": secrets.token_hex(32)}
    call(
        StackName=STACK,
        # A template over 51,200 bytes must lie in a bucket.
        TemplateURL=f"{aws.endpoint}/{_BUCKET}/{_upload(aws, 'template.json', json.dumps(document).encode())}",
        Parameters=[
            secret,
            {"ParameterKey": "PoolEndpoint", "ParameterValue": aws.endpoint},
            # Who tries something out, has no use for what happens at half past two; the stack's tests start it by hand.
            {"ParameterKey": "NightlySchedule", "ParameterValue": "DISABLED"},
        ],
        Capabilities=["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
    )
    outputs = _wait(cloudformation)
    _put_gateway_responses(aws, document, outputs["RestAPIId"])
    return Stack(aws.endpoint, str(template), outputs)


def _upload(aws: LocalAws, key: str, content: bytes) -> str:
    s3 = aws.client("s3")
    if _BUCKET not in [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]]:
        s3.create_bucket(Bucket=_BUCKET)
    s3.put_object(Bucket=_BUCKET, Key=key, Body=content)
    return key


def _outputs(cloudformation: Any) -> dict[str, str] | None:
    try:
        stack = cloudformation.describe_stacks(StackName=STACK)["Stacks"][0]
    except cloudformation.exceptions.ClientError:
        return None
    return {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}


def _wait(cloudformation: Any) -> dict[str, str]:
    deadline = time.monotonic() + _DEPLOY_SECONDS
    while time.monotonic() < deadline:
        stack = cloudformation.describe_stacks(StackName=STACK)["Stacks"][0]
        if not stack["StackStatus"].endswith("_IN_PROGRESS"):
            break
        time.sleep(0.1)
    if stack["StackStatus"] not in ("CREATE_COMPLETE", "UPDATE_COMPLETE"):
        events = cloudformation.describe_stack_events(StackName=STACK)["StackEvents"]
        reasons = [event["ResourceStatusReason"] for event in events if "FAILED" in event["ResourceStatus"]]
        raise InfraError(f"The stack ended as {stack['StackStatus']}: {'; '.join(reasons) or 'no reason given'}")
    return {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}


def _put_gateway_responses(aws: LocalAws, document: dict[str, Any], api: str) -> None:
    """Bring in the API's gateway responses, which the local AWS leaves out when it imports the definition."""
    gateway = aws.client("apigateway")
    definition = document["Resources"]["RestAPI"]["Properties"]["DefinitionBody"]
    for kind, response in definition["x-amazon-apigateway-gateway-responses"].items():
        status = {"statusCode": str(response["statusCode"])} if "statusCode" in response else {}
        gateway.put_gateway_response(
            restApiId=api,
            responseType=kind,
            responseParameters=response["responseParameters"],
            responseTemplates=response["responseTemplates"],
            **status,
        )
    gateway.create_deployment(restApiId=api, stageName="api")
