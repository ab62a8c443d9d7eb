"""`strowger replay`: a call again from its log."""

from __future__ import annotations

import dataclasses
import json
import time
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from app.demo.screen import Screen
from app.dialog.events import Entry, to_record
from app.dialog.patience import Patience
from app.dialog.rerun import Difference, compare, rerun
from app.dialog.transcript import Latency, latencies_of
from app.errors import BadInput, NotFound
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


def run_diff(call_sid: str, settings: Sequence[str], *, as_json: bool) -> int:
    """Prints which turns would have been taken otherwise; 0 when none. Raises BadInput for a setting there is not."""
    changed = dict(_setting(setting) for setting in settings)
    entries = _entries(call_sid)
    taken, found = len([one for one in rerun(entries) if one.what == "reply"]), compare(entries, **changed)
    if not taken:
        raise NotFound(
            f"The log of {call_sid} does not tell what turn-taking heard: it was written by an older version."
        )
    if as_json:
        print(json.dumps([dataclasses.asdict(one) for one in found]))  # noqa: T201
        return int(bool(found))
    console = Console()
    console.print(_differences(found))
    console.print(f"{len(found)} of {taken} turns would have been taken otherwise with {', '.join(settings)}.")
    return int(bool(found))


def _setting(text: str) -> tuple[str, int]:
    name, _, value = text.partition("=")
    usual = getattr(Patience(), name, None)
    if type(usual) is not int or not value.isdigit():
        known = ", ".join(field.name for field in dataclasses.fields(Patience) if field.name.endswith("_ms"))
        raise BadInput(f"--diff {text!r} is no setting of turn-taking. Example: pause_ms=900. There are {known}.")
    return name, int(value)


def _differences(found: Sequence[Difference]) -> Table:
    shown = Table(title="Turns that would have been taken otherwise", title_justify="left", box=None)
    for name in ("turn", "at s", "instead at s", "words"):
        shown.add_column(name)
    for one in found:
        after = "not within 5 s" if one.after is None else f"{one.after.at_ms / 1000:.2f}"
        words = one.before.words if one.after is None or one.after.words == one.before.words else one.after.words
        shown.add_row(str(one.before.turn), f"{one.before.at_ms / 1000:.2f}", after, words)
    return shown


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
