"""`python -m infra.audit`: audits everything at once: all chains, all their records, all records' entries, the view.

The nightly audit comes from the accounts, so it cannot see an account that the view has lost, nor an order whose entry
is missing. This one reads every table, and is meant for a restore, or for whenever something is suspected.
"""

import argparse
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from infra.errors import InfraError
from infra.installation import (
    AT_ONCE,
    Advance,
    Installation,
    add_arguments,
    find,
    in_segments,
    members,
    progress,
    scan,
)

if TYPE_CHECKING:
    from chalicelib.ledger.auditing import Finding

RECORDS = ("members", "orders", "redemptions", "vouchers", "engagement", "referrals", "cases", "surveys")


def audit(
    installation: Installation, prefix: str, member_ids: list[str], advance: Advance
) -> tuple[int, list["Finding"]]:
    """Audit all chains and all records under a prefix; gives how many entries were read and what is wrong."""
    installation.configure_engine(prefix)
    # The engine reads its settings when it is imported.
    from chalicelib.base import clock  # noqa: PLC0415
    from chalicelib.ledger import auditing  # noqa: PLC0415
    from chalicelib.ledger.table import read_view  # noqa: PLC0415

    now = clock.now()
    findings: list[Finding] = []

    def chain(member_id: str) -> int:
        found = auditing.audit(member_id, read_view(member_id), now=now, consistent=True)
        findings.extend(found.findings)
        advance(1)
        return found.entries

    def records(segment: int, segments: int) -> int:
        dynamodb = installation.client("dynamodb")
        for table in RECORDS:
            for page in scan(dynamodb, prefix + table, segment=segment, segments=segments):
                findings.extend(filter(None, (auditing.orphan(table, item) for item in page)))
        return 0

    with ThreadPoolExecutor(AT_ONCE) as pool:
        entries = sum(pool.map(chain, member_ids))
    in_segments(records)
    return entries, sorted(findings, key=lambda finding: (finding.member_id, finding.seq, finding.fault))


def main(arguments: list[str] | None = None) -> int:
    """Audit the local stack, a stack on AWS, or restored tables; ends with 1 where something is wrong."""
    parser = argparse.ArgumentParser(prog="python -m infra.audit", description=__doc__)
    parser.add_argument("--prefix", help="what the tables' names begin with (default: those of the stack)")
    add_arguments(parser)
    options = parser.parse_args(arguments)
    try:
        installation = find(options)
        prefix = options.prefix or installation.prefix
        with progress() as bar:
            reading = bar.add_task("reading the ledger", total=None)
            everybody = members(installation.client("dynamodb"), prefix, lambda count: bar.advance(reading, count))
            auditing = bar.add_task("auditing accounts", total=len(everybody))
            entries, findings = audit(installation, prefix, everybody, lambda count: bar.advance(auditing, count))
    except (InfraError, BotoCoreError, ClientError) as error:
        print(f"audit: {error}", file=sys.stderr)
        return 1
    for finding in findings:
        print(f"{finding.member_id} entry {finding.seq}: {finding.fault}")
    print(f"{len(everybody)} accounts, {entries} entries, {len(findings)} mismatches")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
