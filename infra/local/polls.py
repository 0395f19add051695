"""The demo's survey: made from a template, answered by made-up people over a year, and looked at on a page."""

import json
import random
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import httpx

from infra.errors import InfraError
from infra.local.aws import client
from infra.local.deploy import Stack
from infra.local.tokens import system_token

CODE: Final = "club_nps"
ANSWERS: Final = 600

_PER_IMPORT: Final = 200
_SEED: Final = 20
_DAYS: Final = 364
_WORSE_DAYS: Final = 120
_AREAS: Final = ("product", "service", "price", "after_sales")
_COLUMNS: Final = ("key", "occurred_at", "channel", "store", "locale", "seconds", "recommend")
Advance = Callable[[int], None]


def bring_in(stack: Stack, now: datetime, advance: Advance, count: int = ANSWERS) -> None:
    """Make the survey, bring in the answers, and ask for their tables. Done again, it adds nothing."""
    scopes = ["surveys.admin", "surveys.write", "surveys.read"]
    headers = {"Authorization": f"Bearer {system_token(stack, scopes)}"}
    with httpx.Client(base_url=stack.api, headers=headers, timeout=60) as http:
        made = _asked(http, "/v1/surveys", {"template": "relationship_nps", "code": CODE})
        path = f"/v1/surveys/{made['id']}"
        _asked(http, f"{path}/open", {})
        rows = list(_rows(now, count))
        for begin in range(0, len(rows), _PER_IMPORT):
            part = rows[begin : begin + _PER_IMPORT]
            titles = ",".join([*_COLUMNS, *(f"areas.{area}" for area in _AREAS)])
            done = _asked(http, f"{path}/imports", {"source": "demo", "csv": "\n".join([titles, *part])})
            if done["refused"]:
                raise InfraError(f"The demo's answers were refused: {done['refused'][:3]}.")
            advance(len(part))
    # As the schedule asks at night.
    night = json.dumps({"cross": "night"})
    client("sqs", stack.endpoint).send_message(QueueUrl=stack.outputs["CrossingsQueueUrl"], MessageBody=night)


def page(stack: Stack, survey: str) -> str:
    """The page with charts of a survey, by its code or id, as an admin gets it. Raises InfraError."""
    answer = client("lambda", stack.endpoint).invoke(
        FunctionName=stack.outputs["AdministerSurveysFunction"],
        Payload=json.dumps({"action": "page", "survey": survey}).encode(),
    )
    found: dict[str, Any] = json.loads(answer["Payload"].read())
    if "FunctionError" in answer or "error" in found:
        raise InfraError(f"There is no page of this survey: {json.dumps(found)}")
    return str(found["html"])


def _rows(now: datetime, count: int) -> Iterator[str]:
    """Answers of which the service decides most, and which grow worse in the last four months."""
    chance = random.Random(_SEED)  # noqa: S311 - to be repeated, not to be secret
    for number in range(count):
        days = _DAYS * (count - number) / count
        at = (now.astimezone(UTC) - timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%SZ")
        worse = 1.2 if days < _WORSE_DAYS else 0.0
        areas = [min(5, max(1, round(chance.gauss(4.1 - worse * (area == "service"), 0.9)))) for area in _AREAS]
        wish = 1.1 + 1.2 * areas[1] + 0.5 * areas[0] + chance.gauss(0, 1.1)
        channel, store = chance.choice(("phone", "paper")), chance.choice(("Yu Garden", "Jing'an", "Hongqiao"))
        fixed = (f"demo-{number}", at, channel, store, chance.choice(("zh-Hans", "en")), str(chance.randint(25, 200)))
        yield ",".join([*fixed, str(min(10, max(0, round(wish)))), *map(str, areas)])


def _asked(http: httpx.Client, path: str, body: dict[str, Any]) -> dict[str, Any]:
    answer = http.post(path, json=body)
    if answer.is_error:
        raise InfraError(f"The demo's survey could not be made: {answer.text}")
    found: dict[str, Any] = answer.json()
    return found
