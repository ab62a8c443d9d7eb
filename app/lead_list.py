"""`strowger leads import|export`: a CSV of leads in, and one out that a spreadsheet may open.

A row that cannot be used is named by its line and left out; the others are taken. A list says nothing about consent:
a column that claims one is ignored, since calls need the wording and where the proof lies (`strowger consent`).
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import typer

from app.compliance.number import normalise, place
from app.errors import BadInput, BadTable
from app.local import opened, owner_of
from app.settings import load
from app.store import audit, lead_lists
from app.store.lead_lists import NewLead, Taken

AT_ONCE = 1_000
SHOWN = 20
_PHONE = ("phone", "phone_number", "telephone", "tel", "mobile", "number", "telefono", "teléfono")
_NAME = ("name", "full_name", "contact", "contact_name", "nombre")
_SOURCE = ("source", "lead_source", "origin")
_FACTS = {"state": ("state", "region", "province"), "time_zone": ("time_zone", "timezone")}
_CONSENT = re.compile(r"consent|opt_?in|permission|permiso|consentimiento", re.IGNORECASE)
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")  # some programs take wide signs for narrow


@dataclass(frozen=True, slots=True)
class Fault:
    """A row that was left out. `line` counts from 1 in the file; what was in it is not repeated."""

    line: int
    reason: str


@dataclass(frozen=True, slots=True)
class List:
    """`merged` rows named a number that an earlier row had; `ignored` are columns nothing was taken from."""

    leads: tuple[NewLead, ...]
    faults: tuple[Fault, ...] = ()
    merged: int = 0
    ignored: tuple[str, ...] = ()


@dataclass
class _Gathered:
    leads: dict[str, NewLead] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    merged: int = 0


def read(path: Path, *, country: str = "US", source: str = "import") -> List:
    """The leads of a CSV. Raises BadTable when it cannot be read at all or names no column for the phone."""
    from ml.table import open_table

    table = open_table(path)
    columns = _columns(table.header)
    if "phone" not in columns:
        raise BadTable(f"{path.name} has no column for the phone number: name one of them 'phone'.")
    if not country.isalpha() or len(country) != 2:
        raise BadInput(f"{country!r} is not a country: give two letters such as US.")
    found = _Gathered()
    with path.open(encoding=table.encoding, newline="") as file:
        for line, row in _rows(file, table.delimiter, found):
            if len(row) != len(table.header):
                found.faults.append(Fault(line, f"{len(row)} values where the header names {len(table.header)}"))
                continue
            cells = {name: row[at].strip() for name, at in columns.items()}
            _take(found, line, cells, country.upper(), source)
    used = set(columns.values())
    ignored = tuple(name for at, name in enumerate(table.header) if at not in used)
    return List(tuple(found.leads.values()), tuple(found.faults), found.merged, ignored)


def _rows(file: Any, delimiter: str, found: _Gathered) -> Iterator[tuple[int, list[str]]]:
    """Rows after the header, each with the line it begins on. Text that breaks the format ends the file there."""
    reader = csv.reader(file, delimiter=delimiter, strict=True)
    next(reader)
    while True:
        line = reader.line_num + 1
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error:
            found.faults.append(Fault(line, "broken quotes; nothing after this line was read"))
            return
        if any(cell.strip() for cell in row):
            yield line, row


def _columns(header: Sequence[str]) -> dict[str, int]:
    wanted = {"phone": _PHONE, "name": _NAME, "source": _SOURCE, **_FACTS}
    plain = [re.sub(r"[\s-]+", "_", name.strip().casefold()) for name in header]
    found = {}
    for meaning, names in wanted.items():
        at = next((plain.index(name) for name in names if name in plain), None)
        if at is not None:
            found[meaning] = at
    return found


def _take(found: _Gathered, line: int, cells: Mapping[str, str], country: str, source: str) -> None:
    if not cells["phone"]:
        found.faults.append(Fault(line, "no phone number"))
        return
    phone = normalise(cells["phone"].lstrip("'"), country)  # a spreadsheet's mark of text
    if phone is None or place(phone) is None:
        found.faults.append(Fault(line, "not a telephone number that can exist"))
        return
    facts = {name: cells[name][:100] for name in _FACTS if cells.get(name)}
    lead = NewLead(phone, cells.get("name", "")[:200], cells.get("source", "")[:100] or source, facts)
    earlier = found.leads.get(phone)
    if earlier is not None:
        found.merged += 1
        lead = NewLead(phone, earlier.name or lead.name, earlier.source, {**lead.facts, **earlier.facts})
    found.leads[phone] = lead


def take_in(path: Path, *, country: str, source: str, as_json: bool = False) -> int:
    """0 when every row was taken, 1 when some could not be. All that can be used is kept, in one transaction."""
    settings = load()
    found = read(path, country=country, source=source)
    with opened(settings) as database, database.worker(owner_of(database, settings)) as db:
        taken = Taken()
        for first in range(0, len(found.leads), AT_ONCE):
            taken += lead_lists.take(db, found.leads[first : first + AT_ONCE])
        audit.write(db, "command line", "leads.import", path.name, asdict(taken))
    if as_json:
        body = asdict(taken) | {"merged": found.merged, "faults": found.faults, "ignored": found.ignored}
        typer.echo(json.dumps(body, default=asdict))
    else:
        typer.echo("\n".join(_said(found, taken)))
    return 1 if found.faults else 0


def _said(found: List, taken: Taken) -> Iterator[str]:
    yield (
        f"{taken.new:,} new leads, {taken.completed:,} known ones completed, {taken.unchanged:,} unchanged; "
        f"{found.merged:,} rows named a number for the second time."
    )
    for fault in found.faults[:SHOWN]:
        yield f"Line {fault.line} left out: {fault.reason}."
    if len(found.faults) > SHOWN:
        yield f"and {len(found.faults) - SHOWN} more lines (--json lists all)."
    claims = [name for name in found.ignored if _CONSENT.search(name)]
    if claims:
        yield f"Ignored: {', '.join(claims)}. A consent needs its wording and proof: `strowger consent`."
    rest = [name for name in found.ignored if name not in claims]
    if rest:
        yield f"Columns not used: {', '.join(rest)}."


def give_out(out: Path) -> int:
    """All leads of the workspace as a CSV."""
    settings = load()
    with opened(settings) as database, database.worker(owner_of(database, settings)) as db:
        rows = [
            [row.id, row.phone or "", row.name, row.source, row.tier, *(row.facts.get(name) for name in _FACTS)]
            for row in lead_lists.everyone(db)
        ]
    try:
        with out.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(["lead_id", "phone", "name", "source", "tier", *_FACTS])
            writer.writerows([harmless(cell) for cell in row] for row in rows)
    except OSError as error:
        raise BadInput(f"{out} cannot be written: {error.strerror or error}.") from None
    typer.echo(f"{len(rows):,} leads -> {out}")
    return 0


def harmless(value: object) -> str:
    """A cell that no spreadsheet runs: text that would begin a formula gets a quote before it. A telephone number in
    international form is digits alone and stays as it is."""
    text = "" if value is None else str(value)
    if re.fullmatch(r"\+[1-9]\d{6,14}", text) or not text.startswith(_FORMULA):
        return text
    return "'" + text
