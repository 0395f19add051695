"""`make destroy STAGE=…`: removes a stage with its tables, unless they hold something and FORCE does not name it."""

import argparse
import os
import sys
from collections.abc import Iterator
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from infra import stage
from infra.change_set import events, follow
from infra.errors import InfraError
from infra.stage import Stage


def main(arguments: list[str] | None = None) -> int:
    """Destroy one stage."""
    parser = argparse.ArgumentParser(prog="python -m infra.destroy", description=__doc__)
    stage.add_arguments(parser)
    parser.add_argument(
        "--force", default=os.environ.get("FORCE", ""), metavar="STAGE", help="its name again (FORCE=…)"
    )
    options = parser.parse_args(arguments)
    try:
        destroy(stage.of(options), options.force)
    except (InfraError, BotoCoreError, ClientError) as error:
        print(f"destroy: {error}", file=sys.stderr)
        return 1
    return 0


def destroy(of: Stage, force: str) -> None:
    """Remove stack, tables and user pool. Raises InfraError, before anything is done, where data would be lost."""
    cloudformation = of.client("cloudformation")
    outputs = of.outputs()
    tables = [name for output, name in outputs.items() if output.endswith("TableName")]
    bucket = outputs.get("FilesBucketName")
    holding = _holding(of, tables, outputs.get("UserPoolId")) + _kept_files(of, bucket)
    if holding and force != of.name:
        raise InfraError(
            f"{', '.join(holding)} would be lost. Nothing was done. To lose them for good: "
            f"make destroy STAGE={of.name} FORCE={of.name}"
        )
    # What happened before is not told again.
    stack_id = cloudformation.describe_stacks(StackName=of.stack)["Stacks"][0]["StackId"]
    seen = {event["EventId"] for event in events(cloudformation, stack_id)}
    # CloudFormation removes no bucket that has something in it.
    _empty(of, bucket)
    cloudformation.delete_stack(StackName=of.stack)
    ended = follow(cloudformation, stack_id, seen)
    if ended != "DELETE_COMPLETE":
        raise InfraError(f"The stack ended as {ended}. Mend what the lines above name, and call this again.")
    _remove_what_stayed(of, tables, outputs.get("UserPoolId"))
    _remove_bucket(of, bucket)
    print(f"{of.stack} is gone. Its secret {of.secret_name} and its bucket of packages stay; they are yours to remove.")


def _holding(of: Stage, tables: list[str], pool: str | None) -> list[str]:
    """Which tables have an item, and the pool if it has a user."""
    dynamodb = of.client("dynamodb")
    found = [name for name in tables if dynamodb.scan(TableName=name, Limit=1)["Items"]]
    if pool and of.client("cognito-idp").list_users(UserPoolId=pool, Limit=1)["Users"]:
        found.append(f"the users of {pool}")
    return found


def _kept_files(of: Stage, bucket: str | None) -> list[str]:
    """The bucket, if it holds anything but what a night's workers have handed over."""
    files = (key for key in _keys(of, bucket) if not key.startswith("nights/"))
    return [f"the files of {bucket}"] if next(files, None) else []


def _keys(of: Stage, bucket: str | None) -> Iterator[str]:
    if bucket:
        for page in of.client("s3").get_paginator("list_objects_v2").paginate(Bucket=bucket):
            yield from (found["Key"] for found in page.get("Contents", ()))


def _empty(of: Stage, bucket: str | None) -> None:
    for key in _keys(of, bucket):
        of.client("s3").delete_object(Bucket=bucket, Key=key)


def _remove_bucket(of: Stage, bucket: str | None) -> None:
    s3 = of.client("s3")
    if bucket in [found["Name"] for found in s3.list_buckets()["Buckets"]]:
        s3.delete_bucket(Bucket=bucket)
        print(f"  deleted {bucket}")


def _remove_what_stayed(of: Stage, tables: list[str], pool: str | None) -> None:
    """Delete what the template lets stand when its stack goes, so that the stage can be made again."""
    dynamodb: Any = of.client("dynamodb")
    left = set(dynamodb.get_paginator("list_tables").paginate().build_full_result()["TableNames"])
    for name in sorted(left & set(tables)):
        dynamodb.delete_table(TableName=name)
        print(f"  deleted {name}")
    pools = of.client("cognito-idp")
    if pool:
        try:
            domain = pools.describe_user_pool(UserPoolId=pool)["UserPool"].get("Domain")
        except pools.exceptions.ResourceNotFoundException:
            return
        if domain:
            pools.delete_user_pool_domain(Domain=domain, UserPoolId=pool)
        pools.delete_user_pool(UserPoolId=pool)
        print(f"  deleted the user pool {pool}")


if __name__ == "__main__":
    sys.exit(main())
