"""One installation in an AWS account: its names, its secret, and the bucket that its packages go through."""

import argparse
import os
import re
import secrets
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from infra.errors import InfraError
from infra.installation import Installation

_NAME = re.compile(r"[a-z][a-z0-9]{1,15}")


@dataclass(frozen=True)
class Stage:
    """A stage by its name; `endpoint` is that of a local AWS, and None on AWS itself."""

    name: str
    endpoint: str | None = None

    @property
    def stack(self) -> str:
        """The name of its CloudFormation stack."""
        return f"huike-{self.name}"

    @property
    def secret_name(self) -> str:
        """Where its secret lies in the parameter store."""
        return f"/huike/{self.name}/id-secret"

    def client(self, service: str) -> Any:
        """A boto3 client of the account that it is in."""
        return Installation({}, self.endpoint).client(service)

    def found(self) -> dict[str, Any] | None:
        """What CloudFormation knows of the stack, or None where there is none, or one that was never created."""
        try:
            stack: dict[str, Any] = self.client("cloudformation").describe_stacks(StackName=self.stack)["Stacks"][0]
        except ClientError as error:
            if "does not exist" in str(error):
                return None
            raise
        # What is left when a first change set was shown and not executed.
        return None if stack["StackStatus"] in ("REVIEW_IN_PROGRESS", "DELETE_COMPLETE") else stack

    def outputs(self) -> dict[str, str]:
        """The outputs of the deployed stack. Raises InfraError without one."""
        stack = self.found()
        if stack is None:
            raise InfraError(f"There is no stack {self.stack} here: make deploy STAGE={self.name} makes it.")
        return {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}

    def secret(self) -> str:
        """The key of its ids, made once and never shown.

        Raises InfraError where a stack is there without it: with a new one, every replay would look new.
        """
        store = self.client("ssm")
        try:
            value: str = store.get_parameter(Name=self.secret_name, WithDecryption=True)["Parameter"]["Value"]
        except store.exceptions.ParameterNotFound:
            if self.found() is not None:
                raise InfraError(
                    f"The stack {self.stack} is there, but not its secret {self.secret_name} in the parameter store. "
                    "Put the IdSecret that it was deployed with there, as a SecureString. A new one would be wrong."
                ) from None
            value = secrets.token_hex(32)
            store.put_parameter(Name=self.secret_name, Value=value, Type="SecureString", Overwrite=False)
            print(f"made the secret {self.secret_name} (kept by AWS, shown to nobody)")
        return value

    def bucket(self) -> str:
        """The bucket of its packages: encrypted, versioned and closed, made where it is missing."""
        s3, sts = self.client("s3"), self.client("sts")
        region = s3.meta.region_name
        name = f"huike-{self.name}-{sts.get_caller_identity()['Account']}-{region}"
        if name in [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]]:
            return name
        # S3 takes every region by its name but its first.
        place = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
        s3.create_bucket(Bucket=name, **place)
        closed = dict.fromkeys(
            ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"), True
        )
        s3.put_public_access_block(Bucket=name, PublicAccessBlockConfiguration=closed)
        s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
        rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
        s3.put_bucket_encryption(Bucket=name, ServerSideEncryptionConfiguration={"Rules": [rule]})
        print(f"made the bucket {name}")
        return name


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options by which a command is told which stage it works on."""
    parser.add_argument("--stage", required=True, help="name of the installation, e.g. dev or prod")
    parser.add_argument(
        "--endpoint-url",
        default=os.environ.get("AWS_ENDPOINT_URL"),
        help="a local AWS instead of AWS itself (default: AWS_ENDPOINT_URL)",
    )


def of(options: argparse.Namespace) -> Stage:
    """The stage that the options name. Raises InfraError for a name that the template would not take."""
    if not _NAME.fullmatch(options.stage):
        raise InfraError(f"{options.stage!r} is no name for a stage: 2 to 16 of a-z and 0-9, a letter first.")
    return Stage(options.stage, options.endpoint_url)
