"""Campaigns: paced, one dial at a time, each through the gate; two beats never dial the same person."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from uuid import UUID

import psycopg
import pytest

from app.dialog.reception import NO_WISH, MachineWish
from app.errors import Conflict
from app.providers.scripted import ScriptedSeats
from app.sales.campaign import Deed, State, after
from app.store import campaigns, consents, leads
from app.store.campaigns import Listed, NewCampaign
from app.store.connect import Database
from app.store.consents import NewConsent
from workers.campaigns import Dialler

pytestmark = pytest.mark.integration

NOW = datetime.now(UTC).replace(hour=18, minute=0, second=0, microsecond=0)  # the afternoon in New York, any day
WORDING = "Northlight Solar may call me with automated voices."


class Carrier:
    """Says yes to everything, and remembers whom it was asked to call."""

    def __init__(self) -> None:
        self.dialled: list[str] = []
        self._lock = threading.Lock()

    def place(self, *, to: str, sender: str, reference: str) -> str:
        with self._lock:
            self.dialled.append(to)
            return f"CA{len(self.dialled):032d}"

    def hang_up(self, call_sid: str) -> None: ...


@pytest.fixture
def carrier() -> Carrier:
    return Carrier()


@pytest.fixture
def listed(database: Database, workspace: UUID, monkeypatch: pytest.MonkeyPatch) -> list[UUID]:
    """Five leads who agreed to be called."""
    monkeypatch.setattr("app.calling._clock_holds", lambda db, now: True)  # the tests' clock stands still
    made = []
    with database.worker(workspace) as db:
        for last in range(11, 16):
            phone = f"+120255501{last}"
            made.append(leads.find_or_create(db, phone, "web_form").id)
            given = NOW - timedelta(days=3)
            consents.give(db, NewConsent(phone, "marketing", "written", WORDING, "form", given, "form"))
    return made


def launched(database: Database, workspace: UUID, url: str, people: list[UUID], **settings: int) -> UUID:
    """As a manager would, by the database's owner: members have no session here."""
    with psycopg.connect(url, autocommit=True) as db:
        row = db.execute(
            "insert into campaigns (workspace_id, name, playbook, state, created_by, calls_per_minute, at_once, "
            "most_calls, next_dial_at) values (%s, 'Spring', 'northlight_solar', 'running', 'test', %s, %s, %s, %s) "
            "returning id",
            (
                workspace,
                settings.get("calls_per_minute", 60),
                settings.get("at_once", 10),
                settings.get("most_calls", 100),
                NOW,
            ),
        ).fetchone()
        assert row is not None
        for position, lead in enumerate(people, start=1):
            db.execute(
                "insert into campaign_leads (workspace_id, campaign_id, lead_id, position) values (%s, %s, %s, %s)",
                (workspace, row[0], lead, position),
            )
    return UUID(str(row[0]))


def run_for(dialler: Dialler, seconds: int) -> list[int]:
    """How many phones rang in each second."""
    return [dialler.run(NOW + timedelta(seconds=second)) for second in range(seconds)]


def test_the_list_is_called_in_its_order_at_its_pace_and_then_the_campaign_ends(
    database: Database, workspace: UUID, postgres_url: str, carrier: Carrier, listed: list[UUID]
) -> None:
    campaign = launched(database, workspace, postgres_url, listed, calls_per_minute=6)
    rang = run_for(Dialler(database, carrier, ScriptedSeats()), 61)
    assert [second for second, calls in enumerate(rang) if calls] == [0, 10, 20, 30, 40]
    assert carrier.dialled == [f"+120255501{last}" for last in range(11, 16)]
    with database.worker(workspace) as db:
        found = campaigns.one(db, campaign)
    assert found is not None
    assert (found.state, found.dialled, found.waiting) == ("ended", 5, 0)


def test_C09_no_more_phones_ring_than_there_are_seats_for(
    database: Database, workspace: UUID, postgres_url: str, carrier: Carrier, listed: list[UUID]
) -> None:
    launched(database, workspace, postgres_url, listed, at_once=2)
    run_for(Dialler(database, carrier, ScriptedSeats()), 10)
    assert len(carrier.dialled) == 2
    with psycopg.connect(postgres_url, autocommit=True) as db:
        db.execute("update calls set ended_at = now() where call_sid = %s", (f"CA{1:032d}",))
    run_for(Dialler(database, carrier, ScriptedSeats()), 30)
    assert len(carrier.dialled) == 3


def test_C09_without_a_seat_at_the_service_nobody_is_dialled_and_nobody_is_lost(
    database: Database, workspace: UUID, postgres_url: str, carrier: Carrier, listed: list[UUID]
) -> None:
    campaign = launched(database, workspace, postgres_url, listed)
    seats = ScriptedSeats(2)
    dialler = Dialler(database, carrier, seats)
    run_for(dialler, 10)
    assert len(carrier.dialled) == 2
    with database.worker(workspace) as db:
        found = campaigns.one(db, campaign)
    assert found is not None
    assert (found.state, found.waiting) == ("running", 3)
    seats.free(seats.kept[0])
    dialler.run(NOW + timedelta(seconds=30))
    assert len(carrier.dialled) == 3


def test_C06_whoever_must_be_left_alone_is_refused_with_the_rule_and_the_others_are_called(
    database: Database, workspace: UUID, postgres_url: str, carrier: Carrier, listed: list[UUID]
) -> None:
    from app.store import suppressions

    with database.worker(workspace) as db:
        suppressions.add(db, "+12025550112", "all", "asked", "stop")
    campaign = launched(database, workspace, postgres_url, listed)
    run_for(Dialler(database, carrier, ScriptedSeats()), 10)
    assert "+12025550112" not in carrier.dialled
    assert len(carrier.dialled) == 4
    with database.worker(workspace) as db:
        found = campaigns.one(db, campaign)
        why = db.execute("select why from campaign_leads where state = 'refused'").fetchall()
    assert found is not None
    assert found.refused == 1
    assert "C06" in why[0]["why"] or "asked" in why[0]["why"]


def test_outside_calling_hours_nobody_is_called_and_nobody_is_lost(
    database: Database, workspace: UUID, postgres_url: str, carrier: Carrier, listed: list[UUID]
) -> None:
    campaign = launched(database, workspace, postgres_url, listed)
    night = NOW.replace(hour=6)  # one or two in the morning there
    with psycopg.connect(postgres_url, autocommit=True) as db:
        db.execute("update campaigns set next_dial_at = %s", (night,))
    dialler = Dialler(database, carrier, ScriptedSeats())
    for second in range(8):
        dialler.run(night + timedelta(seconds=second))
    assert carrier.dialled == []
    with database.worker(workspace) as db:
        found = campaigns.one(db, campaign)
    assert found is not None
    assert (found.state, found.waiting) == ("running", 5)
    with psycopg.connect(postgres_url, autocommit=True) as db:
        db.execute("update campaigns set next_dial_at = %s", (NOW,))
    run_for(dialler, 10)
    assert len(carrier.dialled) == 5


def test_two_beats_at_once_never_call_the_same_person_twice(
    database: Database, workspace: UUID, postgres_url: str, carrier: Carrier, listed: list[UUID]
) -> None:
    launched(database, workspace, postgres_url, listed)
    beats = [Dialler(database, carrier, ScriptedSeats()) for _ in range(4)]
    for second in range(8):
        threads = [threading.Thread(target=beat.run, args=(NOW + timedelta(seconds=second),)) for beat in beats]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert sorted(carrier.dialled) == [f"+120255501{last}" for last in range(11, 16)]


def test_a_turn_that_nobody_settled_is_not_dialled_again(
    database: Database, workspace: UUID, postgres_url: str, carrier: Carrier, listed: list[UUID]
) -> None:
    campaign = launched(database, workspace, postgres_url, listed[:1])
    with database.worker(workspace) as db:
        assert campaigns.turn(db, campaign, NOW) is not None  # and the process dies here
    later = NOW + timedelta(minutes=6)
    dialler = Dialler(database, carrier, ScriptedSeats())
    dialler.run(later)
    dialler.run(later + timedelta(seconds=2))
    assert carrier.dialled == []
    with database.worker(workspace) as db:
        found = campaigns.one(db, campaign)
    assert found is not None
    assert found.state == "ended"


def test_a_campaign_that_is_over_cannot_be_asked_to_go_on() -> None:
    assert after(State.DRAFT, Deed.LAUNCH) is State.RUNNING
    with pytest.raises(Conflict, match="ended"):
        after(State.ENDED, Deed.RESUME)
    assert Listed(UUID(int=1)).refused is False
    assert NewCampaign("a", "b").at_once == 2


def test_what_a_campaign_wants_of_machines_holds_for_its_own_calls(
    database: Database, workspace: UUID, postgres_url: str, carrier: Carrier, listed: list[UUID]
) -> None:
    campaign = launched(database, workspace, postgres_url, listed[:1])
    with psycopg.connect(postgres_url, autocommit=True) as db:
        db.execute("update campaigns set voicemail = 'leave_message' where id = %s", (campaign,))
    run_for(Dialler(database, carrier, ScriptedSeats()), 1)
    with database.worker(workspace) as db:
        ours, strange = (campaigns.machine_wish(db, sid) for sid in (f"CA{1:032d}", f"CA{2:032d}"))
    assert ours == MachineWish("leave_message")
    assert strange == NO_WISH


def test_a_menu_without_a_key_to_press_cannot_be_kept(workspace: UUID, postgres_url: str) -> None:
    with psycopg.connect(postgres_url) as db, pytest.raises(psycopg.errors.CheckViolation):
        db.execute(
            "insert into campaigns (workspace_id, name, playbook, created_by, menu) "
            "values (%s, 'a', 'b', 't', 'press_key')",
            (workspace,),
        )
