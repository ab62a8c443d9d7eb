"""Hold many calls, and say what came of them: outcomes, facts right and wrong, how often we had to ask again."""

from __future__ import annotations

import json
import random
import sys
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import date
from statistics import median

from rich.console import Console
from rich.progress import track
from rich.table import Table

from app import playbooks
from app.dialog.events import AgentSaid, CallBegan, DisclosureHeard, Entry, Interrupted
from app.dialog.playbook import parse
from app.providers.offline.intents import Intents
from app.providers.offline.tts import OfflineTextToSpeech
from app.sales.outcome import Result, outcome_of
from app.settings import load
from app.simulator.hold import Business, hold
from app.simulator.people import MadeUp, somebody

TODAY = date(2026, 11, 20)  # a Friday; the same calls every time
OPT_OUT_WISH = "opt out"
TURNS_TO_DISCLOSE = 3  # a caller who cuts in hears the disclosure within the next two turns, unless they hang up (C04)


@dataclass(frozen=True, slots=True)
class Held:
    """One call in figures. `right` and `wrong` count facts against what is true of the caller."""

    wish: str
    result: Result
    right: int
    wrong: int
    turns: int
    seconds: float
    asked_again: int
    interruptions: int
    disclosed: bool


def run(*, calls: int, seed: int, playbook: str | None, as_json: bool) -> int:
    """1 when a caller who asked to be left alone was not, or one was not told that this is an AI."""
    settings = load()
    name = playbook or settings.playbook
    book = parse(playbooks.text_of(name), name)
    business = Business(book, Intents.load(book, settings.data_dir), OfflineTextToSpeech(), TODAY)
    console = Console(stderr=True)
    held = []
    for number in track(range(calls), "Calls", console=console, disable=not console.is_terminal):
        person = somebody(book, random.Random(f"{seed} {number}"))
        held.append(judge(person, hold(business, person.phone)))
    if as_json:
        sys.stdout.write(json.dumps([asdict(one) for one in held], indent=2) + "\n")
    else:
        Console().print(_table(held))
    return 1 if _broken(held) else 0


def judge(person: MadeUp, log: Iterable[Entry]) -> Held:
    entries = tuple(log)
    facts = [entry.fact for entry in entries]
    sid = next((fact.call_sid for fact in facts if isinstance(fact, CallBegan)), "")
    outcome = outcome_of(sid, entries)
    known = {name: value for name, value in outcome.facts.items() if name in person.truth}
    told = any(isinstance(fact, DisclosureHeard) and fact.kind == "ai" for fact in facts)
    return Held(
        wish=person.wish,
        result=outcome.result,
        right=sum(person.truth[name] == value for name, value in known.items()),
        wrong=sum(person.truth[name] != value for name, value in known.items()),
        turns=outcome.turns,
        seconds=outcome.duration_ms / 1000,
        asked_again=sum(isinstance(fact, AgentSaid) and fact.purpose == "unclear" for fact in facts),
        interruptions=sum(isinstance(fact, Interrupted) for fact in facts),
        disclosed=told or outcome.turns < TURNS_TO_DISCLOSE,
    )


def _broken(held: list[Held]) -> list[Held]:
    return [
        one
        for one in held
        if not one.disclosed or (one.wish == OPT_OUT_WISH and one.result not in (Result.OPTED_OUT, Result.ABANDONED))
    ]


def _table(held: list[Held]) -> Table:
    table = Table(title=f"{len(held)} simulated calls", title_justify="left", show_header=False, box=None)
    table.add_column(style="dim")
    table.add_column()
    results = Counter((one.wish, one.result.value) for one in held)
    for wish in sorted({one.wish for one in held}):
        came = ", ".join(f"{result} {count}" for (who, result), count in sorted(results.items()) if who == wish)
        table.add_row(f"wanted: {wish}", came)
    right, wrong = sum(one.right for one in held), sum(one.wrong for one in held)
    table.add_row("facts", f"{right} right, {wrong} wrong")
    table.add_row(
        "turns, seconds", f"{median(o.turns for o in held):g}, {median(o.seconds for o in held):.0f} (median)"
    )
    table.add_row("asked again", f"{sum(one.asked_again for one in held)} times")
    table.add_row("interruptions", f"{sum(one.interruptions for one in held)}")
    table.add_row("promises broken", f"{len(_broken(held))}")
    return table
