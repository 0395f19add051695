"""What each function may load: whatever it imports, it pays for at every cold start.

Every function is imported in a process of its own, by the name under which the packager deploys it.
"""

from __future__ import annotations

import functools
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from app import app

ROOT = Path(__file__).parents[2]
# What a function needs to be one, to speak to DynamoDB, and to check and pack what it stores.
EDGE = {"chalice"}
TABLES = {"botocore", "dateutil", "jmespath", "pynamodb", "six", "urllib3"}
STRUCTS = {"msgspec"}
ALL = EDGE | TABLES | STRUCTS
# A compiled helper of cryptography is listed as well, since it would betray who imported it.
LATE = {"jwt", "cryptography", "_cffi_backend", "phonenumbers"}
NEVER = {"boto3", "s3transfer", "numpy", "pydantic", "moto", "infra", "tests"}
PACKAGES = ALL | LATE | NEVER

# The function, the module that it is run from, the packages that it may load, and the areas.
BUDGETS = {
    "api_handler": ("chalicelib.api", ALL, "api base ledger members program web"),
    "jwt_authorizer": ("chalicelib.web.authorizer", EDGE, "base web"),
    "project_accounts": ("chalicelib.ledger.triggers", ALL, "base ledger"),
    "route_facts": ("chalicelib.ledger.triggers", ALL, "base ledger"),
    "audit_accounts": ("chalicelib.ledger.triggers", ALL, "base ledger"),
    "administer_program": ("chalicelib.program.triggers", ALL, "base counters ledger program"),
    "start_night": ("chalicelib.members.triggers", ALL, "base ledger members program"),
    "walk_accounts": (
        "chalicelib.night",
        ALL | {"numpy"},
        "base counters ledger members night orders program referrals scoring surveys web",
    ),
    "reduce_night": ("chalicelib.scoring.triggers", ALL, "base ledger scoring"),
    "administer_scoring": (
        "chalicelib.scoring.console_triggers",
        ALL,
        "base counters ledger members orders program referrals scoring surveys web",
    ),
    "administer_ledger": ("chalicelib.members.triggers", ALL, "base ledger members program"),
    "intake_orders": ("chalicelib.orders.triggers", ALL, "base counters ledger members orders program rewards web"),
    "advance_challenges": (
        "chalicelib.engagement.triggers",
        ALL,
        "base counters engagement ledger members orders program rewards web",
    ),
    "give_birthday_gifts": (
        "chalicelib.engagement.birthday_triggers",
        ALL,
        "base counters engagement ledger members orders program rewards vouchers web",
    ),
    "advance_referrals": (
        "chalicelib.referrals.triggers",
        ALL,
        "base counters ledger members orders program referrals rewards vouchers web",
    ),
    "advance_surveys": (
        "chalicelib.surveys.invitation_triggers",
        ALL,
        "base cases counters ledger members orders program surveys web",
    ),
    "cross_surveys": ("chalicelib.surveys.result_triggers", ALL, "base counters ledger program surveys"),
    "administer_surveys": ("chalicelib.surveys.result_triggers", ALL, "base counters ledger program surveys"),
    "watch_cases": ("chalicelib.cases.triggers", ALL, "base cases ledger program"),
    "make_vouchers": ("chalicelib.vouchers.triggers", ALL, "base counters ledger program vouchers"),
    "administer_vouchers": ("chalicelib.vouchers.triggers", ALL, "base counters ledger program vouchers"),
    "claim_orders": ("chalicelib.orders.triggers", ALL, "base counters ledger members orders program rewards web"),
}

# A route of each room that the API opens when it is asked for, and the areas that are loaded for it.
ROOMS = {
    "/v1/answer": "api base ledger members program surveys web",
    "/v1/program": "api base ledger members program web",
    "/v1/members/{member_id}/redemptions": "api base counters ledger members program rewards web",
    "/v1/orders": "api base counters ledger members orders program rewards web",
    "/v1/events": "api base counters engagement ledger members orders program rewards web",
    "/v1/feedback": ("api base cases counters engagement ledger members orders program referrals rewards vouchers web"),
    "/v1/surveys": (
        "api base cases counters engagement ledger members orders program referrals rewards surveys vouchers web"
    ),
    "/v1/members/{member_id}/score": (
        "api base cases counters engagement ledger members orders program referrals rewards scoring surveys vouchers "
        "web"
    ),
}


def run(script: str) -> str:
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, cwd=ROOT, env=os.environ, capture_output=True, text=True, check=False)  # noqa: S603 -- our own script
    assert done.returncode == 0, done.stderr
    return done.stdout


@functools.cache
def loaded_by(module: str) -> frozenset[str]:
    return frozenset(run(f"import sys, {module}\nprint(*sys.modules)").split())


def test_every_function_has_its_budget() -> None:
    declared: list[Any] = [*app.builtin_auth_handlers, *app.event_sources, *app.pure_lambda_functions]
    modules = {function.name: function.handler_string.rpartition(".")[0] for function in declared}

    # The template names other modules for these, which load less, or more, than those that declare them.
    modules |= {"api_handler": "chalicelib.api", "walk_accounts": "chalicelib.night"}
    assert modules == {name: budget[0] for name, budget in BUDGETS.items()}


@pytest.mark.parametrize("function", BUDGETS)
def test_a_function_loads_the_packages_of_its_budget(function: str) -> None:
    module, packages, _areas = BUDGETS[function]
    tops = {name.partition(".")[0] for name in loaded_by(module)}
    assert tops & PACKAGES <= packages


@pytest.mark.parametrize("function", BUDGETS)
def test_a_function_loads_the_areas_of_its_budget(function: str) -> None:
    module, _packages, areas = BUDGETS[function]
    assert {name.split(".")[1] for name in loaded_by(module) if name.startswith("chalicelib.")} == set(areas.split())


@pytest.mark.parametrize("resource", ROOMS)
def test_a_room_is_loaded_when_it_is_asked_for(resource: str) -> None:
    asked = {"requestContext": {"resourcePath": resource, "httpMethod": "PUT"}, "headers": {}, "body": None}
    script = f"""
import sys, types, chalicelib.api
before = {resource!r} in chalicelib.api.app.routes
answer = chalicelib.api.serve({asked!r} | dict.fromkeys(("multiValueQueryStringParameters", "pathParameters",
    "stageVariables"), None) | {{"isBase64Encoded": False}}, types.SimpleNamespace(aws_request_id="x"))
print(before, answer["statusCode"], {resource!r} in chalicelib.api.app.routes, *sys.modules)
"""
    before, status, after, *modules = run(script).splitlines()[-1].split()

    assert (before, status, after) == ("False", "405", "True")
    assert {name.split(".")[1] for name in modules if name.startswith("chalicelib.")} == set(ROOMS[resource].split())
    assert not {name.partition(".")[0] for name in modules} & NEVER


def test_every_route_is_served_whichever_is_asked_for_first() -> None:
    script = """
import chalicelib.api
chalicelib.api.open_rooms()
print(*sorted(chalicelib.api.app.routes))
"""
    assert run(script).split() == sorted(app.routes)


@pytest.mark.parametrize("function", BUDGETS)
def test_no_function_loads_the_routes_or_triggers_of_another(function: str) -> None:
    module = BUDGETS[function][0]
    # The night is the members' own function, with visitors that they do not know of.
    own = {module, "chalicelib.members.triggers"} if function == "walk_accounts" else {module}
    entrances = {name for name in loaded_by(module) if name.endswith((".routes", ".triggers", ".api"))} - own
    assert not {name for name in entrances if not (function == "api_handler" and name.endswith(".routes"))}


def test_a_token_is_checked_without_the_database() -> None:
    tops = {name.partition(".")[0] for name in loaded_by("chalicelib.web.authorizer, chalicelib.web.tokens")}
    assert not tops & (TABLES | NEVER | {"phonenumbers"})


def test_one_client_serves_every_model() -> None:
    script = """
import botocore.session
made = []
real = botocore.session.Session.create_client
def create_client(self, service, *arguments, **options):
    made.append((service, options["config"]))
    return real(self, service, *arguments, **options)
botocore.session.Session.create_client = create_client

import app
from chalicelib.base import dynamo
from pynamodb.models import Model
models = [model for model in Model.__subclasses__() if hasattr(model, "Meta")]
clients = {id(model._get_connection().connection.client) for model in models}
clients |= {id(dynamo.connection().client)}
(service, config), = made
print(len(models) > 5, len(clients), service, config.connect_timeout, config.read_timeout,
      config.retries["total_max_attempts"])"""

    assert run(script).split() == ["True", "1", "dynamodb", "1", "5", "2"]
