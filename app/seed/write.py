"""Writes the day through the store's own functions, then sets back the clocks, as only the owner of a database can."""

from __future__ import annotations

import gzip
import json
import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import psycopg

from app import playbooks
from app.demo.callers import Caller, callers
from app.dialog.events import (
    AgentHeard,
    AgentSaid,
    AnsweredBy,
    CallBegan,
    CallEnded,
    Entry,
    Fact,
    HumanRequested,
    from_record,
)
from app.dialog.playbook import parse
from app.exchange.personas import ReactivePersona
from app.local import NUMBER
from app.providers.offline.intents import Intents
from app.providers.offline.tts import OfflineTextToSpeech
from app.seed.make import FILE, PLAYBOOK
from app.seed.people import NOTES, Person, people
from app.settings import Settings
from app.simulator.hold import Business, held
from app.store import calls, consents, finish, leads
from app.store import playbooks as published
from app.store.calls import NewCall
from app.store.connect import Connection, Database
from app.store.consents import NewConsent

LEADS, DAYS, LAST_DAY_SHARE, SEED = 140, 14, 0.25, 11
MARK = "SEED"  # at the beginning of a seeded call's sid: how all of it is found again
WORDING = "Northlight Solar may call me with automated voices about solar for my home."
_OPEN, _CLOSE = 14, 23  # UTC: working hours in America
_CLOCKS = (
    """
    update calls set created_at = %(began)s, ended_at = %(ended)s,
        answered_at = case when end_reason = 'unavailable' then null else %(began)s end
    where call_sid = %(sid)s
    """,
    "update outcomes set recorded_at = %(ended)s where call_sid = %(sid)s",
    """
    update leads l set updated_at = %(ended)s, created_at = least(l.created_at, %(began)s)
    from calls c where c.call_sid = %(sid)s and l.id = c.lead_id
    """,
)
_TAGS = """
    update leads set tags = %s, created_at = least(created_at, now() - make_interval(hours => %s))
    where workspace_id = %s and phone = %s
"""
_MESSAGES = """
    insert into messages (workspace_id, direction, call_id, lead_id, template, sender, recipient, text, status,
                          provider_sid, created_at, status_at)
    select c.workspace_id, 'outbound', c.id, c.lead_id, o.follow_up, c.called, c.caller,
           'Hello from Northlight Solar. As promised, here is what we talked about.', 'read', 'SM' || c.call_sid,
           o.recorded_at, o.recorded_at
    from outcomes o join calls c on c.id = o.call_id
    where c.workspace_id = %s and o.follow_up is not null and o.result <> 'opted_out'
    on conflict do nothing
"""
_BOOKED = "select lead_id, recorded_at from outcomes where workspace_id = %s and result = 'booked' order by call_sid"
_NOTE = "insert into notes (workspace_id, lead_id, text, written_by, written_at) values (%s, %s, %s, %s, %s)"
_RESULT = "insert into lead_results (workspace_id, lead_id, won, at, noted_by) values (%s, %s, %s, %s, 'seed')"
_GREETING = (
    "Hello, this is Nora, the automated assistant of Northlight Solar. We will try again. "
    "To stop all calls, press nine."
)


@dataclass(frozen=True, slots=True)
class Planned:
    """One call of the day, as it will have been."""

    sid: str
    person: Person
    began: datetime
    entries: tuple[Entry, ...]
    direction: str = "inbound"

    @property
    def ended(self) -> datetime:
        return self.began + timedelta(milliseconds=max((entry.at_ms for entry in self.entries), default=0))


def seed(settings: Settings, database_url: str, workspace_id: UUID, now: datetime | None = None) -> int:
    """How many calls were written; 0 when there were calls already, ours or anybody's."""
    moment = now or datetime.now(UTC)
    database = Database.open(database_url, max_size=1)
    try:
        with database.worker(workspace_id) as db:
            if calls.recent(db, 1):
                return 0
        cast = people(LEADS, SEED)
        planned = _plan(cast, moment, settings)
        with database.worker(workspace_id) as db:
            _leads(db, cast, moment)
            version, _ = published.published(db, PLAYBOOK)
            for one in planned:
                _write(db, one, version)
    finally:
        database.close()
    _set_back(database_url, workspace_id, planned)
    return len(planned)


def _plan(cast: Sequence[Person], now: datetime, settings: Settings) -> list[Planned]:
    dice = random.Random(SEED)
    logs = [*_recorded(settings), *_simulated()]
    planned = []
    for number, (log, person) in enumerate(zip(logs, cast, strict=False)):
        began = _moment(dice, now, number)
        if any(isinstance(fact, HumanRequested) for _, fact in log):
            began = still_waiting(began, now)
        planned.append(
            Planned(f"{MARK}{number:04d}", person, began, _as(log, person, f"{MARK}{number:04d}", "inbound"))
        )
    for number, person in enumerate(cast[len(logs) : len(logs) + 24], start=len(logs)):
        sid = f"{MARK}{number:04d}"
        log = _message_left() if dice.random() < 0.6 else _nobody()
        planned.append(Planned(sid, person, _moment(dice, now, number), _as(log, person, sid, "outbound"), "outbound"))
    return sorted(planned, key=lambda one: one.began)


def _moment(dice: random.Random, now: datetime, number: int) -> datetime:
    """In working hours; the recorded ones and a good part of the others on the last day that had some, before now."""
    if number < 3 or dice.random() < LAST_DAY_SHARE:
        opened, closed = last_day(now)
        return opened + dice.random() * (closed - opened)
    day = now - timedelta(days=dice.randrange(1, DAYS))
    return day.replace(hour=dice.randrange(_OPEN, _CLOSE), minute=dice.randrange(60), second=dice.randrange(60))


def still_waiting(began: datetime, now: datetime) -> datetime:
    """Of the last day's calls, who asked for a person did so towards its end: their call-back is due, not stale."""
    opened, closed = last_day(now)
    return began if began < opened else closed - (closed - began) / 5


def last_day(now: datetime) -> tuple[datetime, datetime]:
    """Its working hours until now; yesterday's when today's have hardly begun."""
    opened = now.replace(hour=_OPEN, minute=0, second=0, microsecond=0)
    if now < opened + timedelta(hours=2):
        opened -= timedelta(days=1)
    return opened, min(now - timedelta(minutes=4), opened + timedelta(hours=_CLOSE - _OPEN))


def _simulated() -> list[list[tuple[int, Fact]]]:
    with gzip.open(FILE, "rt", encoding="utf-8") as file:
        return [[(at_ms, from_record(kind, body)) for at_ms, kind, body in json.loads(line)] for line in file]  # type: ignore[misc]


def _recorded(settings: Settings) -> list[list[tuple[int, Fact]]]:
    """The callers of the demo, held now, with their sound kept."""
    book = parse(playbooks.text_of(PLAYBOOK), PLAYBOOK)
    business = Business(book, Intents.load(book, settings.data_dir), OfflineTextToSpeech(), datetime.now(UTC).date())
    found = []
    cast: list[Caller] = [one for one in callers(3) if isinstance(one.person(), ReactivePersona)]
    for number, caller in enumerate(cast):
        person = caller.person()
        assert isinstance(person, ReactivePersona)
        call = held(business, person, lambda said: said.text)
        call.tape.save(Path(settings.data_dir) / "recordings" / "seed" / f"{MARK}{number:04d}.wav")
        found.append([(entry.at_ms, entry.fact) for entry in call.entries])
    return found


def _message_left() -> list[tuple[int, Fact]]:
    return [
        (0, CallBegan("", "outbound", "", "", PLAYBOOK, 1, "", "", "")),
        (2400, AnsweredBy("voicemail", 0.97, 2400)),
        (9800, AgentSaid(1, 0, _GREETING, "message")),
        (17_600, AgentHeard(1, _GREETING, 7800, 7800, complete=True)),
        (18_100, CallEnded("message_left")),
    ]


def _nobody() -> list[tuple[int, Fact]]:
    return [
        (0, CallBegan("", "outbound", "", "", PLAYBOOK, 1, "", "", "")),
        (3100, AnsweredBy("unavailable", 0.9, 3100)),
        (3400, CallEnded("unavailable")),
    ]


def _as(log: Sequence[tuple[int, Fact]], person: Person, sid: str, direction: str) -> tuple[Entry, ...]:
    """The same call, had by this person."""
    ends = (person.phone, NUMBER) if direction == "inbound" else (NUMBER, person.phone)
    facts: list[tuple[int, Fact]] = []
    for at_ms, fact in log:
        if isinstance(fact, CallBegan):
            fact = CallBegan(sid, direction, *ends, PLAYBOOK, 1, "offline", "playbook", "offline")
        facts.append((at_ms, fact))
    return tuple(Entry(seq, at_ms, fact) for seq, (at_ms, fact) in enumerate(facts, start=1))


def _leads(db: Connection, cast: Sequence[Person], now: datetime) -> None:
    dice = random.Random(SEED + 1)
    for person in cast:
        leads.find_or_create(db, person.phone, person.source, person.name)
        if person.source == "web_form" or dice.random() < 0.4:
            given = now - timedelta(days=dice.randrange(1, 60))
            consents.give(db, NewConsent(person.phone, "marketing", "written", WORDING, "web form", given, "form"))


def _write(db: Connection, one: Planned, version: int) -> None:
    ends = (one.person.phone, NUMBER) if one.direction == "inbound" else (NUMBER, one.person.phone)
    lead = leads.by_phone(db, one.person.phone)
    row = calls.ring(
        db,
        NewCall(one.sid, one.direction, *ends, PLAYBOOK, version, lead.id if lead else None, status="in-progress"),
    )
    calls.set_status(db, one.sid, "completed", 1, one.ended)
    finish.finish_call(db, row, one.entries)
    # Whoever phoned a week ago is not written to today because of it.
    db.execute("update outbox set done_at = now() where kind = 'followup' and key = %s", (one.sid,))


def _set_back(url: str, workspace_id: UUID, planned: Sequence[Planned]) -> None:
    """As the owner of an embedded database: append-only tables take no change from anybody else."""
    dice = random.Random(SEED + 2)
    with psycopg.connect(url) as db:
        db.execute("set local session_replication_role = replica")
        for one in planned:
            for statement in _CLOCKS:
                db.execute(statement, {"sid": one.sid, "began": one.began, "ended": one.ended})
        for person in people(LEADS, SEED):
            db.execute(_TAGS, (list(person.tags), dice.randrange(6, 500), workspace_id, person.phone))
        db.execute(_MESSAGES, (workspace_id,))
        owner = db.execute("select user_id from members where workspace_id = %s limit 1", (workspace_id,)).fetchone()
        for number, (lead_id, at) in enumerate(db.execute(_BOOKED, (workspace_id,)).fetchall()):
            if owner and number < len(NOTES):
                db.execute(_NOTE, (workspace_id, lead_id, NOTES[number], owner[0], at + timedelta(minutes=20)))
            if at < datetime.now(UTC) - timedelta(days=2):
                db.execute(_RESULT, (workspace_id, lead_id, dice.random() < 0.6, at + timedelta(days=1)))
