"""`strowger leads results FILE`: what became of leads in the end, from a CRM's export. The truth models are judged by.

Columns: the phone, won (yes/no; for another target a column of its name, such as churned), and, if there is one, the
day. A row that cannot be used is named by its line and left out. A correction is another row of another file: the
newest word counts.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

import typer

from app.compliance.number import normalise
from app.errors import BadInput, BadTable
from app.lead_list import Fault
from app.local import opened, owner_of
from app.sales.registry import TARGET
from app.settings import load
from app.store import audit, leads, own_outcomes

SHOWN = 20
_PHONE = ("phone", "phone_number", "telephone", "mobile", "number")
_WON = ("won", "sold", "converted", "result", "status", "stage")
_DAY = ("at", "date", "day", "closed_at", "closed_on", "decided_at")


@dataclass(frozen=True, slots=True)
class Word:
    """Of one lead; `at` None: now. `line` counts from 1 in the file."""

    line: int
    phone: str
    won: bool
    at: datetime | None


def read(path: Path, *, country: str = "US", target: str = TARGET) -> tuple[tuple[Word, ...], tuple[Fault, ...]]:
    """Raises BadTable when the file cannot be read, or names no column for the phone or the result."""
    from ml.table import open_table

    table = open_table(path)
    plain = [name.strip().casefold().replace(" ", "_") for name in table.header]
    results = _WON if target == TARGET else (target,)
    phone, won, day = (_column(plain, names) for names in (_PHONE, results, _DAY))
    if phone is None or won is None:
        missing = "phone number: name one of them 'phone'"
        missing = missing if phone is None else f"result: name one of them {results[0]!r}"
        raise BadTable(f"{path.name} has no column for the {missing}.")
    words: list[Word] = []
    faults: list[Fault] = []
    for line, row in enumerate(table.rows(), start=2):
        try:
            words.append(_word(line, row[phone], row[won], row[day] if day is not None else "", country))
        except BadInput as fault:
            faults.append(Fault(line, str(fault)))
    return tuple(words), tuple(faults)


def _column(plain: Sequence[str], names: Sequence[str]) -> int | None:
    return next((plain.index(name) for name in names if name in plain), None)


def _word(line: int, phone: str, won: str, day: str, country: str) -> Word:
    """Raises BadInput with what is wrong."""
    from ml.columns import moment
    from ml.label import yes_or_no

    number = normalise(phone.strip().lstrip("'"), country)
    if number is None:
        raise BadInput("not a telephone number")
    said = yes_or_no(won, "won")
    if said is None:
        raise BadInput("no result")
    seconds = moment(day)
    if day.strip() and seconds != seconds:
        raise BadInput("the day is no date, such as 2026-11-21")
    return Word(line, number, said, datetime.fromtimestamp(seconds, UTC) if seconds == seconds else None)


def take_in(path: Path, *, country: str, target: str = TARGET, as_json: bool = False) -> int:
    """0 when every row was taken, 1 when some could not be. In one transaction. Raises BadInput for no name of a
    target."""
    if not re.fullmatch("[a-z0-9_]{1,64}", target):
        raise BadInput("a target is named by small letters, digits and underscores, such as churned.")
    settings = load()
    words, faults = read(path, country=country, target=target)
    found = list(faults)
    taken = 0
    now = datetime.now(UTC)
    with opened(settings) as database, database.worker(owner_of(database, settings)) as db:
        for word in words:
            lead = leads.by_phone(db, word.phone)
            if lead is None:
                found.append(Fault(word.line, "no lead has this number"))
            elif word.at is not None and word.at > now:
                found.append(Fault(word.line, "the day lies ahead"))
            else:
                at = word.at or now
                own_outcomes.say(db, lead.id, won=word.won, at=at, noted_by="command line", target=target)
                taken += 1
        audit.write(db, "command line", "leads.results", path.name, {"taken": taken, "left_out": len(found)})
    if as_json:
        typer.echo(json.dumps({"taken": taken, "faults": [asdict(fault) for fault in found]}))
    else:
        typer.echo(f"{taken:,} results taken.")
        for fault in sorted(found, key=lambda one: one.line)[:SHOWN]:
            typer.echo(f"Line {fault.line}: {fault.reason}.", err=True)
        if len(found) > SHOWN:
            typer.echo(f"And {len(found) - SHOWN} more lines that could not be used.", err=True)
    return 1 if found else 0
