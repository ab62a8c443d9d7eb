"""Scores, outcomes that were missing, opt-outs that were not listed: on a real Postgres."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import psycopg
import pytest

from app.compliance import rules
from app.dialog.events import CallEnded, Entry, OptedOut
from app.errors import ModelRefused
from app.sales import registry
from app.sales.lead import LeadHistory, Score, Tier
from app.sales.reading import Spoken, TurnReading
from app.store import call_events, calls, finish, leads, outbox, outcomes, suppressions, turn_readings
from app.store.calls import CallRow, NewCall
from app.store.connect import Database
from ml.text.sales import reader
from workers import jobs, relay, scoring
from workers import outcomes as settling
from workers.chaos.seed import PLAYBOOK, finished_call
from workers.jobs import Ref
from workers.model import Judge, Judged
from workers.readings import ReadsTurns, SaidTurn, reader_in, said_by_caller
from workers.reconcile import Reconciler
from workers.resources import Resources

if TYPE_CHECKING:
    from tests.integration.conftest import Tenant

pytestmark = pytest.mark.integration

ANN = "+12025550111"


@dataclass
class Sayer:
    """A model that says what it is told, and remembers what it was asked."""

    tier: Tier = Tier.HOT
    version: str = "v1"
    asked: list[LeadHistory] = field(default_factory=list)

    def __call__(self, workspace_id: UUID, entries: tuple[registry.Entry, ...], history: LeadHistory) -> Judged:
        self.asked.append(history)
        reasons = ("owns the house", "asked the price", "wants a visit")
        return Judged(Score(0.7, 0.6, 0.8, self.tier, reasons, self.version))


class Office:
    """One tenant's calls and jobs, and a worker that scores them."""

    def __init__(self, database: Database, tenant: Tenant) -> None:
        self.database, self.workspace, self.number = database, tenant.workspace, tenant.number
        self.judge = Sayer()

    def call(self, *, finished: bool = True) -> CallRow:
        sid = f"CA{uuid4().hex}"
        with self.database.worker(self.workspace) as db:
            call = finished_call(db, sid, ANN, self.number)
            if finished:
                finish.finish_call(db, call, call_events.read(db, sid))
        return call

    def job(self, call: CallRow, kind: str = "score") -> Ref:
        with self.database.worker(self.workspace) as db:
            row = db.execute("select id from outbox where kind = %s and key = %s", (kind, call.call_sid)).fetchone()
        assert row is not None
        return Ref(row["id"], self.workspace, call.call_sid)

    def score(self, call: CallRow, judge: Judge | None = None, read: ReadsTurns | None = None) -> str:
        resources = Resources(
            self.database, None, judge or self.judge, rules.load(), lambda: datetime.now(UTC), read=read
        )
        return jobs.run(scoring.score_call, resources, self.job(call))

    def lead_of(self, call: CallRow) -> Any:
        with self.database.worker(self.workspace) as db:
            assert call.lead_id
            return leads.get(db, call.lead_id)

    def one(self, query: str) -> Any:
        with self.database.worker(self.workspace) as db:
            row = db.execute(query).fetchone()
        assert row is not None
        return next(iter(row.values()))


@pytest.fixture
def office(shared_database: Database, tenant: Tenant) -> Office:
    return Office(shared_database, tenant)


def test_a_call_is_scored_once_per_version_of_the_model(office: Office) -> None:
    call = office.call()
    assert [office.score(call), office.score(call)] == ["scored hot", "not open"]
    reopen(office)
    assert office.score(call) == "was scored before"
    reopen(office)
    office.judge.version = "v2"
    assert office.score(call) == "scored hot"
    assert office.one("select count(*) from scores") == 2
    assert office.lead_of(call).tier is Tier.HOT


def test_the_model_sees_the_lead_and_the_conversation_of_this_call(office: Office) -> None:
    call = office.call()
    office.score(call)
    (history,) = office.judge.asked
    assert history.lead_id == call.lead_id
    assert history.facts["owner"] == "yes"
    assert (history.calls, history.last.commitment, history.last.questions) == (1, True, 1)


def test_what_the_callers_turns_are_about_is_kept_once_and_seen_by_the_model(office: Office) -> None:
    call, asked = office.call(), []

    def read(language: str, turns: Sequence[SaidTurn]) -> tuple[TurnReading, ...]:
        asked.append((language, [turn.text for turn in turns]))
        return tuple(TurnReading(turn.seq, "price", 0.9, 0.8, -0.5, "sales-en-1") for turn in turns)

    assert office.score(call, read=read) == "scored hot"
    reopen(office)
    office.judge.version = "v2"
    assert office.score(call, read=read) == "scored hot"
    ((language, said),) = asked
    assert (language, len(said)) == ("en", office.one("select count(*) from turn_readings"))
    with office.database.worker(office.workspace) as db:
        kept = turn_readings.of_call(db, call.call_sid)
    assert [one.seq for one in kept] == sorted(one.seq for one in kept)
    assert {(one.intent, one.objection, one.model_version) for one in kept} == {("price", 0.8, "sales-en-1")}
    for history in office.judge.asked:
        assert history.last.spoken == Spoken(len(said), len(said), -0.5, 0.0)


def test_the_model_that_ships_reads_a_call(office: Office, made_once: Callable[..., Path]) -> None:
    call = office.call()
    assert office.score(call, read=reader_in(made_once(partial(reader, "en")))) == "scored hot"
    with office.database.worker(office.workspace) as db:
        said = {turn.seq: turn.text for turn in said_by_caller(call_events.read(db, call.call_sid))}
        kept = turn_readings.of_call(db, call.call_sid)
    assert [one.seq for one in kept] == sorted(said)
    assert all(one.model_version.startswith("sales-en-") for one in kept)


def test_a_late_job_for_an_old_call_scores_it_as_it_was_and_leaves_the_tier_alone(office: Office) -> None:
    old, new = office.call(), office.call()
    office.score(new)
    office.judge.tier = Tier.COLD
    assert office.score(old) == "scored cold"
    assert [history.calls for history in office.judge.asked] == [2, 1]
    assert office.lead_of(new).tier is Tier.HOT


def test_F30_a_model_that_is_refused_leaves_the_call_unscored_and_visible(office: Office) -> None:
    call = office.call()

    def refused(workspace_id: UUID, entries: tuple[registry.Entry, ...], history: LeadHistory) -> Judged:
        raise ModelRefused("the model file does not match its hash")

    for _ in range(3):
        with pytest.raises(ModelRefused) as caught:
            office.score(call, refused)
        with office.database.worker(office.workspace) as db:
            outbox.failed(db, office.job(call).id, str(caught.value))
    assert office.score(call) == "not open"
    assert office.one("select count(*) from scores") == 0
    assert "does not match" in office.one("select last_error from outbox where quarantined_at is not null")


def test_a_score_that_cannot_be_kept_leaves_its_job_open(office: Office) -> None:
    """Score, tier and the end of the job are one transaction."""
    call = office.call()
    office.judge.version = ""  # which the table does not take
    with pytest.raises(Exception, match="contradiction"):
        office.score(call)
    assert office.lead_of(call).tier is None
    assert office.one("select count(*) from outbox where kind = 'score' and done_at is null") == 1


def test_F02_an_ended_call_without_outcome_gets_one_and_its_jobs(office: Office) -> None:
    call = office.call(finished=False)
    reconciler = Reconciler(office.database)
    late = datetime.now(UTC) + timedelta(minutes=1)
    assert reconciler.settle_calls(datetime.now(UTC)) == 0  # its own process may still be at it
    assert reconciler.settle_calls(late) >= 1
    with office.database.worker(office.workspace) as db:
        assert outcomes.get(db, call.call_sid)
    assert office.one("select count(*) from outbox") == 2
    reconciler.settle_calls(late)
    assert not settling.settle(office.database, office.workspace, call.call_sid)
    assert office.one("select count(*) from outcomes") == 1


def test_F28_a_log_nobody_can_read_becomes_a_job_and_does_not_stop_the_others(
    office: Office, shared_postgres_url: str
) -> None:
    broken, good = office.call(finished=False), office.call(finished=False)
    with psycopg.connect(shared_postgres_url) as owner:
        owner.execute("alter table call_events disable trigger user")
        owner.execute("update call_events set body = '{}' where call_id = %s and kind = 'CallerSaid'", (broken.id,))
        owner.execute("alter table call_events enable trigger user")
    reconciler = Reconciler(office.database)
    late = datetime.now(UTC) + timedelta(minutes=1)
    reconciler.settle_calls(late)
    reconciler.settle_calls(late)
    with office.database.worker(office.workspace) as db:
        assert outcomes.get(db, good.call_sid)
        assert outcomes.get(db, broken.call_sid) is None
    resources = Resources(office.database, None, office.judge, rules.load(), lambda: datetime.now(UTC))
    job = office.job(broken, "outcome")
    for _ in range(outbox.TRIES):
        with pytest.raises(TypeError) as caught:
            jobs.run(settling.settle_job, resources, job)
        jobs.failed(resources, job, caught.value)
    assert office.one("select last_error from outbox where kind = 'outcome'").startswith("TypeError at ")
    assert office.one("select count(*) from outbox where kind = 'outcome' and quarantined_at is not null") == 1


def test_P7_an_opt_out_in_a_log_that_is_on_no_list_is_listed(office: Office) -> None:
    sid = f"CA{uuid4().hex}"
    with office.database.worker(office.workspace) as db:
        call = calls.ring(db, NewCall(sid, "inbound", ANN, office.number, PLAYBOOK, 1))
        opt_out, ended = OptedOut("take me off your list"), CallEnded("opted_out")
        call_events.append(db, call.id, [Entry(1, 5_000, opt_out), Entry(2, 9_000, ended)])
        assert not suppressions.is_suppressed(db, ANN)
    reconciler = Reconciler(office.database)
    assert reconciler.list_opt_outs(datetime.now(UTC)) >= 1
    with office.database.worker(office.workspace) as db:
        assert suppressions.is_suppressed(db, ANN)
    assert reconciler.list_opt_outs(datetime.now(UTC)) == 0


def test_P7_a_caller_who_withheld_the_number_is_not_looked_for_for_ever(office: Office) -> None:
    with office.database.worker(office.workspace) as db:
        call = calls.ring(db, NewCall(f"CA{uuid4().hex}", "inbound", "anonymous", office.number, PLAYBOOK, 1))
        call_events.append(db, call.id, [Entry(1, 5_000, OptedOut("stop"))])
    assert Reconciler(office.database).list_opt_outs(datetime.now(UTC)) == 0


class Wire:
    """A broker that notes what it was given, and can be away."""

    def __init__(self, *, there: bool = True, takes: int = 1_000) -> None:
        self.there, self.takes = there, takes
        self.sent: list[tuple[str, tuple[str | int, ...]]] = []

    def answers(self) -> bool:
        return self.there

    def send(self, task: str, *arguments: str | int) -> bool:
        if len(self.sent) >= self.takes:
            return False
        self.sent.append((task, arguments))
        return True


def test_F03_a_job_goes_out_once_per_lease_and_none_is_taken_while_the_broker_is_away(office: Office) -> None:
    call = office.call()
    assert relay.relay(office.database, Wire(there=False)) == 0
    wire = Wire()
    assert relay.relay(office.database, wire) >= 2
    ours = [(task, arguments) for task, arguments in wire.sent if arguments[1] == str(office.workspace)]
    job = office.job(call)
    assert sorted(task for task, _ in ours) == ["followup.send", "score.call"]
    assert ("score.call", (str(job.id), str(office.workspace), call.call_sid)) in ours
    assert relay.relay(office.database, wire) == 0
    with office.database.worker(office.workspace) as db:
        db.execute("update outbox set leased_until = now() where id = %s", (job.id,))
    assert relay.relay(office.database, wire) == 1


def test_T20_a_job_travels_with_ids_only(office: Office) -> None:
    office.call()
    wire = Wire()
    relay.relay(office.database, wire)
    assert ANN.removeprefix("+") not in repr(wire.sent)


def reopen(office: Office) -> None:
    """As if the commit that ended the job had been lost."""
    with office.database.worker(office.workspace) as db:
        db.execute("update outbox set done_at = null")
