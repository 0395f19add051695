"""What each role needs, written down once more beside its policy: packaging refuses a policy that gives anything else.

To let a function do more, change two files: its policy (`.chalice/policy-….json`, or the template for what is no
function of ours) and its row here. A row says, by resource, the actions without their service, in any order:

    "WalkAccountsRole": {
        "AccountsTable": "GetItem Scan",               # a logical id stands for its ARN
        "LedgerTable.StreamArn": "GetRecords",         # another attribute is spelled out
        "${LedgerTable.Arn}/stream/*": "ListStreams",  # what is put together by !Sub stands as it does there
    },

A new function has a row of its own, called after its logical id and `Role`. `infra/privilege.py` compares, and also
holds rights to tables, streams and queues against the function's code and wiring: a row that gives what no code makes
use of stops the packaging as well.
"""

from typing import Final

_LOGS = "CreateLogStream PutLogEvents"
_CONSUME = "ChangeMessageVisibility DeleteMessage GetQueueAttributes ReceiveMessage"
_READ_PROGRAM = {"ProgramsTable": "GetItem Query"}
_APPEND = "PutItem Query"
_TAKE = {"CountersTable": "Query UpdateItem"}
_STREAM = {
    "LedgerTable.StreamArn": "DescribeStream GetRecords GetShardIterator",
    "${LedgerTable.Arn}/stream/*": "ListStreams",
}

NEEDS: Final[dict[str, dict[str, str]]] = {
    "ApiHandlerRole": {
        "ApiLogs": _LOGS,
        "AccountsTable": "GetItem",
        "CasesTable": f"{_APPEND} BatchGetItem DeleteItem UpdateItem",
        # A reward that is given out so often a day has a counter for each, which the day's first makes.
        "CountersTable": "BatchGetItem PutItem Query UpdateItem",
        "EngagementTable": _APPEND,
        # Without it, S3 does not say of a file that was never uploaded that it is not there.
        "FilesBucket": "ListBucket",
        "${FilesBucket.Arn}/cases/*": "GetObject PutObject",
        "${FilesBucket.Arn}/uploads/*": "DeleteObject GetObject PutObject",
        "LedgerTable": _APPEND,
        "MembersTable": "BatchGetItem ConditionCheckItem DeleteItem GetItem PutItem Query UpdateItem",
        "NightsTable": "Query",
        "OrdersTable": f"{_APPEND} BatchGetItem",
        "RedemptionsTable": _APPEND,
        "ReferralsTable": f"{_APPEND} BatchGetItem ConditionCheckItem DeleteItem",
        "SurveysTable": f"{_APPEND} BatchGetItem ConditionCheckItem DeleteItem UpdateItem",
        "VouchersQueue": "SendMessage",
        "VouchersTable": "BatchGetItem DeleteItem PutItem Query UpdateItem",
        **_READ_PROGRAM,
    },
    "JwtAuthorizerRole": {"JwtAuthorizerLogs": _LOGS},
    "ProjectAccountsRole": {
        "ProjectAccountsLogs": _LOGS,
        "AccountsTable": "UpdateItem",
        "ProjectionFailures": "SendMessage",
        **_STREAM,
    },
    "RouteFactsRole": {
        "RouteFactsLogs": _LOGS,
        "ChallengesQueue": "SendMessage",
        "ClaimsQueue": "SendMessage",
        "ReferralsQueue": "SendMessage",
        "SurveysQueue": "SendMessage",
        "RoutingFailures": "SendMessage",
        **_STREAM,
    },
    "IntakeOrdersRole": {
        "IntakeOrdersLogs": _LOGS,
        "IntakeQueue": _CONSUME,
        "LedgerTable": _APPEND,
        "MembersTable": "ConditionCheckItem GetItem Query",
        **_TAKE,
        "OrdersTable": _APPEND,
        "RedemptionsTable": _APPEND,
        "VouchersTable": "BatchGetItem DeleteItem PutItem Query UpdateItem",
        **_READ_PROGRAM,
    },
    "ClaimOrdersRole": {
        "ClaimOrdersLogs": _LOGS,
        "ClaimsQueue": _CONSUME,
        "LedgerTable": f"{_APPEND} GetItem",
        "MembersTable": "GetItem Query",
        **_TAKE,
        "OrdersTable": "DeleteItem PutItem Query",
        "VouchersTable": "BatchGetItem PutItem Query UpdateItem",
        **_READ_PROGRAM,
    },
    "AdvanceChallengesRole": {
        "AdvanceChallengesLogs": _LOGS,
        "ChallengesQueue": _CONSUME,
        "EngagementTable": _APPEND,
        "LedgerTable": f"{_APPEND} GetItem",
        "MembersTable": "GetItem Query",
        "OrdersTable": "Query",
        **_READ_PROGRAM,
    },
    "AdvanceReferralsRole": {
        "AdvanceReferralsLogs": _LOGS,
        "ReferralsQueue": f"{_CONSUME} SendMessage",
        "LedgerTable": f"{_APPEND} GetItem",
        "MembersTable": "Query",
        "OrdersTable": "Query",
        "ReferralsTable": f"{_APPEND} BatchWriteItem DeleteItem",
        "VouchersTable": "BatchGetItem DeleteItem PutItem UpdateItem",
        **_READ_PROGRAM,
    },
    "GiveBirthdayGiftsRole": {
        "GiveBirthdayGiftsLogs": _LOGS,
        "BirthdaysQueue": f"{_CONSUME} SendMessage",
        # The walk that indexes the profiles from before there was an index.
        "NightlyQueue": "SendMessage",
        "NightsTable": "GetItem PutItem Query UpdateItem",
        "EngagementTable": f"{_APPEND} BatchGetItem",
        "LedgerTable": _APPEND,
        "MembersTable": "ConditionCheckItem Query",
        "${MembersTable.Arn}/index/birthdays": "Query",
        "VouchersTable": "BatchGetItem PutItem UpdateItem",
        **_READ_PROGRAM,
    },
    "WatchCasesRole": {
        "WatchCasesLogs": _LOGS,
        "CasesTable": f"{_APPEND} DeleteItem",
    },
    "AdvanceSurveysRole": {
        "AdvanceSurveysLogs": _LOGS,
        "SurveysQueue": f"{_CONSUME} SendMessage",
        "CasesTable": "Query",
        "LedgerTable": "GetItem Query",
        "MembersTable": "GetItem Query",
        "OrdersTable": "Query",
        "SurveysTable": "BatchGetItem DeleteItem PutItem Query UpdateItem",
        **_READ_PROGRAM,
    },
    "CrossSurveysRole": {
        "CrossSurveysLogs": _LOGS,
        "CrossingsQueue": f"{_CONSUME} SendMessage",
        "SurveysTable": "BatchGetItem DeleteItem PutItem Query",
        **_READ_PROGRAM,
    },
    "AdministerSurveysRole": {
        "AdministerSurveysLogs": _LOGS,
        "CrossingsQueue": "SendMessage",
        "SurveysTable": "BatchGetItem Query",
        **_READ_PROGRAM,
    },
    "StartNightRole": {
        "StartNightLogs": _LOGS,
        "AuditQueue": "SendMessage",
        "NightlyQueue": "SendMessage",
        "NightsTable": "GetItem PutItem UpdateItem",
        **_READ_PROGRAM,
    },
    "WalkAccountsRole": {
        "WalkAccountsLogs": _LOGS,
        "SurveysQueue": "SendMessage",
        "NightlyQueue": f"{_CONSUME} SendMessage",
        "ScoringQueue": "SendMessage",
        "AccountsTable": "Scan UpdateItem",
        "LedgerTable": _APPEND,
        "MembersTable": "GetItem Query UpdateItem",
        "NightsTable": "PutItem Query",
        "OrdersTable": "BatchGetItem Query",
        "ReferralsTable": "BatchGetItem",
        "SurveysTable": "BatchGetItem Query",
        "${FilesBucket.Arn}/nights/*": "PutObject",
        **_READ_PROGRAM,
    },
    "ReduceNightRole": {
        "ReduceNightLogs": _LOGS,
        "ScoringQueue": _CONSUME,
        "NightlyQueue": "SendMessage",
        "NightsTable": "PutItem Query",
        "CasesTable": "BatchGetItem",
        "SurveysTable": "BatchGetItem Query",
        "${MembersTable.Arn}/index/birthdays": "Query",
        "FilesBucket": "ListBucket",
        "${FilesBucket.Arn}/nights/*": "GetObject",
        "${FilesBucket.Arn}/reports/*": "PutObject",
        **_READ_PROGRAM,
    },
    "AdministerScoringRole": {
        "AdministerScoringLogs": _LOGS,
        "AuditQueue": "SendMessage",
        "NightlyQueue": "SendMessage",
        "AccountsTable": "GetItem UpdateItem",
        "LedgerTable": "Query",
        "MembersTable": "Query",
        "NightsTable": "GetItem PutItem Query UpdateItem",
        "OrdersTable": "BatchGetItem Query",
        "ReferralsTable": "BatchGetItem",
        "SurveysTable": "BatchGetItem Query",
        # Without it a file that is not there would look like one that may not be read.
        "FilesBucket": "ListBucket",
        "${FilesBucket.Arn}/reports/*": "GetObject",
        # What a link may read, whoever has it, is what the function may.
        "${FilesBucket.Arn}/exports/*": "GetObject PutObject",
        **_READ_PROGRAM,
    },
    "AuditAccountsRole": {
        "AuditAccountsLogs": _LOGS,
        "AuditQueue": f"{_CONSUME} SendMessage",
        "AccountsTable": "GetItem Scan",
        "EngagementTable": "BatchGetItem",
        "LedgerTable": "Query",
        "MembersTable": "BatchGetItem",
        "NightsTable": "GetItem PutItem Query",
        "OrdersTable": "BatchGetItem",
        "RedemptionsTable": "BatchGetItem",
        "ReferralsTable": "BatchGetItem",
        "CasesTable": "BatchGetItem",
        "SurveysTable": "BatchGetItem",
        "VouchersTable": "BatchGetItem",
    },
    "AdministerLedgerRole": {
        "AdministerLedgerLogs": _LOGS,
        "NightlyQueue": "SendMessage",
        "AccountsTable": "GetItem UpdateItem",
        "EngagementTable": "BatchGetItem",
        "LedgerTable": _APPEND,
        "MembersTable": "BatchGetItem PutItem Query",
        "NightsTable": "GetItem PutItem Query UpdateItem",
        "OrdersTable": "BatchGetItem",
        "RedemptionsTable": "BatchGetItem",
        "ReferralsTable": "BatchGetItem",
        "CasesTable": "BatchGetItem",
        "SurveysTable": "BatchGetItem",
        "VouchersTable": "BatchGetItem",
        **_READ_PROGRAM,
    },
    "MakeVouchersRole": {
        "MakeVouchersLogs": _LOGS,
        "VouchersQueue": f"{_CONSUME} SendMessage",
        "VouchersTable": "BatchGetItem BatchWriteItem PutItem UpdateItem",
    },
    "AdministerVouchersRole": {
        "AdministerVouchersLogs": _LOGS,
        "CountersTable": "PutItem Query",
        "VouchersQueue": "SendMessage",
        "VouchersTable": "BatchGetItem PutItem Query UpdateItem",
        **_READ_PROGRAM,
    },
    "AdministerProgramRole": {
        "AdministerProgramLogs": _LOGS,
        "CountersTable": "PutItem Query UpdateItem",
        "ProgramsTable": "GetItem PutItem Query",
    },
    "NightlySchedulerRole": {"StartNight": "InvokeFunction"},
    "CasesSchedulerRole": {"WatchCases": "InvokeFunction"},
    "ReferralsSchedulerRole": {"ReferralsQueue": "SendMessage"},
    "SurveysSchedulerRole": {"SurveysQueue": "SendMessage"},
    "CrossingsSchedulerRole": {"CrossingsQueue": "SendMessage"},
    "BirthdaysSchedulerRole": {"BirthdaysQueue": "SendMessage"},
    # A text goes to a phone, which has no ARN: everything that is no topic.
    "UserPoolSmsRole": {"all but arn:${AWS::Partition}:sns:*:*:*": "Publish"},
    # X-Ray has no resources that a policy could name.
    "TracingPolicy": {"*": "PutTelemetryRecords PutTraceSegments"},
}
