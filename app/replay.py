"""`strowger replay`: a call again from its log."""

from __future__ import annotations

import json
import time

from rich.console import Console
from rich.table import Table

from app.demo.screen import Screen
from app.dialog.events import Entry, to_record
from app.dialog.transcript import Latency, latencies_of
from app.errors import NotFound
from app.local import opened
from app.pricing import in_words, table
from app.sales.cost import Cost, cost_of
from app.settings import load
from app.store import call_events, calls


def run(call_sid: str, *, as_json: bool, speed: float) -> int:
    """Prints the call; 0 when it is known. Raises NotFound otherwise."""
    entries = _entries(call_sid)
    if as_json:
        for entry in entries:
            kind, body = to_record(entry.fact)
            print(json.dumps({"seq": entry.seq, "at_ms": entry.at_ms, "kind": kind, **body}))  # noqa: T201
        return 0
    console = Console()
    screen = Screen(console)
    screen.heading(call_sid)
    at_ms = 0
    for entry in entries:
        if speed > 0 and entry.at_ms > at_ms:
            time.sleep((entry.at_ms - at_ms) / 1000 / speed)
        at_ms = max(at_ms, entry.at_ms)
        screen.show(entry)
    console.print(_waterfall(latencies_of(entries)))
    console.print(_bill(cost_of(entries, table(load().prices))))
    return 0


def _entries(call_sid: str) -> tuple[Entry, ...]:
    with opened(load()) as database:
        with database.system() as db:
            workspace = calls.workspace_of(db, call_sid)
        if workspace is None:
            raise NotFound(f"No call {call_sid} is known here: check the sid, and DATABASE_URL if it is elsewhere.")
        with database.worker(workspace) as db:
            return call_events.read(db, call_sid)


def _waterfall(turns: tuple[Latency, ...]) -> Table:
    table = Table(title="From the caller's last sound to our first, in ms", title_justify="left", box=None)
    for name in ("turn", "decision", "transcript", "dialogue", "speech", "playout", "total"):
        table.add_column(name, justify="right")
    for turn in turns:
        stages = (turn.decision, turn.transcript, turn.dialogue, turn.speech, turn.playout, turn.total)
        table.add_row(str(turn.turn), *("-" if stage is None else str(stage) for stage in stages))
    return table


def _bill(cost: Cost) -> Table:
    bill = Table(title=f"Cost: {in_words(cost)}", title_justify="left", box=None)
    for name in ("stage", "provider", "model"):
        bill.add_column(name)
    for name in ("amount", "price"):
        bill.add_column(name, justify="right")
    for item in cost.items:
        price = "unknown" if item.price is None else f"{item.price:.5f}"
        bill.add_row(item.stage, item.provider, item.model, f"{item.amount:,} {item.unit}", price)
    return bill
