"""Calls, their tokens and callbacks, and their log."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from uuid import UUID

import psycopg
import pytest

from app.dialog.events import CallEnded, CallerSaid, Entry, FactLearned, Unknown
from app.dialog.transcript import Line
from app.errors import Conflict
from app.store import call_events, calls, leads, turns
from app.store.calls import CallRow, NewCall
from app.store.connect import Database

pytestmark = pytest.mark.integration

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
RINGING = NewCall("CA1", "inbound", "+12025550110", "+12025550100", "northlight_solar", 1)
HASH = "ab" * 32


@pytest.fixture
def call(database: Database, workspace: UUID) -> CallRow:
    with database.worker(workspace) as db:
        return calls.ring(db, RINGING)


def test_F15_a_webhook_sent_again_finds_the_same_call(database: Database, workspace: UUID, call: CallRow) -> None:
    with database.worker(workspace) as db:
        assert calls.ring(db, RINGING) == call
        assert calls.get(db, "CA1") == call
        assert calls.get(db, "CA2") is None


def test_T12_a_call_sid_of_another_workspace_is_refused(
    database: Database, workspace: UUID, call: CallRow, postgres_url: str
) -> None:
    other = UUID(int=7)
    with psycopg.connect(postgres_url, autocommit=True) as owner:
        owner.execute("insert into workspaces (id, name) values (%s, 'Other')", (other,))
    with pytest.raises(Conflict, match="another workspace"), database.worker(other) as db:
        calls.ring(db, RINGING)


@pytest.mark.parametrize(
    ("direction", "person", "phone", "business"),
    [("inbound", "anonymous", None, "+12025550100"), ("outbound", "+12025550100", "+12025550100", "anonymous")],
)
def test_whose_number_is_whose(
    database: Database, workspace: UUID, direction: str, person: str, phone: str | None, business: str
) -> None:
    new = NewCall("CA1", direction, "anonymous", "+12025550100", "northlight_solar", 1)
    with database.worker(workspace) as db:
        row = calls.ring(db, new)
    assert (row.person, row.phone, row.business) == (person, phone, business)


def test_T02_a_token_admits_once_and_for_a_minute_at_most(database: Database, workspace: UUID, call: CallRow) -> None:
    now = datetime.now(UTC)
    with database.worker(workspace) as db:
        assert calls.issue_token(db, call.id, HASH, now + timedelta(hours=1))
        assert not calls.issue_token(db, call.id, HASH, now + timedelta(seconds=30))
    with database.system() as db:
        assert calls.redeem_token(db, HASH, now + timedelta(seconds=61)) is None
        assert calls.redeem_token(db, "cd" * 32, now) is None
        assert calls.redeem_token(db, HASH, now) == call
        assert calls.redeem_token(db, HASH, now) is None


def test_T02_of_many_sockets_with_one_token_one_gets_in(database: Database, workspace: UUID, call: CallRow) -> None:
    now = datetime.now(UTC)
    with database.worker(workspace) as db:
        calls.issue_token(db, call.id, HASH, now + timedelta(seconds=30))

    def knock(_: int) -> bool:
        with database.system() as db:
            return calls.redeem_token(db, HASH, now) is not None

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(knock, range(20))) == 1


STATUSES = ["initiated", "ringing", "in-progress", "completed"]


@pytest.mark.parametrize("seed", range(5))
def test_F14_the_status_never_moves_backwards(database: Database, workspace: UUID, call: CallRow, seed: int) -> None:
    order = STATUSES * 3
    random.Random(seed).shuffle(order)
    furthest = "ringing"
    with database.worker(workspace) as db:
        for sequence, status in enumerate(order):
            further = [*STATUSES].index(status) > STATUSES.index(furthest)
            assert calls.set_status(db, "CA1", status, sequence, NOW) is further
            furthest = status if further else furthest
        row = calls.get(db, "CA1")
    assert row is not None
    assert (row.status, row.ended_at) == ("completed", NOW)


def test_T03_a_callback_counts_once(database: Database, workspace: UUID, call: CallRow) -> None:
    with database.worker(workspace) as db:
        assert calls.note_carrier_event(db, "CA1", "status:1", {"CallStatus": "ringing"})
        assert not calls.note_carrier_event(db, "CA1", "status:1", {"CallStatus": "completed"})
        assert not calls.note_carrier_event(db, "CA unknown", "status:1", {})


def test_what_has_no_outcome_is_found_once_it_ended_or_went_quiet(
    database: Database, workspace: UUID, call: CallRow
) -> None:
    def found(older_than: datetime) -> bool:
        with database.system() as db:
            return (workspace, "CA1") in calls.finished_without_outcome(db, older_than)

    now = datetime.now(UTC)
    assert not found(now + timedelta(minutes=30)), "it may still be going on"
    assert found(now + calls.FORGOTTEN_AFTER + timedelta(minutes=1)), "nobody has heard of it for an hour"
    with database.worker(workspace) as db:
        call_events.append(db, call.id, [Entry(1, 0, CallEnded("finished"))])
        calls.end(db, "CA1", "finished", now)
    assert not found(now)
    assert found(now + timedelta(seconds=1))


def test_entries_are_read_as_they_were_written_and_never_overwritten(
    database: Database, workspace: UUID, call: CallRow
) -> None:
    said = CallerSaid(1, "a roof of tiles \x00 and \U0001f600", 0.9, 10, 20, "offline")
    first = [Entry(1, 0, said), Entry(2, 5, FactLearned("roof", "tile", "tiles"))]
    with database.worker(workspace) as db:
        assert call_events.last_seq(db, "CA1") == 0
        assert call_events.append(db, call.id, first) == {1, 2}
        assert call_events.append(
            db, call.id, [Entry(2, 9, CallEnded("error")), Entry(3, 9, CallEnded("finished"))]
        ) == {3}
        read = call_events.read(db, "CA1")
        assert [entry.seq for entry in read] == [1, 2, 3]
        assert read[1] == first[1]
        assert isinstance(read[0].fact, CallerSaid)
        assert read[0].fact.text == "a roof of tiles  and \U0001f600"
        assert call_events.read(db, "CA1", after_seq=2) == read[2:]
        assert call_events.last_seq(db, "CA1") == 3


def test_a_fact_of_a_newer_version_is_kept(
    database: Database, workspace: UUID, call: CallRow, postgres_url: str
) -> None:
    with psycopg.connect(postgres_url, autocommit=True) as owner:
        owner.execute(
            "insert into call_events values (%s, %s, 1, 0, 'Sang', '{\"song\": \"x\"}')", (workspace, call.id)
        )
    with database.worker(workspace) as db:
        assert call_events.read(db, "CA1")[0].fact == Unknown("Sang", {"song": "x"})  # type: ignore[comparison-overlap]


def test_a_transcript_is_replaced_as_a_whole(database: Database, workspace: UUID, call: CallRow) -> None:
    lines = (
        Line("agent", 0, 0, "Hello, this is", meant="Hello, this is Northlight.", complete=False),
        Line("caller", 1, 900, "1", keyed=True),
    )
    with database.worker(workspace) as db:
        turns.replace_turns(db, call.id, lines * 2)
        turns.replace_turns(db, call.id, lines)
        assert turns.read(db, "CA1") == lines
        turns.replace_turns(db, call.id, ())
        assert turns.read(db, "CA1") == ()


def test_a_lead_is_one_per_number_and_learns(database: Database, workspace: UUID) -> None:
    with database.worker(workspace) as db:
        lead = leads.find_or_create(db, "+12025550110", "inbound_call")
        assert leads.find_or_create(db, "+12025550110", "import", "Ada") == lead
        leads.learn(db, lead.id, {"roof": "tile", "name": "Ada"})
        leads.learn(db, lead.id, {"roof": "slate"})
        learned = leads.by_phone(db, "+12025550110")
        assert learned is not None
        assert (learned.name, learned.facts) == ("Ada", {"roof": "slate", "name": "Ada"})


def test_each_caller_without_a_number_is_a_lead_of_their_own(database: Database, workspace: UUID) -> None:
    with database.worker(workspace) as db:
        first, second = (leads.find_or_create(db, "", "inbound_call") for _ in range(2))
    assert first.id != second.id
    assert first.phone == ""
