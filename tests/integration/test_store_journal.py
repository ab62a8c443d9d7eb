"""From the audio path into the database, through outages, and the end of a call."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from uuid import UUID

import psycopg
import pytest

from app.dialog.events import (
    AgentHeard,
    AgentSaid,
    AppointmentRequested,
    CallBegan,
    CallEnded,
    CallerSaid,
    ConsentGiven,
    Entry,
    Fact,
    FactLearned,
    FollowUpPromised,
    OptedOut,
    RecordingRefused,
)
from app.errors import StoreError
from app.sales.outcome import Result
from app.store import call_events, calls, consents, leads, outbox, outcomes, suppressions, turns
from app.store.calls import CallRow, NewCall
from app.store.connect import Database
from app.store.finish import finish_call
from app.store.journal import EventWriter, StoreJournal

pytestmark = pytest.mark.integration

ADA = "+12025550110"


def log(*facts: Fact) -> list[Entry]:
    return [Entry(seq, seq * 100, fact) for seq, fact in enumerate(facts, start=1)]


@pytest.fixture
def call(database: Database, workspace: UUID) -> CallRow:
    return ring(database, workspace, "CA1")


def ring(database: Database, workspace: UUID, sid: str, caller: str = ADA) -> CallRow:
    with database.worker(workspace) as db:
        return calls.ring(db, NewCall(sid, "inbound", caller, "+12025550100", "northlight_solar", 1))


@pytest.fixture
def writer(database: Database) -> Iterator[EventWriter]:
    running = EventWriter(database, pause_s=0.01, retry_s=0.01)
    running.start()
    yield running
    running.stop()


@pytest.fixture
def outage(postgres_server: str, postgres_url: str) -> Callable[[], AbstractContextManager[None]]:
    """The database refuses everybody for a while."""
    name = postgres_url.rpartition("/")[2]

    @contextmanager
    def away() -> Iterator[None]:
        with psycopg.connect(postgres_server, autocommit=True) as server:
            server.execute(f'alter database "{name}" with allow_connections false')
            server.execute("select pg_terminate_backend(pid, 5000) from pg_stat_activity where datname = %s", (name,))
            yield
            server.execute(f'alter database "{name}" with allow_connections true')

    return away


def entries_of(database: Database, call: CallRow) -> list[int]:
    with database.worker(call.workspace_id) as db:
        return [entry.seq for entry in call_events.read(db, call.call_sid)]


def test_what_was_recorded_is_durable_once_settled(database: Database, call: CallRow, writer: EventWriter) -> None:
    async def talk() -> None:
        journal = StoreJournal(writer, call)
        for seq in range(1, 301):
            journal.record(Entry(seq, seq, CallerSaid(seq, "yes", 1, 0, 0, "scripted")))
        await journal.settle()

    asyncio.run(talk())
    assert entries_of(database, call) == list(range(1, 301))


def test_P7_an_opt_out_is_on_the_list_when_the_commit_returns(
    database: Database, call: CallRow, writer: EventWriter
) -> None:
    async def talk() -> None:
        journal = StoreJournal(writer, call)
        await journal.commit(Entry(1, 0, ConsentGiven("whatsapp", "May we write to you?")))
        await journal.commit(Entry(2, 10, OptedOut("take me off your list")))

    asyncio.run(talk())
    with database.worker(call.workspace_id) as db:
        assert suppressions.is_suppressed(db, ADA)
        assert consents.current(db, ADA, "whatsapp") is None, "an opt-out takes back what was given before"


def test_C20_a_refusal_takes_the_recording_consent_back_and_no_other(
    database: Database, call: CallRow, writer: EventWriter
) -> None:
    async def talk() -> None:
        journal = StoreJournal(writer, call)
        await journal.commit(Entry(1, 0, ConsentGiven("whatsapp", "May we write to you?")))
        await journal.commit(Entry(2, 0, ConsentGiven("recording", "This call is recorded.")))
        await journal.commit(Entry(3, 0, RecordingRefused("do not record me")))

    asyncio.run(talk())
    with database.worker(call.workspace_id) as db:
        assert consents.current(db, ADA, "whatsapp") is not None
        assert consents.current(db, ADA, "recording") is None


def test_F05_an_outage_delays_the_log_and_loses_nothing(
    database: Database, call: CallRow, writer: EventWriter, outage: Callable[[], AbstractContextManager[None]]
) -> None:
    async def talk() -> None:
        journal = StoreJournal(writer, call)
        with outage():
            for seq in range(1, 51):
                journal.record(Entry(seq, 0, FactLearned("roof", "tile", "")))
            promise = asyncio.create_task(journal.commit(Entry(51, 0, OptedOut("stop"))))
            done, _ = await asyncio.wait([promise], timeout=0.2)
            assert not done, "nothing is durable while the database is away"
            assert writer.backlog().waiting >= 51
        await promise

    asyncio.run(talk())
    assert entries_of(database, call) == list(range(1, 52))
    assert writer.backlog() == replace(writer.backlog(), waiting=0, dropped=0, down=False)


def test_memory_is_bounded_while_the_database_is_away_but_promises_always_fit(
    database: Database, call: CallRow, outage: Callable[[], AbstractContextManager[None]]
) -> None:
    writer = EventWriter(database, pause_s=0.01, retry_s=0.01, most=10)
    told: list[StoreError | None] = []
    with outage():
        writer.start()
        for seq in range(1, 31):
            writer.put(call, Entry(seq, 0, FactLearned("roof", "tile", "")))
        writer.put(call, Entry(31, 0, OptedOut("stop")), told.append)
        assert writer.backlog().waiting == 11
        assert writer.backlog().dropped == 20
    assert writer.stop()
    assert told[-1:] == [None]
    assert entries_of(database, call) == [*range(1, 11), 31]


def test_P11_a_call_that_cannot_be_written_does_not_hold_up_another(
    database: Database, workspace: UUID, call: CallRow, writer: EventWriter
) -> None:
    unknown = replace(call, id=UUID(int=1), call_sid="CA unknown")

    async def talk() -> None:
        bad, good = StoreJournal(writer, unknown), StoreJournal(writer, call)
        bad.record(Entry(1, 0, CallEnded("finished")))
        good.record(Entry(1, 0, CallEnded("finished")))
        with pytest.raises(StoreError):
            await bad.commit(Entry(2, 0, OptedOut("stop")))
        await good.settle()

    asyncio.run(talk())
    assert entries_of(database, call) == [1]
    assert writer.backlog().dropped == 2


def test_stopping_writes_what_waits(database: Database, call: CallRow) -> None:
    writer = EventWriter(database, pause_s=60)
    writer.start()
    writer.put(call, Entry(1, 0, CallEnded("finished")))
    assert writer.stop()
    assert entries_of(database, call) == [1]


def test_stopping_while_the_database_is_away_says_that_entries_are_lost(
    database: Database, call: CallRow, outage: Callable[[], AbstractContextManager[None]]
) -> None:
    writer = EventWriter(database, pause_s=0.01, retry_s=0.01)
    with outage():
        writer.start()
        writer.put(call, Entry(1, 0, CallEnded("finished")))
        assert not writer.stop(timeout_s=0.3)


BOOKED = log(
    CallBegan("CA1", "inbound", ADA, "+12025550100", "northlight_solar", 1, "offline", "playbook", "offline"),
    AgentSaid(1, 0, "Hello.", "greeting"),
    AgentHeard(1, "Hello.", 500, 500, True),
    CallerSaid(1, "I have a tile roof", 0.9, 600, 900, "offline"),
    FactLearned("roof", "tile", "a tile roof"),
    AppointmentRequested("2026-11-24T10:00", "tuesday at ten"),
    ConsentGiven("whatsapp", "May we write to you?"),
    FollowUpPromised("booked"),
    CallEnded("finished"),
)


def finish(database: Database, call: CallRow, entries: list[Entry]) -> bool:
    with database.worker(call.workspace_id) as db:
        return finish_call(db, call, entries)


def jobs(database: Database) -> set[tuple[str, str]]:
    with database.system() as db:
        return {(job.kind, job.key) for job in outbox.take(db)}


def test_P3_the_end_of_a_call_is_written_once_and_whole(database: Database, call: CallRow) -> None:
    assert finish(database, call, BOOKED)
    assert not finish(database, call, BOOKED[:3]), "the reconciler came later, with less"
    with database.worker(call.workspace_id) as db:
        outcome = outcomes.get(db, "CA1")
        assert outcome is not None
        assert (outcome.result, outcome.facts, outcome.follow_up) == (Result.BOOKED, {"roof": "tile"}, "booked")
        assert [entry.seq for entry in call_events.read(db, "CA1")] == list(range(1, len(BOOKED) + 1))
        assert [line.text for line in turns.read(db, "CA1")] == ["Hello.", "I have a tile roof"]
        lead = leads.by_phone(db, ADA)
        assert lead is not None
        assert lead.facts == {"roof": "tile"}
        ended = calls.get(db, "CA1")
        assert ended is not None
        assert (ended.lead_id, ended.end_reason) == (lead.id, "finished")
        assert ended.ended_at is not None
        assert consents.current(db, ADA, "whatsapp") is not None
    assert jobs(database) == {("score", "CA1"), ("followup", "CA1")}


def test_F21_a_log_that_stops_in_the_middle_has_an_outcome_too(database: Database, call: CallRow) -> None:
    assert finish(database, call, BOOKED[:4])
    with database.worker(call.workspace_id) as db:
        outcome = outcomes.get(db, "CA1")
    assert outcome is not None
    assert outcome.reason == "media_lost"


def test_C06_who_opted_out_gets_no_follow_up_and_is_on_the_list(database: Database, call: CallRow) -> None:
    entries = [*BOOKED[:-1], Entry(9, 900, OptedOut("stop")), Entry(10, 1000, CallEnded("opted_out"))]
    assert finish(database, call, entries)
    assert jobs(database) == {("score", "CA1")}
    with database.worker(call.workspace_id) as db:
        assert suppressions.is_suppressed(db, ADA)


def test_a_caller_without_a_number_still_becomes_a_lead(database: Database, workspace: UUID) -> None:
    call = ring(database, workspace, "CA2", caller="anonymous")
    assert finish(database, call, BOOKED)
    with database.worker(workspace) as db:
        ended = calls.get(db, "CA2")
        assert ended is not None
        assert ended.lead_id is not None
        lead = leads.get(db, ended.lead_id)
    assert lead is not None
    assert (lead.phone, lead.facts) == ("", {"roof": "tile"})


def test_a_failure_at_the_end_leaves_nothing_behind(database: Database, call: CallRow, postgres_url: str) -> None:
    with psycopg.connect(postgres_url, autocommit=True) as owner:
        owner.execute("revoke insert on outbox from strowger_worker")
    with pytest.raises(StoreError):
        finish(database, call, BOOKED)
    with database.worker(call.workspace_id) as db:
        assert outcomes.get(db, "CA1") is None
        assert call_events.read(db, "CA1") == ()
