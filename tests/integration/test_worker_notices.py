"""From what happened to what a person is told: rules, quiet hours, retries, and everything once."""

from __future__ import annotations

import email
import email.policy
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import psycopg
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from app.compliance import rules
from app.compliance.gate import Finding
from app.dialog.events import CallBegan, Entry, Estimated, Fact, UnitsUsed
from app.errors import ProviderDown, ProviderRefused
from app.pricing import table
from app.providers.circuits import Circuit
from app.providers.mail import Folder
from app.providers.slack import Slack
from app.providers.web_push import CURVE, WebPush, b64, public_text
from app.sales.outcome import Outcome, Result
from app.secret_key import SecretKey
from app.store import alerts, call_events, calls, limits, notification_rules, notifications, outcomes
from app.store.calls import NewCall
from app.store.connect import Database
from workers import budget, jobs, notify, reports
from workers.chaos.seed import PLAYBOOK, finished_call
from workers.couriers import Couriers
from workers.jobs import Act, Ref
from workers.notices import Watch
from workers.resources import Resources

if TYPE_CHECKING:
    from tests.integration.conftest import Tenant

pytestmark = pytest.mark.integration

ANN = "+12025550111"
KEY = SecretKey(b"k" * 40)
NOON = datetime.now(UTC).replace(hour=17, minute=0, second=0, microsecond=0)  # of New York, or an hour later


@dataclass
class Outside:
    """Where pushes and chats go to. Answers 201 unless the test says otherwise."""

    answers: list[int | Exception] = field(default_factory=list)
    sent: list[tuple[str, bytes]] = field(default_factory=list)

    def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> int:
        self.sent.append((url, body))
        answer = self.answers.pop(0) if self.answers else 201
        if isinstance(answer, Exception):
            raise answer
        return answer


class Desk:
    """A workspace with a manager who wants to know, and a clock that tests move."""

    def __init__(self, database: Database, tenant: Tenant, url: str, folder: Path) -> None:
        self.database, self.workspace, self.number, self.url = database, tenant.workspace, tenant.number, url
        self.mail, self.outside, self.now = folder / "mail", Outside(), NOON
        self.open: list[Circuit] = []
        couriers = Couriers(
            Folder(self.mail), WebPush(KEY, self.outside, "mailto:ops@example.com"), Slack(KEY, self.outside),
            "https://calls.example.com",
        )  # fmt: skip
        self.vapid = couriers.push.public_key
        self.resources = Resources(
            database, None, lambda *_: None, rules.load(), lambda: self.now, couriers=couriers, prices=table(None)
        )
        self.manager = uuid4()
        self.sql("insert into members (workspace_id, user_id, role) values (%s, %s, 'manager')", self.manager)

    @property
    def watch(self) -> Watch:
        return Watch(self.database, lambda: self.open)

    def sql(self, query: str, /, *values: Any) -> list[tuple[Any, ...]]:
        """As the owner of the database; the workspace is the first value."""
        with psycopg.connect(self.url, autocommit=True) as db:
            found = db.execute(query, (self.workspace, *values))
            return found.fetchall() if found.description else []

    def wants(self, kind: str, *channels: str, threshold: float | None = None, urgent: bool = False) -> None:
        self.sql(
            "insert into notification_rules (workspace_id, kind, enabled, channels, threshold, urgent, updated_by) "
            "values (%s, %s, true, %s, %s, %s, %s)",
            kind, list(channels), threshold, urgent, self.manager,
        )  # fmt: skip

    def addresses(self, *emails: str, slack: str | None = None) -> None:
        sealed, host = Slack(KEY, self.outside).seal(slack) if slack else (None, None)
        self.sql(
            "insert into notification_addresses (workspace_id, emails, slack_sealed, slack_host, updated_by) "
            "values (%s, %s, %s, %s, %s)",
            list(emails), sealed, host, self.manager,
        )  # fmt: skip

    def browser(self, user: UUID | None = None, endpoint: str = "https://push.example.com/1") -> None:
        keys = (public_text(ec.generate_private_key(CURVE)), b64(b"a" * 16))
        with self.database.worker(self.workspace) as db:
            notification_rules.subscribe(db, user or self.manager, endpoint, keys, self.vapid)

    def talks(self, *estimates: float) -> str:
        """A call that goes on."""
        sid = f"CA{uuid4().hex}"
        with self.database.worker(self.workspace) as db:
            call = calls.ring(db, NewCall(sid, "inbound", ANN, self.number, PLAYBOOK, 1))
            began = CallBegan(sid, "inbound", ANN, self.number, PLAYBOOK, 1, "scripted", "playbook", "scripted")
            facts: list[Fact] = [began, *(Estimated(turn, p, "ask") for turn, p in enumerate(estimates, 1))]
            call_events.append(db, call.id, [Entry(seq, seq * 1000, fact) for seq, fact in enumerate(facts, 1)])
        return sid

    def asks_for_a_person(self, when: str, at: datetime, phone: str = ANN) -> str:
        sid = f"CA{uuid4().hex}"
        with self.database.worker(self.workspace) as db:
            call = finished_call(db, sid, phone, self.number)
            outcomes.record(
                db, call.id, call.lead_id, Outcome(sid, Result.HUMAN_REQUESTED, "finished", {"callback": when})
            )
        with psycopg.connect(self.url, autocommit=True) as db:
            db.execute("set session_replication_role = replica")  # outcomes are append-only: the past is made here
            db.execute("update outcomes set recorded_at = %s where call_sid = %s", (at, sid))
        return sid

    def jobs(self, kind: str = "notify") -> list[Ref]:
        found = self.sql(
            "select id, key from outbox where workspace_id = %s and kind = %s and done_at is null order by created_at",
            kind,
        )
        return [Ref(job, self.workspace, key) for job, key in found]

    def works(self, kind: str = "notify", act: Act = notify.deliver) -> list[str]:
        return [jobs.run(act, self.resources, job) for job in self.jobs(kind)]

    def told(self) -> list[notifications.NotificationRow]:
        with self.database.worker(self.workspace) as db:
            return list(notifications.newest(db, None, 50))

    def letters(self) -> list[email.message.EmailMessage]:
        files: Iterable[Path] = sorted(self.mail.iterdir()) if self.mail.exists() else ()
        return [email.message_from_bytes(file.read_bytes(), policy=email.policy.default) for file in files]


@pytest.fixture
def desk(shared_database: Database, shared_postgres_url: str, tenant: Tenant, tmp_path: Path) -> Desk:
    return Desk(shared_database, tenant, shared_postgres_url, tmp_path)


def test_a_hot_lead_on_the_line_is_told_once_to_every_address(desk: Desk) -> None:
    desk.wants("hot_lead", "push", "email", "slack", threshold=0.6)
    desk.addresses("ops@example.com", "ann@example.com", slack="https://hooks.example.com/T1/secret")
    desk.browser()
    sid = desk.talks(0.3, 0.8)
    desk.watch.lines()
    desk.watch.lines()
    assert [one.call_sid for one in desk.told()] == [sid]
    assert desk.works() == ["delivered"] * 4
    assert desk.works() == []
    assert [url for url, _ in desk.outside.sent].count("https://hooks.example.com/T1/secret") == 1
    assert sorted(letter["To"] for letter in desk.letters()) == ["ann@example.com", "ops@example.com"]
    assert "80 %" in desk.letters()[0].get_content()
    assert {one.status for one in desk.told()[0].tellings} == {"delivered"}


def test_the_newest_estimate_decides(desk: Desk) -> None:
    desk.wants("hot_lead", "push", threshold=0.6)
    desk.talks(0.9, 0.2)
    desk.watch.lines()
    assert desk.told() == []


def test_two_beats_at_once_make_one_piece_of_news(desk: Desk) -> None:
    desk.wants("hot_lead", "email", threshold=0.6)
    desk.addresses("ops@example.com")
    desk.talks(0.9)
    beats = [threading.Thread(target=desk.watch.lines) for _ in range(6)]
    for beat in beats:
        beat.start()
    for beat in beats:
        beat.join()
    assert len(desk.told()) == 1
    assert desk.works() == ["delivered"]


def test_what_falls_into_quiet_hours_is_held_until_they_end_and_not_lost(desk: Desk) -> None:
    desk.wants("hot_lead", "email", threshold=0.6)
    desk.addresses("ops@example.com")
    desk.sql("update workspaces set time_zone = 'UTC', quiet_from = '16:30', quiet_to = '18:00' where id = %s")
    desk.talks(0.9)
    desk.watch.lines()
    assert desk.works() == ["later: quiet hours"]
    (held,) = desk.told()[0].tellings
    assert held.status == "held"
    assert datetime.fromisoformat(held.held_until or "") == NOON + timedelta(hours=1)
    assert desk.letters() == []
    desk.now = NOON + timedelta(minutes=59)
    assert desk.works() == ["later: quiet hours"]
    desk.now = NOON + timedelta(hours=1)
    assert desk.works() == ["delivered"]
    assert len(desk.letters()) == 1
    assert desk.told()[0].tellings[0].attempts == 1


def test_what_is_urgent_is_told_in_quiet_hours_too(desk: Desk) -> None:
    desk.wants("hot_lead", "email", threshold=0.6, urgent=True)
    desk.addresses("ops@example.com")
    desk.sql("update workspaces set time_zone = 'UTC', quiet_from = '16:30', quiet_to = '18:00' where id = %s")
    desk.talks(0.9)
    desk.watch.lines()
    assert desk.works() == ["delivered"]


def test_it_is_tried_again_until_it_is_taken_and_given_up_at_last(desk: Desk) -> None:
    desk.wants("hot_lead", "slack", threshold=0.6)
    desk.addresses(slack="https://hooks.example.com/T1/secret")
    desk.outside.answers = [ProviderDown("no answer"), 503, 429, 200]
    desk.talks(0.9)
    desk.watch.lines()
    assert [desk.works()[0].partition(":")[0] for _ in range(4)] == ["later", "later", "later", "delivered"]
    desk.outside.answers = [500] * (len(notify.PAUSES_S) + 1)
    desk.talks(0.9)
    desk.watch.lines()
    assert [desk.works()[0] for _ in range(len(notify.PAUSES_S) + 1)][-1] == "failed"
    assert desk.told()[0].tellings[0].error == "answered 500"


def test_T05_an_address_inside_is_not_tried_again(desk: Desk) -> None:
    desk.wants("hot_lead", "slack", threshold=0.6)
    desk.addresses(slack="https://hooks.example.com/T1/secret")
    desk.outside.answers = [ProviderRefused("this address is not a public one")]
    desk.talks(0.9)
    desk.watch.lines()
    assert desk.works() == ["failed"]


def test_a_browser_that_is_gone_is_forgotten_and_a_colleague_who_left_is_told_nothing(desk: Desk) -> None:
    desk.wants("hot_lead", "push", threshold=0.6)
    desk.browser()
    desk.browser(uuid4(), "https://push.example.com/of-somebody-who-left")
    desk.outside.answers = [410]
    desk.talks(0.9)
    desk.watch.lines()
    assert desk.works() == ["failed"]
    assert [url for url, _ in desk.outside.sent] == ["https://push.example.com/1"]
    with desk.database.worker(desk.workspace) as db:
        assert notification_rules.browsers(db) == ()


def test_who_leaves_or_is_taken_off_while_news_wait_is_not_told(desk: Desk) -> None:
    desk.wants("hot_lead", "push", "email", threshold=0.6)
    desk.addresses("gone@example.com", "ops@example.com")
    desk.browser()
    desk.talks(0.9)
    desk.watch.lines()
    desk.sql("update notification_addresses set emails = '{ops@example.com}' where workspace_id = %s")
    desk.sql("delete from members where workspace_id = %s and user_id = %s", desk.manager)
    assert sorted(desk.works()) == ["delivered", "failed", "failed"]
    assert [letter["To"] for letter in desk.letters()] == ["ops@example.com"]
    assert desk.outside.sent == []


def test_a_browser_that_knows_a_key_we_no_longer_have_is_forgotten(desk: Desk) -> None:
    desk.wants("hot_lead", "push", threshold=0.6)
    desk.vapid = "of-another-secret"
    desk.browser()
    desk.talks(0.9)
    desk.watch.lines()
    assert desk.works() == ["failed"]
    with desk.database.worker(desk.workspace) as db:
        assert notification_rules.browsers(db) == ()


def test_a_call_back_is_told_when_it_is_due_and_not_when_somebody_has_called(desk: Desk) -> None:
    sid = desk.asks_for_a_person("today", NOON - timedelta(minutes=1))
    desk.asks_for_a_person("tomorrow", NOON, "+12025550112")
    desk.watch.rest(NOON)
    assert [(one.kind, one.call_sid) for one in desk.told()] == [("call_back", sid)]


def test_a_call_back_that_was_made_is_no_news(desk: Desk) -> None:
    desk.asks_for_a_person("today", NOON - timedelta(minutes=1))
    desk.talks()
    desk.sql("update calls set lead_id = (select id from leads l where l.workspace_id = calls.workspace_id limit 1) "
             "where workspace_id = %s")  # fmt: skip
    desk.watch.rest(NOON)
    assert desk.told() == []


def test_a_provider_that_is_down_and_a_model_that_moved_are_told_once(desk: Desk) -> None:
    desk.open = [Circuit("stt", "deepgram"), Circuit("tts", "elevenlabs", str(uuid4()))]
    with desk.database.worker(desk.workspace) as db:
        alerts.raise_(db, "drift", "minutes", "minutes has moved.")
        alerts.raise_(db, "model_refused", "lead-2", "It could not be used.")
    desk.watch.rest(NOON)
    desk.watch.rest(NOON + timedelta(minutes=1))
    told = {(one.kind, one.about.get("provider") or one.about.get("subject")) for one in desk.told()}
    assert told == {("provider_down", "deepgram"), ("drift", "minutes")}
    assert len(desk.told()) == 2


def test_T06_a_limit_that_was_reached_is_told_once_though_it_passed_before_anybody_looked(desk: Desk) -> None:
    over = (Finding("T06.minute", "2 calls were placed within a minute: this workspace's limit is reached."),)
    for _ in range(3):
        with desk.database.worker(desk.workspace) as db:
            limits.noted(db, over)
        with desk.database.worker(desk.workspace) as db:
            limits.passed(db)
    now = datetime.now(UTC)
    told = desk.watch.rest(now), desk.watch.rest(now + timedelta(seconds=30))
    assert sum(told) == len(
        {row[0] for row in desk.sql("select date_trunc('hour', seen_at) from alerts where workspace_id = %s")}
    )
    assert {row[0]["cap"] for row in desk.sql("select about from notifications where workspace_id = %s")} == {"minute"}
    assert desk.watch.rest(now + timedelta(hours=2)) == 0


def test_a_budget_is_told_at_80_percent_and_again_at_100(desk: Desk) -> None:
    desk.wants("budget", "email", threshold=1.0)
    desk.addresses("ops@example.com")
    sid = desk.talks()
    with desk.database.worker(desk.workspace) as db:
        call = calls.get(db, sid)
        assert call is not None
        used = UnitsUsed("tts", "elevenlabs", "eleven_flash_v2_5", "characters", 17_000)
        call_events.append(db, call.id, [Entry(90, 90_000, used)])
    for minutes in (0, 1, 14):
        budget.plan(desk.database, NOON + timedelta(minutes=minutes))
    assert desk.works("budget", budget.check) == ["told"]
    assert [one.about["percent"] for one in desk.told()] == ["80"]
    with desk.database.worker(desk.workspace) as db:
        call_events.append(db, call.id, [Entry(91, 91_000, used)])
    desk.now = NOON + timedelta(minutes=15)
    for minutes in (15, 30):
        budget.plan(desk.database, NOON + timedelta(minutes=minutes))
    assert [said.partition(" ")[0] for said in desk.works("budget", budget.check)] == ["told", "1.70"]
    assert [one.about["percent"] for one in desk.told()] == ["100", "80"]


def test_T13_what_happens_elsewhere_is_not_told_here(desk: Desk, make_tenant: Any, tmp_path: Path) -> None:
    other = Desk(desk.database, make_tenant(), desk.url, tmp_path / "other")
    desk.wants("hot_lead", "email", threshold=0.6)
    desk.addresses("ops@example.com")
    other.talks(0.9)
    desk.watch.lines()
    assert desk.told() == []
    assert len(other.told()) == 1


def scheduled(desk: Desk, *, weekday: int | None = None, format_: str = "csv", report: str = "funnel") -> None:
    desk.sql("update workspaces set time_zone = 'UTC' where id = %s")
    desk.sql(
        "insert into report_schedules (workspace_id, report, format, hour, weekday, emails, next_at, created_by) "
        "values (%s, %s, %s, 17, %s, '{ops@example.com}', %s, %s)",
        report, format_, weekday, NOON, desk.manager,
    )  # fmt: skip


def test_a_report_goes_out_once_when_it_is_due_about_the_day_before(desk: Desk) -> None:
    scheduled(desk)
    for _ in range(2):
        with desk.database.worker(desk.workspace) as db:
            finished_call(db, f"CA{uuid4().hex}", ANN, desk.number)
    with psycopg.connect(desk.url, autocommit=True) as owner:
        before = (NOON - timedelta(days=1), desk.workspace)
        owner.execute("update calls set created_at = %s where workspace_id = %s", before)
    assert reports.plan(desk.database, NOON - timedelta(seconds=1)) == 0
    assert reports.plan(desk.database, NOON) == 1
    assert reports.plan(desk.database, NOON + timedelta(seconds=30)) == 0
    assert desk.works("report", reports.send) == ["sent"]
    (letter,) = desk.letters()
    yesterday = (NOON - timedelta(days=1)).date().isoformat()
    assert yesterday in letter["Subject"]
    (file,) = letter.iter_attachments()
    assert file.get_filename() == f"{yesterday}-funnel.csv"
    assert file.get_content().startswith("name,calls\ndialled,2\n")
    assert desk.sql("select last_status, next_at from report_schedules where workspace_id = %s") == [
        ("sent", NOON + timedelta(days=1))
    ]


@pytest.mark.parametrize("report", ["funnel", "days", "hours", "playbooks", "objections", "topics", "latency", "cost"])
def test_every_report_can_be_a_workbook(desk: Desk, report: str) -> None:
    scheduled(desk, report=report, format_="xlsx", weekday=NOON.isoweekday())
    assert reports.plan(desk.database, NOON) == 1
    assert desk.works("report", reports.send) == ["sent"]
    (file,) = desk.letters()[0].iter_attachments()
    assert file.get_content()[:2] == b"PK"


def test_a_report_that_was_missed_for_days_goes_out_once_and_one_that_was_deleted_never(desk: Desk) -> None:
    scheduled(desk)
    for late in (timedelta(days=3, hours=1), timedelta(days=3, hours=2)):
        reports.plan(desk.database, NOON + late)
    assert len(desk.jobs("report")) == 1
    desk.sql("update report_schedules set deleted_at = now() where workspace_id = %s")
    assert desk.works("report", reports.send) == ["was deleted"]
    assert desk.letters() == []
