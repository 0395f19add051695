"""Serves the front until somebody stops it."""

import json
import socket
from pathlib import Path
from typing import Any

import uvicorn
from rich.console import Console

from infra.local import polls, scored, seed
from infra.local.assets import swagger_ui
from infra.local.deploy import Stack
from infra.local.front import front
from infra.local.paths import OPENAPI
from infra.local.tokens import member_token, system_token

_SHOWN = 6


class _Server(uvicorn.Server):
    """uvicorn, with a word when it serves."""

    def __init__(self, config: uvicorn.Config, ready: str, console: Console) -> None:
        super().__init__(config)
        self._ready = ready
        self._console = console

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._console.print(self._ready, soft_wrap=True)


def serve(stack: Stack, listener: socket.socket, port: int, console: Console) -> None:
    """Serve the API and the page on the listening socket until Ctrl-C."""
    home = f"http://127.0.0.1:{port}"
    members = demo_members(stack)
    console.print(_usage(home, members), soft_wrap=True)
    app = front(
        api=stack.api,
        template=json.loads(Path(stack.template).read_text(encoding="utf-8")),
        openapi=OPENAPI,
        swagger_ui=swagger_ui(),
        token=lambda who: system_token(stack) if who == "system" else member_token(stack, who),
        overview={"members": members, "outputs": stack.outputs, "endpoint": stack.endpoint, "survey": polls.CODE},
        survey=lambda code: polls.page(stack, code),
        night=lambda name: scored.file(stack, name),
    )
    config = uvicorn.Config(app, log_level="warning", access_log=False, timeout_graceful_shutdown=3)
    _Server(config, f"ready {home}/v1", console).run(sockets=[listener])


def demo_members(stack: Stack) -> list[dict[str, Any]]:
    """A few members worth looking at: those with the most points, from the accounts view."""
    accounts = [
        {
            "id": item["member_id"]["S"],
            "available": int(item["available"]["N"]),
            "tier": item["tier"]["S"],
            "purchases": int(item["purchases"]["N"]),
        }
        for item in seed.scan(stack, "AccountsTableName", "member_id,available,tier,purchases")
    ]
    return sorted(accounts, key=lambda account: -account["available"])[:_SHOWN]


def _usage(home: str, members: list[dict[str, Any]]) -> str:
    def call(token: str, path: str) -> str:
        return f'  curl -sw "\\n" -H "Authorization: Bearer {token}" {home}/v1/{path}'

    lines = ["", "A token for a shop system, and calls with it:", f"  TOKEN=$(curl -s {home}/tokens/system)"]
    lines += [call("$TOKEN", "program")]
    if members:
        member = members[0]["id"]
        lines += [call("$TOKEN", f"members/{member}/account"), "The same account as its member sees it:"]
        lines += [call(f"$(curl -s {home}/tokens/{member})", "members/me/account")]
    lines += ["", f"Documentation with a token ready to use: {home}/"]
    if members:
        lines += [f"What answers to the demo's survey say: {home}/surveys/{polls.CODE}"]
        lines += [f"Last night's report: {home}/night/report.html (中文: {home}/night/report.zh.html)"]
    lines += ["Ctrl-C stops everything.", ""]
    return "\n".join(lines)
