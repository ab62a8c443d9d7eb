"""Finished calls as the service leaves them: the row, the lead, the log and the consent, and no outcome yet."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from importlib import resources
from uuid import UUID, uuid4

import psycopg
from psycopg.rows import dict_row

from app.dialog.events import (
    AgentHeard,
    AgentSaid,
    AppointmentRequested,
    CallBegan,
    CallEnded,
    CallerSaid,
    CallerVoice,
    ConsentGiven,
    Entry,
    Fact,
    FactLearned,
    FollowUpPromised,
    QuestionAnswered,
)
from app.store import call_events, calls, consents, leads, playbooks
from app.store.calls import CallRow, NewCall
from app.store.connect import Connection
from app.store.consents import NewConsent

PLAYBOOK = "northlight_solar"
BUSINESS = "+12025550100"
MESSAGE = "appointment_summary"
SECONDS = 95
_WORDING = "May Northlight Solar send you a WhatsApp message about this, to the number you are calling from?"


def new_workspace(owner_url: str, number: str = BUSINESS) -> UUID:
    """A tenant with this number, which can do WhatsApp, and the playbook that ships with us."""
    text = resources.files("app.playbooks").joinpath(f"{PLAYBOOK}.yaml").read_text(encoding="utf-8")
    workspace = uuid4()
    with psycopg.connect(owner_url, row_factory=dict_row) as db:
        db.execute("insert into workspaces (id, name) values (%s, 'Northlight Solar')", (workspace,))
        db.execute("select set_config('strowger.workspace_id', %s, true)", (str(workspace),))
        db.execute("set local role strowger_worker")  # which sees this tenant's playbooks alone
        playbooks.publish(db, PLAYBOOK, text, by="seed")
        db.execute("reset role")
        insert = "insert into phone_numbers (workspace_id, e164, playbook, whatsapp) values (%s, %s, %s, true)"
        db.execute(insert, (workspace, number, PLAYBOOK))
    return workspace


_AREAS = (202, 212, 303, 312, 404, 415, 503, 617, 702, 713)


def person(place: int) -> str:
    """A number for the caller at this place, of the blocks that are kept for fiction: 555 0110 to 0199 in ten areas."""
    return f"+1{_AREAS[place // 90 % len(_AREAS)]}555{110 + place % 90:04d}"


def call_log(call_sid: str, caller: str, business: str = BUSINESS) -> tuple[Entry, ...]:
    """An interested caller: asks, tells, books a visit and agrees to a message."""
    facts: tuple[tuple[int, Fact], ...] = (
        (0, CallBegan(call_sid, "inbound", caller, business, PLAYBOOK, 1, "scripted", "playbook", "scripted")),
        (300, AgentSaid(1, 0, "Hello, this is Northlight Solar.", "greeting")),
        (4_000, AgentHeard(1, "Hello, this is Northlight Solar.", 3_600, 3_600, True)),
        (7_100, CallerVoice(4_600, 7_000)),
        (7_200, CallerSaid(1, "what does it cost", 0.9, 4_600, 7_000, "scripted")),
        (7_210, QuestionAnswered("price")),
        (16_000, CallerVoice(14_000, 15_900)),
        (16_100, CallerSaid(2, "i own the house", 0.9, 14_000, 15_900, "scripted")),
        (16_110, FactLearned("owner", "yes", "i own the house")),
        (40_000, CallerVoice(38_000, 39_900)),
        (40_100, CallerSaid(3, "tuesday at ten", 0.9, 38_000, 39_900, "scripted")),
        (40_110, AppointmentRequested("2026-11-24T10:00", "tuesday at ten")),
        (60_000, CallerVoice(59_000, 59_600)),
        (60_100, CallerSaid(4, "yes", 0.9, 59_000, 59_600, "scripted")),
        (60_110, ConsentGiven("whatsapp", _WORDING)),
        (60_120, FollowUpPromised(MESSAGE)),
        (SECONDS * 1000, CallEnded("finished")),
    )
    return tuple(Entry(seq, at_ms, fact) for seq, (at_ms, fact) in enumerate(facts, start=1))


def finished_call(db: Connection, call_sid: str, caller: str, business: str = BUSINESS) -> CallRow:
    """Written in the caller's transaction."""
    lead = leads.find_or_create(db, caller, "inbound_call")
    call = calls.ring(db, NewCall(call_sid, "inbound", caller, business, PLAYBOOK, 1, lead_id=lead.id))
    call_events.append(db, call.id, call_log(call_sid, caller, business))
    now = datetime.now(UTC)
    consents.give(
        db,
        NewConsent(
            caller,
            purpose="whatsapp",
            kind="whatsapp",
            wording=_WORDING,
            evidence=f"call {call_sid}",
            given_at=now - timedelta(seconds=SECONDS),
            call_id=call.id,
        ),
    )
    calls.end(db, call_sid, "finished", now)
    return call
