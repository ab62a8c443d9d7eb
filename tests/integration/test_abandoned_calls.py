"""C09: a campaign whose calls find nobody on the line counts them, stops, and goes on only when a person says so."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import psycopg
import pytest

from app.dialog.events import CallEnded, CallerVoice, Entry, TurnTimed
from app.errors import Busy
from app.providers.scripted import ScriptedSeats
from app.sales.abandonment import Standing
from app.store import abandonment, call_events, calls, campaigns
from app.store.connect import Database
from workers.campaigns import Dialler
from workers.notices import Watch

from .test_campaigns import NOW, Carrier, carrier, launched, listed  # noqa: F401 - fixtures

pytestmark = pytest.mark.integration


class Line:
    """Tells of the calls what the carrier and a conversation would."""

    def __init__(self, database: Database, workspace: UUID, url: str) -> None:
        self._database, self._workspace, self._url = database, workspace, url

    def sql(self, query: str, *values: object) -> list[tuple[object, ...]]:
        with psycopg.connect(self._url, autocommit=True) as db:
            cursor = db.execute(query.encode(), values)
            return cursor.fetchall() if cursor.description else []

    def ends(self, number: int, lasted_s: int, status: str = "completed") -> None:
        self.sql(
            "update calls set status = %s, answered_at = now() - make_interval(secs => %s), ended_at = now() "
            "where call_sid = %s",
            status,
            lasted_s,
            f"CA{number:032d}",
        )

    def converses(self, number: int, first_ms: int = 600) -> None:
        said = [CallerVoice(100, 500), TurnTimed(0, 0, 0, None, 0, 0, first_ms, first_ms), CallEnded("finished")]
        with self._database.worker(self._workspace) as db:
            call = calls.get(db, f"CA{number:032d}")
            assert call is not None
            call_events.append(db, call.id, [Entry(seq, first_ms, fact) for seq, fact in enumerate(said, start=1)])
        self.ends(number, 60)
        self.sql("update calls set ended_at = now() - interval '2 minutes' where call_sid = %s", f"CA{number:032d}")

    def standing(self, campaign: UUID) -> Standing:
        with self._database.worker(self._workspace) as db:
            return abandonment.standing(db, campaign)


@pytest.fixture
def line(database: Database, workspace: UUID, postgres_url: str) -> Line:
    return Line(database, workspace, postgres_url)


class Dead(ScriptedSeats):
    """A service that kept its seats and is gone when people answer; who dials next finds none."""

    dead = False

    def keep(self, attempt: UUID) -> None:
        if self.dead:
            raise Busy("no answer")
        super().keep(attempt)


def state_of(database: Database, workspace: UUID, campaign: UUID) -> campaigns.Campaign:
    with database.worker(workspace) as db:
        found = campaigns.one(db, campaign)
    assert found is not None
    return found


def test_C09_capacity_that_dies_during_dialling_moves_the_counter_and_stops_the_campaign(
    database: Database, workspace: UUID, postgres_url: str, carrier: Carrier, listed: list[UUID], line: Line  # noqa: F811
) -> None:  # fmt: skip
    campaign = launched(database, workspace, postgres_url, listed)
    seats = Dead()
    dialler = Dialler(database, carrier, seats)
    for second in range(3):
        dialler.run(NOW + timedelta(seconds=second))
    line.converses(1)
    seats.dead = True
    dialler.run(NOW + timedelta(seconds=3))
    assert line.standing(campaign) == Standing(1, 0, 0)
    line.ends(2, 8)  # answered, and nobody was there
    dialler.run(NOW + timedelta(seconds=4))
    assert line.standing(campaign) == Standing(2, 1, 1)
    assert state_of(database, workspace, campaign).state == "running"  # one alone is no share yet
    line.ends(3, 5)
    seats.dead = False
    dialler.run(NOW + timedelta(seconds=30))
    found = state_of(database, workspace, campaign)
    assert (found.state, found.answered_30_days, found.abandoned_30_days) == ("paused", 3, 2)
    assert "C09: 2 of 3" in (found.stopped_why or "")
    assert len(carrier.dialled) == 3
    dialler.run(NOW + timedelta(seconds=60))
    assert len(carrier.dialled) == 3
    assert line.sql("select actor, detail ->> 'abandoned' from audit_log where action = 'campaign.stop'") == [
        ("dialler", "2")
    ]


def test_C09_people_are_told_once_that_it_stopped(
    database: Database, workspace: UUID, postgres_url: str, carrier: Carrier, listed: list[UUID], line: Line  # noqa: F811
) -> None:  # fmt: skip
    campaign = launched(database, workspace, postgres_url, listed)
    dialler = Dialler(database, carrier, ScriptedSeats())
    for second in range(2):
        dialler.run(NOW + timedelta(seconds=second))
    for number in (1, 2):
        line.ends(number, 8)
    dialler.judge()
    watch = Watch(database, lambda: ())
    assert (watch.rest(), watch.rest()) == (1, 0)
    assert line.sql("select kind, about from notifications") == [
        ("campaign_stopped", {"campaign": "Spring", "campaign_id": str(campaign), "abandoned": "2", "answered": "2"})
    ]


def test_C09_no_process_lets_it_go_on_and_what_a_person_accepted_does_not_stop_it_again(
    database: Database, workspace: UUID, postgres_url: str, carrier: Carrier, listed: list[UUID], line: Line  # noqa: F811
) -> None:  # fmt: skip
    campaign = launched(database, workspace, postgres_url, listed, calls_per_minute=60)
    dialler = Dialler(database, carrier, ScriptedSeats())
    for second in range(2):
        dialler.run(NOW + timedelta(seconds=second))
    for number in (1, 2):
        line.ends(number, 8)
    dialler.judge()
    for query in (
        "update campaigns set state = 'running', stopped_at = null, stopped_why = null",
        "update campaigns set stopped_at = null, stopped_why = null",
    ):
        with pytest.raises(Exception, match="when a person says so"), database.worker(workspace) as db:
            db.execute(query)
    line.sql(  # as `resume` does for a manager
        "update campaigns set state = 'running', stopped_at = null, stopped_why = null, let_go_on_at = now()"
    )
    dialler.run(NOW + timedelta(seconds=10))
    assert (len(carrier.dialled), state_of(database, workspace, campaign).state) == (3, "running")
    line.ends(3, 8)
    dialler.run(NOW + timedelta(seconds=20))
    assert (len(carrier.dialled), state_of(database, workspace, campaign).state) == (3, "paused")


def test_C09_a_late_first_word_counts_and_a_month_later_it_does_not(
    database: Database, workspace: UUID, postgres_url: str, carrier: Carrier, listed: list[UUID], line: Line  # noqa: F811
) -> None:  # fmt: skip
    campaign = launched(database, workspace, postgres_url, listed)
    dialler = Dialler(database, carrier, ScriptedSeats())
    for second in range(2):
        dialler.run(NOW + timedelta(seconds=second))
    line.converses(1, first_ms=2501)
    line.converses(2, first_ms=2500)
    dialler.judge()
    assert line.standing(campaign) == Standing(2, 1, 1)
    assert line.sql("select answer, wait_ms from campaign_leads where judged_at is not null order by wait_ms") == [
        ("connected", 2000),
        ("abandoned", 2001),
    ]
    line.sql("update campaign_leads set answered_at = now() - interval '30 days' where wait_ms = 2001")
    assert line.standing(campaign) == Standing(1, 0, 0)


def test_C09_a_call_that_goes_on_is_not_judged_and_one_nobody_reported_on_is(
    database: Database, workspace: UUID, postgres_url: str, carrier: Carrier, listed: list[UUID], line: Line  # noqa: F811
) -> None:  # fmt: skip
    campaign = launched(database, workspace, postgres_url, listed)
    dialler = Dialler(database, carrier, ScriptedSeats())
    for second in range(2):
        dialler.run(NOW + timedelta(seconds=second))
    with database.worker(workspace) as db:
        call = calls.get(db, f"CA{1:032d}")
        assert call is not None
        call_events.append(db, call.id, [Entry(1, 100, CallerVoice(0, 100))])
    assert dialler.judge() == 0
    line.sql("update calls set created_at = now() - interval '11 minutes'")
    assert dialler.judge() == 1
    assert line.standing(campaign) == Standing(1, 1, 1)


def test_C09_the_share_that_rises_as_good_calls_grow_old_stops_it_before_the_next_dial(
    database: Database, workspace: UUID, postgres_url: str, carrier: Carrier, listed: list[UUID], line: Line  # noqa: F811
) -> None:  # fmt: skip
    campaign = launched(database, workspace, postgres_url, listed)
    line.sql(
        "with l as (insert into leads (workspace_id, phone, source) select %s, '+1202555' || n, 'web_form' "
        "from generate_series(2001, 2102) n returning id, phone) "
        "insert into campaign_leads (workspace_id, campaign_id, lead_id, position, state, answer, answered_at, "
        "judged_at) select %s, %s, id, 99, 'called', "
        "case when phone < '+12025552003' then 'abandoned' else 'connected' end, "
        "now() - interval '29 days', now() from l",
        workspace,
        workspace,
        campaign,
    )
    dialler = Dialler(database, carrier, ScriptedSeats())
    assert line.standing(campaign) == Standing(102, 2, 2)
    assert dialler.run(NOW) == 1
    line.sql(
        "update campaign_leads l set answered_at = now() - interval '31 days' from leads p "
        "where p.id = l.lead_id and p.phone between '+12025552099' and '+12025552102'"
    )
    assert dialler.run(NOW + timedelta(seconds=10)) == 0
    found = state_of(database, workspace, campaign)
    assert (found.state, found.answered_30_days, found.abandoned_30_days) == ("paused", 98, 2)
