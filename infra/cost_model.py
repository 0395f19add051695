"""From counted units to a month's bill: what an installation of a size does, and what AWS takes for it.

The units of each operation are those of docs/costs.json, which a test keeps in step with the engine. How often each is
done, how long functions run and how large things are, are assumptions that `Load` names one by one.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

COSTS = Path(__file__).resolve().parents[1] / "docs" / "costs.json"
NIGHTS = 30
_GB = 1e9
_KB = 1e3
_HALF_GB, _ONE_GB = 0.5, 1.0

PRICES_OF = "Of us-east-1, by AWS's price pages of 2025. Free allowances are left out, but for the users of Cognito."
WRITE, READ = 0.625e-6, 0.125e-6
STORED_GB, BACKED_UP_GB = 0.25, 0.20
LAMBDA_REQUEST, LAMBDA_GB_S = 0.20e-6, 13.3334e-6
QUEUE_REQUEST = 0.50e-6
LOGGED_GB, LOG_KEPT_GB = 0.50, 0.03
SENT_GB = 0.09
FILE_WRITTEN, FILE_READ = 5.0e-6, 0.40e-6
USER, FREE_USERS = 0.015, 10_000
ALARM = 0.10
_GATEWAY = ((333e6, 3.50e-6), (667e6, 2.80e-6), (19e9, 2.38e-6), (float("inf"), 1.51e-6))
PRICES = (
    (
        "DynamoDB on demand",
        "$0.625 per million write units, $0.125 per million read units",
        "aws.amazon.com/dynamodb/pricing",
    ),
    ("DynamoDB storage, and point-in-time recovery", "$0.25 and $0.20 per GB-month", "aws.amazon.com/dynamodb/pricing"),
    ("Lambda, arm64", "$0.20 per million requests, $0.0000133334 per GB-second", "aws.amazon.com/lambda/pricing"),
    (
        "API Gateway, REST",
        "$3.50, from 333 million $2.80, from 1 billion $2.38 per million",
        "aws.amazon.com/api-gateway/pricing",
    ),
    ("SQS, FIFO", "$0.50 per million requests", "aws.amazon.com/sqs/pricing"),
    ("S3", "$5.00 per million requests that write, $0.40 per million that read", "aws.amazon.com/s3/pricing"),
    (
        "CloudWatch",
        "$0.50 per GB of logs taken in, $0.03 per GB-month kept, $0.10 per alarm",
        "aws.amazon.com/cloudwatch/pricing",
    ),
    ("Cognito, Essentials", "$0.015 per user who signs in, from the 10,001st", "aws.amazon.com/cognito/pricing"),
    ("Data sent to the internet", "$0.09 per GB", "aws.amazon.com/ec2/pricing/on-demand"),
)


@dataclass(frozen=True)
class Load:
    """What happens in a month; the shares are assumptions, each to be changed by the option of its name."""

    members: int
    orders: int
    by_queue: float = 0.0
    """Share of the orders that come through the intake queue instead of the API."""
    refunds: float = 0.05
    """Refunds for each order."""
    redemptions: float = 0.10
    """Redemptions for each order."""
    looks: float = 2.0
    """Accounts looked at for each order, at the till and in the app."""
    statements: float = 0.2
    """Pages of a statement for each order."""
    enrolments: float = 0.02
    """Share of the members who are new this month."""
    sign_ins: float = 0.10
    """Share of the members who sign in to the app this month."""
    invitations: float = 0.05
    """Invitations to surveys for each order."""
    lapses: float = 0.05
    """Share of the members for whom the night has something to write down."""
    segments: float = 0.35
    """Share of the members who go to another segment."""
    alerts: float = 0.20
    """Alerts and occasions of the care calendar for each member."""
    months_kept: int = 12
    """Months of history that are stored: this month's, so many times."""

    def operations(self) -> dict[str, float]:
        """How often each operation of docs/costs.json is done in the month."""
        posted = self.orders * (1 + self.refunds + self.redemptions)
        chains = self.members * NIGHTS / 28 + posted
        return {
            "earn: order by phone": self.orders,
            "refund": self.orders * self.refunds,
            "redeem": self.orders * self.redemptions,
            "account": self.orders * self.looks,
            "statement page of 20": self.orders * self.statements,
            "enrol with phone and mail": self.members * self.enrolments,
            "reaction: accounts view, per member and batch": self.entries + self.members * self.enrolments,
            "reaction: a purchase that counts in no challenge": self.purchases,
            "reaction: a purchase of somebody whom nobody has brought": self.purchases,
            "reaction: an order without vouchers has gone back": self.orders * self.refunds,
            "reaction: a purchase after which nobody is asked": self.orders * (1 - self.invitations),
            "reaction: a purchase leads to an invitation": self.orders * self.invitations,
            "night: sweep a member with something due": self.members * self.lapses,
            "night: audit a chain of 10 entries and their records": chains,
            "night: facts of a member who has bought": posted + self.members * self.enrolments,
            "night: tell a member's score for the first time, or another segment": self.members
            * (self.enrolments + self.segments),
            "night: tell a member of an anniversary, or of a tier about to be lost": self.members * self.alerts,
        }

    @property
    def requests(self) -> float:
        """Requests to the API in the month."""
        found = self.operations()
        asked = sum(found[name] for name in _BY_API)
        return asked - self.orders * self.by_queue

    @property
    def purchases(self) -> float:
        """Purchases and refunds of the month: challenges hear of each, and so do referrals."""
        return self.orders * (1 + self.refunds)

    @property
    def notices(self) -> float:
        """Notices that the router passes on to the areas' queues in the month; refunds are taken for whole ones."""
        found = 2 * self.purchases + self.orders * self.refunds + self.members * self.enrolments
        # Surveys hear of purchases, and of what the night writes down, for it may have ended a tier.
        return found + self.orders + self.members * (self.lapses + self.alerts)

    @property
    def entries(self) -> float:
        """Entries that the ledger takes in the month."""
        return self.orders * (1 + self.refunds + self.redemptions) + self.members * (self.lapses + self.alerts)


_BY_API = ("earn: order by phone", "refund", "redeem", "account", "statement page of 20", "enrol with phone and mail")
_BY_QUEUE = (
    "reaction: a purchase that counts in no challenge",
    "reaction: a purchase of somebody whom nobody has brought",
    "reaction: an order without vouchers has gone back",
    "reaction: a purchase after which nobody is asked",
    "reaction: a purchase leads to an invitation",
)
# Milliseconds of a function: its own work, and what a request to DynamoDB takes from it.
OWN_MS, TRIP_MS = 12.0, 6.0
# A stream function, for each entry; its batches share what a start costs.
STREAM_MS = 4.0
# The walk that scores, for each account at half a GB; and the reduction, which has three.
WALKED_MS, REDUCED_MS = 0.45, 0.06
_REDUCE_GB = 3.0
# A file of the night for so many members: written once, read once.
FILED = 5_000
# Half of the requests come with a token that the gateway has seen in the last five minutes.
AUTHORIZED, AUTHORIZER_MS = 0.5, 5.0
MEMBER_KB, ENTRY_KB, ANSWER_KB, LINE_KB = 2.6, 2.0, 1.5, 0.5
"""A member's records with the view; an entry with its record; an answer; an invocation's log."""


def counted() -> dict[str, tuple[float, float, int]]:
    """Write units, read units and round trips of each operation, as they were counted."""
    found = json.loads(COSTS.read_text(encoding="utf-8"))
    return {name: (write, read, trips) for name, (write, read, trips) in found.items()}


def bill(load: Load) -> dict[str, float]:
    """Dollars of the month by what they are for."""
    operations, units = load.operations(), counted()
    writes = sum(times * units[name][0] for name, times in operations.items())
    # Two walks scan the view each night, an eighth of a unit for every KB.
    reads = sum(times * units[name][1] for name, times in operations.items()) + 2 * NIGHTS * load.members / 8
    stored = (load.members * MEMBER_KB + load.entries * load.months_kept * ENTRY_KB) * _KB / _GB
    invocations, gb_seconds = _functions(load)
    logged = invocations * LINE_KB * _KB / _GB
    return {
        "DynamoDB writes": writes * WRITE,
        "DynamoDB reads": reads * READ,
        "DynamoDB storage and recovery": stored * (STORED_GB + BACKED_UP_GB),
        "Lambda": invocations * LAMBDA_REQUEST + gb_seconds * LAMBDA_GB_S,
        "API Gateway": _tiered(load.requests),
        # A message is sent, received and deleted, the latter two by batches that are seldom full.
        "SQS": 3 * (load.orders * load.by_queue + load.notices) * QUEUE_REQUEST,
        "DynamoDB stream": 0.0,
        "S3 requests": NIGHTS * load.members / FILED * (FILE_WRITTEN + FILE_READ),
        "logs": logged * (LOGGED_GB + LOG_KEPT_GB),
        "data sent": load.requests * ANSWER_KB * _KB / _GB * SENT_GB,
        "alarm of the audit": ALARM,
        "sign-ins (Cognito)": max(0.0, load.members * load.sign_ins - FREE_USERS) * USER,
    }


def _functions(load: Load) -> tuple[float, float]:
    """Invocations and GB-seconds of the month."""
    operations, units = load.operations(), counted()
    ms = {name: OWN_MS + TRIP_MS * trips for name, (_write, _read, trips) in units.items()}
    serving = sum(operations[name] * ms[name] for name in _BY_API) * _ONE_GB
    authorizing = load.requests * AUTHORIZED * AUTHORIZER_MS * _HALF_GB
    streaming = 2 * load.entries * STREAM_MS * _HALF_GB
    advancing = sum(operations[name] * ms[name] for name in _BY_QUEUE) * _HALF_GB
    night = sum(operations[name] * ms[name] for name in operations if name.startswith("night")) * _HALF_GB
    walking = NIGHTS * load.members * (WALKED_MS * _HALF_GB + REDUCED_MS * _REDUCE_GB)
    invocations = load.requests * (1 + AUTHORIZED) + (load.orders * load.by_queue + load.notices) / 2
    invocations += 2 * load.entries / 2
    return invocations, (serving + authorizing + streaming + advancing + night + walking) / 1000


def _tiered(requests: float) -> float:
    dollars, left = 0.0, requests
    for size, price in _GATEWAY:
        taken = min(left, size)
        dollars, left = dollars + taken * price, left - taken
    return dollars


PEAK = 10.0
_MONTH_S = NIGHTS * 86_400


@dataclass(frozen=True)
class Limit:
    """A quota of the account, what this load needs of it at its peak, and what to do where it is not enough."""

    name: str
    need: float
    quota: float
    remedy: str


def limits(load: Load) -> Iterator[Limit]:
    """The account's default quotas against the peak, taken as ten times the mean; and the length of a night's audit."""
    peak = PEAK * load.requests / _MONTH_S
    writes = PEAK * load.orders * 2 / _MONTH_S
    operations, units = load.operations(), counted()
    mean_s = (OWN_MS + TRIP_MS * max(units[name][2] for name in _BY_API)) / 1000
    audit = "night: audit a chain of 10 entries and their records"
    audit_s = operations[audit] / NIGHTS * (OWN_MS + TRIP_MS * units[audit][2]) / 1000
    segments = max(4, load.members / 5e6)
    yield Limit("API requests a second (`ThrottleRate`)", peak, 500, "raise `ThrottleRate`, or use the intake queue")
    yield Limit("API requests a second (account)", peak, 10_000, "have the account's throttle raised, or use the queue")
    yield Limit("functions at once (account)", peak * mean_s, 1_000, "have the concurrency raised")
    yield Limit("write units a second, new table", writes, 4_000, "warm the tables (`WarmThroughput`) before opening")
    yield Limit("write units a second, table", writes, 40_000, "have the table quota raised")
    yield Limit("users of a pool", load.members, 40e6, "have it raised, or bring an issuer of your own")
    yield Limit(
        "hours of a night's audit", audit_s / segments / 3600, 6, "raise `NightlySegments`, or `AuditCycleNights`"
    )
