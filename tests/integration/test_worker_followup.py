"""Follow-ups on a real Postgres, sent over real HTTP to a counting endpoint."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import psycopg
import pytest

from app.compliance import rules
from app.errors import ProviderDown, StoreDown
from app.providers.twilio_client import connect
from app.providers.whatsapp import WhatsApp
from app.sales.lead import LeadHistory
from app.sales.outcome import Outcome, Result
from app.sales.registry import Entry
from app.store import alerts, calls, consents, messages, outbox, outcomes, suppressions
from app.store.connect import Database
from workers import followup, jobs
from workers.chaos.letterbox import Answer, Letterbox
from workers.chaos.seed import MESSAGE, PLAYBOOK, finished_call
from workers.jobs import Act, Ref
from workers.letters import template_name
from workers.model import Judged
from workers.resources import Post, Resources

if TYPE_CHECKING:
    from tests.integration.conftest import Tenant

pytestmark = pytest.mark.integration

ANN = "+12025550111"


@pytest.fixture
def box() -> Iterator[Letterbox]:
    with Letterbox(templates=(template_name(PLAYBOOK, MESSAGE),)) as box:
        yield box


def unscored(workspace_id: UUID, entries: tuple[Entry, ...], history: LeadHistory) -> Judged:
    raise AssertionError("a follow-up scores nobody")


class Desk:
    """A worker's resources with a clock that tests move, in a workspace of its own."""

    def __init__(self, database: Database, tenant: Tenant, box: Letterbox) -> None:
        self.database, self.workspace, self.business = database, tenant.workspace, tenant.number
        self.sid = f"CA{self.workspace.hex}"
        self.ahead = timedelta()
        client = connect("AC" + "0" * 32, "secret", box.url, timeout_s=30)
        self.resources = Resources(
            database=database,
            post=WhatsApp(client),
            judge=unscored,
            rules=rules.load(),
            now=lambda: datetime.now(UTC) + self.ahead,
        )

    def call_ends(self, sid: str = "", follow_up: str | None = MESSAGE) -> Ref:
        sid = sid or self.sid
        outcome = Outcome(sid, Result.BOOKED, "finished", {"owner": "yes"}, "2026-11-24T10:00", follow_up)
        with self.database.worker(self.workspace) as db:
            call = finished_call(db, sid, ANN, self.business)
            outcomes.record(db, call.id, call.lead_id, outcome)
            outbox.put(db, "followup", sid)
        return self.job("followup", sid)

    def job(self, kind: str, key: str) -> Ref:
        with self.database.worker(self.workspace) as db:
            row = db.execute("select id from outbox where kind = %s and key = %s", (kind, key)).fetchone()
        assert row is not None
        return Ref(row["id"], self.workspace, key)

    def runs(self, job: Ref, act: Act = followup.send, **changes: Any) -> str:
        return jobs.run(act, replace(self.resources, **changes), job)

    def look(self, sid: str = "") -> messages.Message:
        with self.database.worker(self.workspace) as db:
            return messages.of_call(db, sid or self.sid)[-1]

    def row(self, job: Ref) -> dict[str, Any]:
        with self.database.worker(self.workspace) as db:
            row = db.execute("select * from outbox where id = %s", (job.id,)).fetchone()
        assert row is not None
        return row


@pytest.fixture
def desk(shared_database: Database, tenant: Tenant, box: Letterbox) -> Desk:
    return Desk(shared_database, tenant, box)


def test_P5_a_promise_is_kept_once_however_often_its_job_runs(desk: Desk, box: Letterbox) -> None:
    job = desk.call_ends()
    assert [desk.runs(job), desk.runs(job), desk.runs(job)] == ["sent", "not open", "not open"]
    (letter,) = box.letters
    assert letter.form["ContentSid"].startswith("HX")
    assert '"Tuesday, November 24 at 10:00 AM"' in letter.form["ContentVariables"]
    assert (desk.look().status, desk.look().provider_sid) == ("queued", letter.sid)


def test_P5_two_jobs_for_one_message_send_one(desk: Desk, box: Letterbox) -> None:
    desk.runs(desk.call_ends())
    with desk.database.worker(desk.workspace) as db:
        db.execute("update outbox set done_at = null")  # as if the last commit had been lost
    assert desk.runs(desk.job("followup", desk.sid)) == "was sent before"
    assert len(box.letters) == 1


def test_a_call_that_promised_nothing_gets_nothing(desk: Desk, box: Letterbox) -> None:
    job = desk.call_ends(follow_up=None)
    assert desk.runs(job) == "nothing was promised"
    assert desk.row(job)["done_at"]
    assert box.letters == ()


def test_C54_nothing_is_sent_after_an_opt_out(desk: Desk, box: Letterbox) -> None:
    job = desk.call_ends()
    with desk.database.worker(desk.workspace) as db:
        suppressions.add(db, ANN, evidence="take me off your list")
    assert desk.runs(job).startswith("not allowed")
    assert box.letters == ()
    assert desk.row(job)["done_at"]


def test_C54_an_opt_out_between_a_crash_and_the_second_try_counts(desk: Desk, box: Letterbox) -> None:
    job = desk.call_ends()
    crash_while_sending(desk, job)
    with desk.database.worker(desk.workspace) as db:
        suppressions.add(db, ANN, evidence="STOP")
    desk.ahead = timedelta(minutes=2)
    assert desk.runs(job).startswith("not allowed")
    assert box.letters == ()
    assert desk.look().status == "released"


def test_C50_without_whatsapp_consent_no_template(desk: Desk, box: Letterbox) -> None:
    job = desk.call_ends()
    with desk.database.worker(desk.workspace) as db:
        consents.revoke(db, ANN, "changed my mind", datetime.now(UTC), purpose="whatsapp")
    assert desk.runs(job).startswith("not allowed: C02.consent")
    assert box.letters == ()


def test_P6_every_decision_is_kept(desk: Desk) -> None:
    desk.runs(desk.call_ends())
    with desk.database.worker(desk.workspace) as db:
        (kept,) = db.execute("select verdict, channel, purpose from decisions").fetchall()
    assert kept == {"verdict": "allow", "channel": "whatsapp", "purpose": "informational"}


def test_T06_a_message_over_the_days_limit_waits_for_the_next_day(
    desk: Desk, box: Letterbox, shared_postgres_url: str
) -> None:
    job = desk.call_ends()
    set_limit = "update workspaces set messages_per_day = %s where id = %s"
    with psycopg.connect(shared_postgres_url) as owner:
        owner.execute(set_limit, (0, desk.workspace))
    assert desk.runs(job).startswith("later")
    assert box.letters == ()
    with desk.database.worker(desk.workspace) as db:
        assert [(one.kind, one.subject) for one in alerts.open_ones(db)] == [("limit", "T06.messages")]
    with psycopg.connect(shared_postgres_url) as owner:
        owner.execute(set_limit, (1, desk.workspace))
        owner.execute("update outbox set available_at = now() where id = %s", (job.id,))
    assert desk.runs(job) == "sent"


@pytest.mark.parametrize(("hours", "free"), [(23.9, True), (23.95, False), (24.01, False), (None, False)])
def test_C51_free_text_only_while_the_person_wrote_within_24_hours(
    desk: Desk, box: Letterbox, shared_postgres_url: str, hours: float | None, free: bool
) -> None:
    job = desk.call_ends()
    if hours is not None:
        with desk.database.worker(desk.workspace) as db:
            messages.receive(db, "SMin", ANN, desk.business, "hello")
        with psycopg.connect(shared_postgres_url) as owner:
            sent = "update messages set created_at = now() - make_interval(secs => %s) where workspace_id = %s"
            owner.execute(sent, (hours * 3600, desk.workspace))
    desk.runs(job)
    (letter,) = box.letters
    assert ("Body" in letter.form, "ContentSid" in letter.form) == (free, not free)


def test_C51_a_promise_older_than_a_day_is_put_aside(desk: Desk, box: Letterbox) -> None:
    job = desk.call_ends()
    desk.ahead = timedelta(hours=25)
    desk.runs(job)
    assert box.letters == ()
    assert desk.row(job)["quarantined_at"]
    assert "too late" in desk.row(job)["last_error"]


def test_C52_a_final_no_is_tried_once_and_the_message_says_why(desk: Desk, box: Letterbox) -> None:
    job = desk.call_ends()
    box.next(Answer(accept=False, status=400, code=63049))
    assert desk.runs(job).startswith("refused")
    assert desk.runs(job) == "not open"
    assert desk.look().status == "failed"
    assert (desk.look().error or "").startswith("63049")


def test_F29_a_provider_that_is_down_gets_it_later(desk: Desk, box: Letterbox) -> None:
    job = desk.call_ends()
    box.next(Answer(accept=False, status=429, code=20429))
    assert desk.runs(job).startswith("later")
    assert desk.look().status == "released"
    assert desk.row(job)["starts"] == 0  # waiting is not its fault
    assert desk.runs(job) == "sent"
    assert len(box.letters) == 1


@pytest.mark.parametrize("answer", [Answer(accept=True, status=500), Answer(accept=True, hang=True)])
def test_F29_accepted_without_an_answer_is_found_and_not_sent_again(desk: Desk, box: Letterbox, answer: Answer) -> None:
    job = desk.call_ends()
    box.next(answer)
    assert desk.runs(job).startswith("later")
    assert desk.runs(job).startswith("later")  # somebody may still be sending
    desk.ahead = timedelta(minutes=2)
    assert desk.runs(job) == "found at the provider"
    assert len(box.letters) == 1
    assert desk.look().provider_sid == box.letters[0].sid


def test_F29_not_accepted_and_without_an_answer_is_sent_again_after_a_look(desk: Desk, box: Letterbox) -> None:
    job = desk.call_ends()
    box.next(Answer(accept=False, status=503))
    desk.runs(job)
    desk.ahead = timedelta(minutes=2)
    assert desk.runs(job) == "sent"
    assert len(box.letters) == 1


def test_F02_a_worker_that_died_while_sending_leaves_one_message(desk: Desk, box: Letterbox) -> None:
    job = desk.call_ends()
    crash_while_sending(desk, job)
    assert desk.runs(job).startswith("later")
    desk.ahead = timedelta(minutes=2)
    assert desk.runs(job) == "sent"
    assert len(box.letters) == 1


def test_T06_a_message_that_is_sent_again_after_a_crash_is_not_counted_twice(
    desk: Desk, box: Letterbox, shared_postgres_url: str
) -> None:
    with psycopg.connect(shared_postgres_url) as owner:
        owner.execute("update workspaces set messages_per_day = 1 where id = %s", (desk.workspace,))
    job = desk.call_ends()
    crash_while_sending(desk, job)
    desk.ahead = timedelta(minutes=2)
    assert desk.runs(job) == "sent"
    second = desk.call_ends(desk.sid + "-2")
    assert desk.runs(second).startswith("later")
    assert len(box.letters) == 1


def test_F02_a_worker_that_died_after_sending_leaves_one_message(desk: Desk, box: Letterbox) -> None:
    job = desk.call_ends()
    crash_while_sending(desk, job, after=True)
    desk.ahead = timedelta(minutes=2)
    assert desk.runs(job) == "found at the provider"
    assert len(box.letters) == 1


def test_F29_another_message_to_the_same_person_is_not_taken_for_this_one(desk: Desk, box: Letterbox) -> None:
    desk.runs(desk.call_ends())
    second = desk.call_ends(desk.sid + "-2")
    crash_while_sending(desk, second)
    desk.ahead = timedelta(minutes=2)
    assert desk.runs(second) == "sent"
    assert [letter.sid for letter in box.letters] == [desk.look().provider_sid, desk.look(desk.sid + "-2").provider_sid]


def test_C51_a_text_too_late_for_the_window_is_sent_again_once_as_a_template(desk: Desk, box: Letterbox) -> None:
    job = desk.call_ends()
    with desk.database.worker(desk.workspace) as db:
        messages.receive(db, "SMin", ANN, desk.business, "hello")
    desk.runs(job)
    with desk.database.worker(desk.workspace) as db:
        for sid in ("SM" + f"{1:032x}", "SM" + f"{1:032x}"):  # reports come twice
            messages.set_delivery(db, sid, "failed", "63016 outside the window")
    again = desk.job("resend", f"{desk.sid}:{MESSAGE}")
    assert [desk.runs(again, followup.resend), desk.runs(again, followup.resend)] == ["sent", "not open"]
    assert ["Body" in letter.form for letter in box.letters] == [True, False]
    with desk.database.worker(desk.workspace) as db:
        messages.set_delivery(db, box.letters[1].sid, "failed", "63016 outside the window")
        assert db.execute("select count(*) as n from outbox where kind = 'resend'").fetchone() == {"n": 1}


def test_a_promise_waits_while_no_account_is_set(desk: Desk, box: Letterbox) -> None:
    job = desk.call_ends()
    assert desk.runs(job, post=None) == "later: no Twilio account is set"
    assert desk.row(job)["done_at"] is None
    assert box.letters == ()


def test_F01_a_job_that_kills_its_worker_three_times_is_put_aside_and_visible(desk: Desk) -> None:
    job = desk.call_ends()

    def kills(resources: Resources, job: Ref) -> str:
        raise SystemExit

    for _ in range(3):
        with pytest.raises(SystemExit):
            desk.runs(job, kills)
    assert desk.runs(job) == "not open"
    assert desk.row(job)["quarantined_at"]
    assert desk.row(job)["last_error"]


def test_F28_a_job_that_fails_three_times_is_put_aside_with_the_place_and_not_the_data(desk: Desk) -> None:
    job = desk.call_ends()
    for _ in range(3):
        jobs.failed(desk.resources, job, ValueError(f"bad number {ANN}"))
    assert desk.row(job)["quarantined_at"]
    assert desk.row(job)["last_error"] == "ValueError"


def test_F05_the_database_being_away_is_no_fault_of_the_job(desk: Desk) -> None:
    job = desk.call_ends()
    for _ in range(5):
        jobs.failed(desk.resources, job, StoreDown("gone"))
    assert desk.row(job)["quarantined_at"] is None
    assert desk.runs(job) == "sent"


def test_T14_a_job_of_one_tenant_reads_nothing_of_another(desk: Desk, box: Letterbox, shared_postgres_url: str) -> None:
    job = desk.call_ends()
    stranger = uuid4()
    with psycopg.connect(shared_postgres_url) as owner:
        owner.execute("insert into workspaces (id, name) values (%s, 'Another')", (stranger,))
    assert desk.runs(replace(job, workspace_id=stranger)) == "not open"
    with desk.database.worker(stranger) as db:
        foreign = outbox.put(db, "followup", desk.sid)
        row = db.execute("select id from outbox").fetchone()
        assert foreign
        assert row
        assert calls.get(db, desk.sid) is None
    assert desk.runs(Ref(row["id"], stranger, desk.sid)) == "nothing was promised"
    assert box.letters == ()


class Dies:
    """A Messenger whose process ends in the middle."""

    def __init__(self, post: Post, *, after: bool) -> None:
        self._post, self._after = post, after

    def send(self, **message: Any) -> str:
        if self._after:
            self._post.send(**message)
        raise SystemExit

    sent: Callable[..., Any]


def crash_while_sending(desk: Desk, job: Ref, *, after: bool = False) -> None:
    assert desk.resources.post is not None
    with pytest.raises(SystemExit):
        desk.runs(job, post=Dies(desk.resources.post, after=after))


def test_a_post_that_cannot_be_asked_is_asked_later(desk: Desk) -> None:
    job = desk.call_ends()
    crash_while_sending(desk, job)
    desk.ahead = timedelta(minutes=2)

    class Closed(Dies):
        def sent(self, **_: Any) -> Any:
            raise ProviderDown("no connection")

    assert desk.resources.post is not None
    assert desk.runs(job, post=Closed(desk.resources.post, after=False)).startswith("later")
    assert desk.look().status == "claimed"
