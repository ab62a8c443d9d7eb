"""What is deleted when its days are over, and what is left of it (C44, C07, C13)."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

import psycopg
import pytest

from app import retention
from app.store import audit, call_events, leads, outbox, score_batches, suppressions
from app.store import retention as stored
from app.store.calls import CallRow
from app.store.connect import Database
from app.store.finish import finish_call
from workers import jobs, relay, scoring
from workers import retention as nightly
from workers.chaos.seed import finished_call
from workers.jobs import Ref

if TYPE_CHECKING:
    from tests.integration.conftest import Tenant
    from workers.resources import Resources

pytestmark = pytest.mark.integration

CALLER = "+12025550143"
DAY = timedelta(days=1)
SECRETS = ("i own the house", "Canary Person", "my dog is called Rex", "tuesday at ten")
# That there was contact, what was agreed to and what was refused is kept with its number (16 CFR 310.5).
NUMBER_STAYS = {"calls", "consents", "suppressions", "call_events", "decisions"}


@dataclass
class House:
    """A workspace, and the folder of its machine's recordings."""

    database: Database
    workspace: UUID
    number: str
    url: str
    folder: Path

    def call(self, caller: str = CALLER) -> CallRow:
        """That has ended, with its outcome, its sound, a note and the person's name."""
        sid = f"CA{uuid.uuid4().hex}"
        with self.database.worker(self.workspace) as db:
            call = finished_call(db, sid, caller, self.number)
            finish_call(db, call, call_events.read(db, sid))
            assert call.lead_id is not None
            leads.learn(db, call.lead_id, {"name": "Canary Person", "pet": "my dog is called Rex"})
        self.sql(
            "insert into notes (workspace_id, lead_id, text, written_by) values (%s, %s, 'my dog is called Rex', %s)",
            self.workspace,
            call.lead_id,
            uuid.uuid4(),
        )
        (self.folder / "kept").mkdir(exist_ok=True)
        (self.folder / "kept" / f"{sid}.wav").write_bytes(b"RIFF")
        return call

    def sweep(self, days: float) -> dict[str, int]:
        """As if so many days had passed since now."""
        done = retention.sweep(self.database, self.workspace, self.folder, datetime.now(UTC) + days * DAY)
        return {kind: count for kind, count in done.items() if count}

    def due(self, days: float) -> dict[str, int]:
        with self.database.worker(self.workspace) as db:
            return retention.due(db, self.folder, datetime.now(UTC) + days * DAY)

    def sql(self, query: str, /, *values: Any) -> list[tuple[Any, ...]]:
        """As the owner of the database, who sees everything."""
        with psycopg.connect(self.url, autocommit=True) as db:
            found = db.execute(query, values)
            return found.fetchall() if found.description else []

    def tables_with(self, text: str) -> set[str]:
        """Every table of ours is looked through, also those that will be added later; but what a person said may
        also be what a playbook expects them to say."""
        found = set()
        for (table,) in self.sql("select tablename from pg_tables where schemaname = 'public'"):
            if table == "playbook_versions":
                continue
            key = "id" if table == "workspaces" else "workspace_id"
            query = f"select exists (select from {table} t where t.{key} = %s and strpos(t::text, %s) > 0)"
            if self.sql(query, self.workspace, text) == [(True,)]:
                found.add(table)
        return found

    def hold(self, lead_id: UUID | None) -> None:
        self.sql(
            "insert into legal_holds (workspace_id, lead_id, why, set_by) values (%s, %s, 'a complaint', %s)",
            self.workspace,
            lead_id,
            uuid.uuid4(),
        )


@pytest.fixture
def house(shared_database: Database, tenant: Tenant, shared_postgres_url: str, tmp_path: Path) -> House:
    return House(shared_database, tenant.workspace, tenant.number, shared_postgres_url, tmp_path)


def test_C44_the_sound_goes_first_then_the_words_then_the_name(house: House) -> None:
    call = house.call()
    for secret in SECRETS:
        assert house.tables_with(secret), f"{secret} was never kept: this test could not fail"
    assert house.sweep(29) == {}
    assert house.sweep(31) == {"recordings": 1}
    assert list(house.folder.glob("**/*.wav")) == []
    assert house.tables_with("i own the house") != set(), "the words have more days than the sound"
    assert house.sweep(179) == {}
    done = house.sweep(181)
    assert (done["calls"], done["leads"], done["notes"]) == (1, 1, 1)
    assert {secret: house.tables_with(secret) for secret in SECRETS} == {secret: set() for secret in SECRETS}
    assert house.tables_with(CALLER) <= NUMBER_STAYS
    gone = house.sql("select name, phone, facts::text, forgotten_at is not null from leads where id = %s", call.lead_id)
    assert gone == [(None, None, "{}", True)]
    assert house.sweep(182) == {}, "done twice it comes to the same"


def test_C13_C07_what_is_evidence_stays(house: House) -> None:
    call = house.call()
    with house.database.worker(house.workspace) as db:
        suppressions.add(db, CALLER, evidence="stop calling me")
        audit.write(db, "test", "call.listen", call.call_sid)
    evidence = ("consents", "suppressions", "audit_log", "outcomes", "calls", "attempts", "decisions", "scores")

    def rows() -> dict[str, int]:
        count = "select count(*) from {} where workspace_id = %s"
        return {table: house.sql(count.format(table), house.workspace)[0][0] for table in evidence}

    before = rows()
    house.sweep(4000)
    after = rows()
    assert after.pop("audit_log") > before.pop("audit_log")
    assert after == before
    with house.database.worker(house.workspace) as db:
        assert suppressions.is_suppressed(db, CALLER, "voice")
        kept = [type(entry.fact).__name__ for entry in call_events.read(db, call.call_sid)]
    assert kept == ["CallBegan", "ConsentGiven", "CallEnded"]
    assert house.sql("select result, reason from outcomes where call_id = %s", call.id) == [("booked", "finished")]


def test_how_much_went_is_in_the_audit_log_and_what_it_was_is_not(house: House) -> None:
    house.call()
    house.sweep(181)
    noted = house.sql("select detail from audit_log where action = 'retention.forget' order by at")
    mine = [detail for (detail,) in noted]
    assert {"recordings": 1} in mine
    assert any(detail.get("calls") == 1 and detail["events"] > 10 for detail in mine)
    assert any(detail.get("leads") == 1 for detail in mine)


@pytest.mark.parametrize("whole", [False, True], ids=["a lead", "the whole workspace"])
def test_C44_what_is_on_hold_stays_until_the_hold_is_lifted(house: House, whole: bool) -> None:
    call, other = house.call(), house.call("+12025550144")
    house.hold(None if whole else call.lead_id)
    done = house.sweep(181)
    assert done.get("calls", 0) == done.get("recordings", 0) == done.get("leads", 0) == (0 if whole else 1)
    with house.database.worker(house.workspace) as db:
        assert len(call_events.read(db, call.call_sid)) > 10
        assert (len(call_events.read(db, other.call_sid)) > 10) is whole
    house.sql("update legal_holds set lifted_by = set_by, lifted_at = now() where workspace_id = %s", house.workspace)
    assert house.sweep(181)["calls"] == (2 if whole else 1)


def test_who_was_in_touch_since_keeps_their_name(house: House) -> None:
    call = house.call()
    house.sql("update workspaces set retention_days = 10 where id = %s", house.workspace)
    house.sql("update leads set updated_at = now() - interval '1 year', created_at = now() - interval '1 year'")
    assert house.sweep(5) == {}, "they phoned five days ago"
    campaign = house.sql(
        "insert into campaigns (workspace_id, name, playbook, created_by) values (%s, 'x', 'northlight_solar', 't') "
        "returning id",
        house.workspace,
    )[0][0]
    house.sql(
        "insert into campaign_leads (workspace_id, campaign_id, lead_id, position) values (%s, %s, %s, 1)",
        house.workspace,
        campaign,
        call.lead_id,
    )
    done = house.sweep(11)
    assert (done["calls"], done.get("leads", 0)) == (1, 0), "who is about to be called is not forgotten"
    house.sql("update campaigns set state = 'ended' where id = %s", campaign)
    assert house.sweep(11)["leads"] == 1


def test_nothing_is_concluded_from_what_is_left_of_a_log(house: House) -> None:
    """A model that saw a log without its words would take the person for somebody who said nothing."""
    call = house.call()
    with house.database.worker(house.workspace) as db:
        assert scoring.load(db, call.call_sid) is not None
    house.sweep(181)
    with house.database.worker(house.workspace) as db:
        assert scoring.load(db, call.call_sid) is None
        batch = score_batches.start(db)
        assert score_batches.progress(db, batch).leads == 0


def test_a_call_that_is_going_on_or_has_no_outcome_is_left_alone(house: House) -> None:
    with house.database.worker(house.workspace) as db:
        call = finished_call(db, f"CA{uuid.uuid4().hex}", CALLER, house.number)
    assert house.sweep(181).get("calls", 0) == 0
    house.sql("update calls set ended_at = null where id = %s", call.id)
    assert house.sweep(181).get("calls", 0) == 0


def test_T13_nothing_of_another_workspace_goes(house: House, make_tenant: Callable[[], Tenant]) -> None:
    other = make_tenant()
    house.call()
    theirs = House(house.database, other.workspace, other.number, house.url, house.folder)
    assert theirs.sweep(4000) == {}
    assert len(list(house.folder.glob("**/*.wav"))) == 1
    assert house.due(4000) == {"recordings": 1, "calls": 1, "leads": 1}


def test_a_dry_run_says_what_would_go_and_leaves_it(house: House) -> None:
    house.call()
    house.call("+12025550144")
    said = house.due(181)
    assert said == house.due(181) == {"recordings": 2, "calls": 2, "leads": 2}
    done = house.sweep(181)
    assert {kind: done[kind] for kind in said} == said
    assert house.due(181) == {"recordings": 0, "calls": 0, "leads": 0}


def test_C07_only_the_forgetting_may_take_from_a_log(house: House) -> None:
    """The worker has no right to delete, whatever it says it is doing."""
    house.call()
    with house.database.worker(house.workspace) as db:
        db.execute("select set_config('strowger.forgetting', 'on', true)")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            db.execute("delete from call_events")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        house.sql("delete from call_events where workspace_id = %s", house.workspace)
    with house.database.worker(house.workspace) as db:
        stored.forget_calls(db, datetime.now(UTC) + 181 * DAY, 1)
        state = db.execute("select current_setting('strowger.forgetting', true) as now").fetchone()
    assert state == {"now": ""}, "the door is closed again in the same transaction"


def test_a_job_goes_on_until_nothing_is_left_and_runs_once_a_night(
    house: House, resources: Resources, monkeypatch: pytest.MonkeyPatch
) -> None:
    for n in range(3):
        house.call(f"+120255501{50 + n}")
    now = datetime.now(UTC) + 181 * DAY
    assert nightly.plan(house.database, now) >= 1
    assert nightly.plan(house.database, now) == 0
    assert relay.TASKS["retention"] == "retention.night"
    monkeypatch.setattr(retention, "AT_ONCE", 1)
    monkeypatch.setattr(retention.sweep, "__defaults__", (1,))
    found = house.sql("select id, key from outbox where workspace_id = %s and kind = 'retention'", house.workspace)
    job = Ref(found[0][0], house.workspace, found[0][1])
    said = []
    for _ in range(6):
        said.append(jobs.run(nightly.forget, resources, job))
        house.sql("update outbox set available_at = now() where id = %s", job.id)
    assert "later: there is more to delete" in said
    assert said[-1] == "not open"
    assert house.sql(
        "select count(*) from calls where workspace_id = %s and forgotten_at is null", house.workspace
    ) == [(0,)]


@pytest.fixture
def resources(house: House) -> Resources:
    from app.compliance import rules
    from workers.resources import Resources

    folder = house.folder / "data"
    folder.mkdir()
    house.folder = folder / "recordings"
    house.folder.mkdir()
    later = datetime.now(UTC) + 181 * DAY
    return Resources(house.database, None, lambda *_: None, rules.load(), lambda: later, data_dir=folder)  # type: ignore[arg-type]


def test_a_job_of_retention_is_one_of_the_outbox(house: House) -> None:
    with house.database.worker(house.workspace) as db:
        assert outbox.put(db, "retention", "2026-11-21")
        assert not outbox.put(db, "retention", "2026-11-21")


def test_what_was_good_for_once_or_a_day_goes_and_nothing_younger(house: House) -> None:
    user, ages = uuid.uuid4(), {"old": "26 hours", "young": "23 hours"}
    for name, age in ages.items():
        house.sql(
            "insert into idempotency_keys (workspace_id, user_id, key, request_sha256, created_at) "
            "values (%s, %s, %s, repeat('0', 64), now() - %s::interval)",
            house.workspace,
            user,
            name,
            age,
        )
        house.sql(
            "insert into tickets (token_hash, workspace_id, user_id, purpose, issued_at, expires_at) "
            "values (encode(sha256(%s::bytea), 'hex'), %s, %s, 'feed', now() - %s::interval, "
            "now() - %s::interval + interval '30 s')",
            name + str(user),
            house.workspace,
            user,
            age,
            age,
        )
    for name, days in {"over": 31, "asleep": 29}.items():
        house.sql(
            "insert into sessions (workspace_id, user_id, token_hash, created_at, expires_at) "
            "values (%s, %s, encode(sha256(%s::bytea), 'hex'), now() - interval '90 days', "
            "now() - make_interval(days => %s))",
            house.workspace,
            user,
            name + str(user),
            days,
        )
    now = datetime.now(UTC)
    assert nightly.tidy(house.database, now) >= 3
    assert nightly.tidy(house.database, now) == 0
    assert house.sql("select key from idempotency_keys where user_id = %s", user) == [("young",)]
    counts = (
        "select (select count(*) from tickets where user_id = %s), (select count(*) from sessions where user_id = %s)"
    )
    assert house.sql(counts, user, user) == [(1, 1)]
