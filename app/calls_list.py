"""`strowger calls`: the newest calls of a running Strowger, asked for over its API as any other program would."""

from __future__ import annotations

import json
from typing import Literal, cast

import httpx
from rich.console import Console
from rich.table import Table

from app.client import Client
from app.client.api import CallItem
from app.errors import BadInput, ProviderDown

COLUMNS = ("call", "began", "direction", "state", "result", "tier", "playbook")


def run(address: str, key: str, state: str | None, limit: int, *, as_json: bool) -> int:
    """Raises ApiProblem for what the API refuses, ProviderDown when nobody answers."""
    if not key:
        raise BadInput("Give an API key with --key or STROWGER_API_KEY; the dashboard makes one under Settings.")
    if state not in (None, "live", "ended"):
        raise BadInput("--state is live or ended.")
    try:
        with Client(address, key=key) as client:
            page = client.calls_list(state=cast('Literal["live", "ended"] | None', state), limit=limit)
    except httpx.HTTPError as error:
        raise ProviderDown(f"Nobody answers at {address}: is `strowger up` running?") from error
    items = page["items"]
    if as_json:
        print(json.dumps(items, indent=2))  # noqa: T201 - for a program to read
    else:
        Console().print(_table(items))
    return 0


def _table(items: list[CallItem]) -> Table:
    table = Table(box=None)
    for column in COLUMNS:
        table.add_column(column)
    for call in items:
        cells = (call.get(name) for name in ("sid", "started_at", "direction", "state", "result", "tier", "playbook"))
        table.add_row(*("" if cell is None else str(cell) for cell in cells))
    return table
