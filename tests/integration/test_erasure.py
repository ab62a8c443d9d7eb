"""What a person may ask for: all that is kept about them, and that it goes (C42, C43)."""

from __future__ import annotations

import asyncio
import io
import json
import uuid
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

import psycopg
import pytest

from app import dossier, retention
from app.errors import StoreDown
from app.store import call_events, erasures, leads, suppressions
from app.store.connect import Database
from app.store.finish import finish_call
from workers import erasure, jobs, relay, tasks
from workers.chaos.seed import PLAYBOOK, finished_call
from workers.jobs import Ref

if TYPE_CHECKING:
    from tests.integration.conftest import Tenant
    from workers.resources import Resources

pytestmark = pytest.mark.integration

# Where nothing of a lead can be: settings, people of ours, models, figures over many.
OF_NOBODY = {
    "workspaces", "members", "playbooks", "playbook_versions", "playbook_drafts", "phone_numbers", "voices", "models",
    "model_files", "model_nights", "tier_cuts", "api_keys", "invitations", "sessions", "webhooks", "campaigns",
    "notification_rules", "notification_addresses", "push_subscriptions", "report_schedules",
}  # fmt: skip
MAY_STAY = {"suppressions", "kept_evidence"}
YEAR = timedelta(days=365)


@dataclass(frozen=True)
class Person:
    """`canary` stands in every text we keep of them."""

    canary: str
    phone: str
    lead: UUID
    sid: str
    sms: str

    @property
    def traces(self) -> tuple[str, ...]:
        return self.canary, self.phone


@dataclass
class House:
    database: Database
    workspace: UUID
    number: str
    url: str
    data: Path
    resources: Resources = field(init=False)

    def __post_init__(self) -> None:
        from app.compliance import rules
        from workers.resources import Resources

        (self.data / "recordings" / "kept").mkdir(parents=True, exist_ok=True)
        self.resources = Resources(
            self.database,
            None,
            lambda *_: None,  # type: ignore[arg-type, return-value]
            rules.load(),
            lambda: datetime.now(UTC),
            data_dir=self.data,
        )

    def sql(self, query: str, /, *values: Any) -> list[tuple[Any, ...]]:
        """As the owner of the database, who sees everything."""
        with psycopg.connect(self.url, autocommit=True) as db:
            found = db.execute(query, values)
            return found.fetchall() if found.description else []

    def person(self, canary: str, phone: str) -> Person:
        """With a canary in every table and in the sound of a call."""
        sid, sms = f"CA{uuid.uuid4().hex}", f"SM{uuid.uuid4().hex}"
        with self.database.worker(self.workspace) as db:
            call = finished_call(db, sid, phone, self.number)
            finish_call(db, call, call_events.read(db, sid))
            assert call.lead_id is not None
            leads.learn(db, call.lead_id, {"name": f"{canary} name", "pet": f"{canary} fact"})
            suppressions.add(db, phone, "whatsapp", evidence=f"{canary} stop")
        found = Person(canary, phone, call.lead_id, sid, sms)
        with psycopg.connect(self.url) as db:
            db.execute("set local session_replication_role = replica")  # the rows are as many months had written them
            values = {
                **{"here": self.workspace, "ours": self.number, "playbook": PLAYBOOK, "user": uuid.uuid4()},
                **{"c": canary, "phone": phone, "lead": call.lead_id, "call": call.id, "sid": sid, "sms": sms},
                **{"hash": uuid.uuid4().hex * 2, "json": json.dumps({"text": canary, "from": phone})},
            }
            for statement in _PLANTED:
                db.execute(statement, values)
        sound = self.data / "recordings" / "kept" / f"{sid}.wav"
        sound.write_bytes(b"RIFF" + canary.encode())
        (self.data / "recordings" / f"{sid}.wav").write_bytes(b"RIFF" + canary.encode())
        return found

    def traces(self, person: Person) -> set[str]:
        """Tables of any kind with a trace of them, as text, and files. The number may be in other workspaces."""
        found = set()
        for (table,) in self.sql("select tablename from pg_tables where schemaname = 'public'"):
            mine = f"strpos(t.{'id' if table == 'workspaces' else 'workspace_id'}::text, %s) > 0"
            query = f"select 1 from {table} t where strpos(t::text, %s) > 0 or ({mine} and strpos(t::text, %s) > 0)"
            if self.sql(query + " limit 1", person.canary, str(self.workspace), person.phone):
                found.add(table)
        files = (path for path in self.data.glob("**/*") if path.is_file())
        return found | {path.name for path in files if person.canary.encode() in path.read_bytes()}

    def ask(self, person: Person, suppress: bool = True) -> Ref:
        """As the API does; the job it has made."""
        self.sql(
            "insert into erasures (workspace_id, lead_id, suppress, asked_by) values (%s, %s, %s, %s)",
            self.workspace,
            person.lead,
            suppress,
            uuid.uuid4(),
        )
        query = (
            "select id, key from outbox where workspace_id = %s and kind = 'erasure' order by created_at desc limit 1"
        )
        job, key = self.sql(query, self.workspace)[0]
        return Ref(job, self.workspace, key)

    def run(self, job: Ref) -> str:
        self.sql("update outbox set available_at = now(), leased_until = null where id = %s", job.id)
        return jobs.run(erasure.erase, self.resources, job)

    def erase(self, person: Person) -> str:
        return self.run(self.ask(person))

    def dossier(self, lead: UUID, workspace: UUID | None = None) -> tuple[dict[str, Any], dict[str, bytes]]:
        with self.database.worker(workspace or self.workspace) as db:
            found = dossier.read(db, lead, datetime.now(UTC))
        out = io.BytesIO()
        dossier.write(out, found, self.data / "recordings")
        with zipfile.ZipFile(out) as archive:
            files = {name: archive.read(name) for name in archive.namelist()}
        return json.loads(files.pop("dossier.json")), files


# One row of each kind that a person may be in, beside what the call has written itself.
_PLANTED = (
    "update leads set tags = array[%(c)s::text] where id = %(lead)s",
    "update turns set text = text || %(c)s where call_id = %(call)s",
    "update outcomes set facts = %(json)s, appointment = %(c)s where call_id = %(call)s",
    "update call_events set body = body || %(json)s where call_id = %(call)s and kind = 'CallerSaid'",
    "insert into notes (workspace_id, lead_id, text, written_by) values (%(here)s, %(lead)s, %(c)s, %(user)s)",
    """insert into decisions (workspace_id, phone, channel, purpose, verdict, rules, findings, rules_version)
       values (%(here)s, %(phone)s, 'voice', 'marketing', 'allow', '{C02}', jsonb_build_array(%(c)s::text), '1')""",
    """insert into attempts (workspace_id, lead_id, decision_id, number, reserved_at)
       values (%(here)s, %(lead)s, %(user)s, 1, now())""",
    "insert into carrier_events (workspace_id, key, call_id, body) values (%(here)s, %(sid)s, %(call)s, %(json)s)",
    """insert into media_tokens (token_hash, workspace_id, call_id, expires_at)
       values (%(hash)s, %(here)s, %(call)s, now())""",
    """insert into tickets (token_hash, workspace_id, user_id, purpose, call_sid, expires_at)
       values (%(hash)s, %(here)s, %(user)s, 'listen', %(sid)s, now())""",
    """insert into turn_readings (workspace_id, call_id, seq, intent, probability, objection, sentiment, model_version)
       values (%(here)s, %(call)s, 1, %(c)s, 1, 0, 0, '1')""",
    """insert into scores (workspace_id, lead_id, call_id, model_version, probability, lower, upper, tier, reasons)
       values (%(here)s, %(lead)s, %(call)s, 'planted', 0.5, 0.4, 0.6, 'warm', array[%(c)s::text])""",
    """insert into lead_results (workspace_id, lead_id, won, at, noted_by)
       values (%(here)s, %(lead)s, true, now(), %(c)s)""",
    """insert into tier_overrides (workspace_id, lead_id, kind, tier, why, who)
       values (%(here)s, %(lead)s, 'priority', 'hot', %(c)s, 'x')""",
    """insert into messages (workspace_id, direction, lead_id, sender, recipient, text, status, provider_sid)
       values (%(here)s, 'inbound', %(lead)s, %(phone)s, %(ours)s, %(c)s, 'received', %(sms)s)""",
    """insert into messages (workspace_id, direction, call_id, template, sender, recipient, text, status)
       values (%(here)s, 'outbound', %(call)s, 'planted', %(ours)s, %(phone)s, %(c)s, 'sent')""",
    """insert into consents (workspace_id, phone, purpose, kind, wording, channel, evidence, given_at)
       values (%(here)s, %(phone)s, 'marketing', 'written', 'You may call.', 'form', %(c)s, now())""",
    """insert into campaigns (id, workspace_id, name, playbook, created_by)
       values (%(user)s, %(here)s, 'x', %(playbook)s, 'x')""",
    """insert into campaign_leads (workspace_id, campaign_id, lead_id, position, why)
       values (%(here)s, %(user)s, %(lead)s, 1, %(c)s)""",
    """insert into notifications (id, workspace_id, kind, key, about, lead_id)
       values (%(user)s, %(here)s, 'hot_lead', 'hot_lead:' || %(sid)s || ':call', %(json)s, %(lead)s)""",
    """insert into notification_deliveries (workspace_id, notification_id, channel, address, error)
       values (%(here)s, %(user)s, 'email', 'ops@example.com', %(c)s)""",
    """insert into webhooks (id, workspace_id, url, events, secret_sealed, created_by)
       values (%(user)s, %(here)s, 'https://hooks.example.com', '{call.ended}', 'x', %(user)s)""",
    """insert into webhook_deliveries (workspace_id, webhook_id, event, key, body)
       values (%(here)s, %(user)s, 'call.ended', %(sid)s, %(json)s)""",
    """insert into alerts (workspace_id, kind, subject, sentence) values (%(here)s, 'promise', %(sid)s, %(c)s)""",
    """insert into outbox (workspace_id, kind, key, payload) values (%(here)s, 'later', %(sid)s, %(json)s)""",
    """insert into idempotency_keys (workspace_id, user_id, key, request_sha256, body)
       values (%(here)s, %(user)s, 'one', %(hash)s, %(json)s)""",
    """insert into audit_log (workspace_id, actor, action, subject, detail)
       values (%(here)s, 'x', 'consent.record', %(phone)s, %(json)s)""",
    """insert into legal_holds (workspace_id, lead_id, why, set_by, lifted_by, lifted_at, set_at)
       values (%(here)s, %(lead)s, %(c)s, %(user)s, %(user)s, now(), now() - interval '1 day')""",
)


@pytest.fixture
def house(shared_database: Database, tenant: Tenant, shared_postgres_url: str, tmp_path: Path) -> House:
    return House(shared_database, tenant.workspace, tenant.number, shared_postgres_url, tmp_path)


@pytest.fixture
def ada(house: House) -> Person:
    return house.person(f"Ada{uuid.uuid4().hex}", "+12025550143")


@pytest.fixture
def ben(house: House) -> Person:
    return house.person(f"Ben{uuid.uuid4().hex}", "+12025550144")


def places(house: House) -> dict[str, tuple[bool, list[str], str]]:
    query = "select place, told, erase, why from strowger.places_of_a_person()"
    return {place: (told, erase, why) for place, told, erase, why in house.sql(query)}


def test_C42_C43_every_table_is_a_place_of_persons_or_of_nobody(house: House) -> None:
    """A new table fails here until somebody has thought of whose data it holds."""
    tables = {name for (name,) in house.sql("select tablename from pg_tables where schemaname = 'public'")}
    known = places(house)
    assert tables == set(known) | OF_NOBODY
    assert not set(known) & OF_NOBODY
    columns = house.sql(
        "select distinct table_name from information_schema.columns where table_schema = 'public' "
        "and column_name ~ '(^|_)(lead_id|call_id|call_sid|phone|caller|called|sender|recipient)$'"
    )
    assert {table for (table,) in columns} <= set(known)
    for table, (told, erase, why) in known.items():
        assert (told and erase) or why, f"{table}: what is not told, or not erased, has a reason"


def test_C42_a_dossier_has_everything_of_one_person_and_nothing_of_another(
    house: House, ada: Person, ben: Person
) -> None:
    found, sounds = house.dossier(ada.lead)
    text = json.dumps(found)
    told = {place for place, (shown, _, _) in places(house).items() if shown}
    without_words = {"attempts", "erasures", "kept_evidence", "calls"}
    missing = {place for place in told - without_words if ada.canary not in json.dumps(found["kept"].get(place, []))}
    assert missing == set()
    assert len(found["kept"]["attempts"]) == len(found["kept"]["calls"]) == 1
    assert set(found["not_told"]) == {"media_tokens", "tickets", "outbox", "idempotency_keys"}
    assert sorted(sounds) == sorted([f"sounds/{ada.sid}.wav", f"sounds/kept-{ada.sid}.wav"])
    assert all(ada.canary.encode() in sound for sound in sounds.values())
    foreign = (*ben.traces, str(ben.lead), ben.sid, ben.sms)
    assert [each for each in foreign if each in text] == []


def test_C42_a_dossier_tells_a_conversation_in_its_order_however_it_lies_on_the_disk(house: House, ada: Person) -> None:
    in_order = {"turns": "position", "call_events": "seq"}
    with psycopg.connect(house.url) as db:
        db.execute("set local session_replication_role = replica")
        for place, number in in_order.items():  # a row that is written again lies behind the others
            db.execute(
                f"update {place} set {number} = {number} where workspace_id = %s and {number} = 1", [house.workspace]
            )
    with house.database.worker(house.workspace) as worker:
        worker.execute("set local enable_indexscan = off")
        worker.execute("set local enable_bitmapscan = off")
        kept = dossier.read(worker, ada.lead, datetime.now(UTC)).kept
    for place, number in in_order.items():
        told = [row[number] for row in kept[place]]
        assert told == sorted(told), place
        assert len(told) > 1, place


def test_T13_C42_C43_nobody_of_another_workspace_is_told_or_erased(
    house: House, ada: Person, make_tenant: Callable[[], Tenant]
) -> None:
    other = make_tenant()
    theirs = House(house.database, other.workspace, other.number, house.url, house.data)
    twin = theirs.person(f"Twin{uuid.uuid4().hex}", ada.phone)
    found, sounds = house.dossier(ada.lead, workspace=other.workspace)
    assert (found["kept"], sounds) == ({}, {})
    before = theirs.traces(twin)
    house.erase(ada)
    assert house.traces(Person(ada.canary, ada.canary, ada.lead, ada.sid, ada.sms)) <= MAY_STAY
    assert theirs.traces(twin) == before, "the same number, in another workspace"
    job = theirs.ask(twin)
    with house.database.worker(house.workspace) as db:
        assert erasures.one(db, UUID(job.key)) is None
    assert jobs.run(erasure.erase, house.resources, Ref(job.id, house.workspace, job.key)) == "not open"


def test_C43_what_is_erased_is_nowhere_but_where_it_may_stay(house: House, ada: Person, ben: Person) -> None:
    kept = {f"{ada.sid}.wav", *(place for place, (told, _, _) in places(house).items() if told)}
    unwritten = {"attempts", "erasures", "kept_evidence"}
    assert kept - unwritten <= house.traces(ada), "a place that was never written could not be found full"
    others = house.traces(ben), house.dossier(ben.lead)[0]["kept"]
    said = house.erase(ada)
    assert "leads 1" in said
    assert house.traces(ada) <= MAY_STAY
    assert not list(house.data.glob(f"**/{ada.sid}*"))
    now = house.traces(ben), house.dossier(ben.lead)[0]["kept"]
    assert now == others, "the other one's is as it was"
    with house.database.worker(house.workspace) as db:
        assert suppressions.is_suppressed(db, ada.phone, "voice")
        assert not suppressions.is_suppressed(db, ben.phone, "voice")
        assert leads.by_phone(db, ada.phone) is None
    noted = house.sql(
        "select action, detail ->> 'notes' from audit_log where subject = %s and action like 'erasure%%' order by at",
        str(ada.lead),
    )
    assert [action for action, _ in noted] == ["erasure.copies", "erasure.copies", "erasure.done"]
    assert noted[-1] == ("erasure.done", "1")
    state = house.sql("select done_at is not null, removed ->> 'notes' from erasures where lead_id = %s", ada.lead)
    assert state == [(True, "1")]


def test_C43_done_twice_it_comes_to_the_same(house: House, ada: Person) -> None:
    job = house.ask(ada)
    house.run(job)
    assert house.run(job) == "not open"
    evidence = house.sql("select count(*) from kept_evidence where workspace_id = %s", house.workspace)
    again = house.ask(ada)
    assert "leads 1" in house.run(again)
    assert house.sql("select count(*) from kept_evidence where workspace_id = %s", house.workspace) <= [
        (evidence[0][0] + 1,)
    ], "nothing but that there was a call is left to keep a second time"


@pytest.mark.parametrize("place", ["turns", "messages", "consents", "audit_log", "calls", "leads"])
def test_C43_a_connection_that_dies_midway_leaves_nothing_half_done(house: House, ada: Person, place: str) -> None:
    """The database ends the connection while it is erasing this table."""
    house.sql(
        "create function strowger.drop_dead() returns trigger language plpgsql set search_path = '' as "
        "$$ begin perform pg_catalog.pg_terminate_backend(pg_catalog.pg_backend_pid()); return null; end $$"
    )
    house.sql(f"create trigger dies after update or delete on {place} execute function strowger.drop_dead()")
    before = house.traces(ada) - {f"{ada.sid}.wav"}
    job = house.ask(ada)
    try:
        with pytest.raises(StoreDown):
            house.run(job)
    finally:
        house.sql("drop function strowger.drop_dead() cascade")
    assert house.traces(ada) == before, "the sound is gone, and of the rows all or none"
    assert "leads 1" in house.run(job)
    assert house.traces(ada) <= MAY_STAY


def test_C43_a_recording_that_cannot_be_deleted_is_waited_for(house: House, ada: Person) -> None:
    """Not even the system's owner deletes a folder as if it was a file."""
    for path in house.data.glob(f"**/{ada.sid}.wav"):
        path.unlink()
    obstacle = house.data / "recordings" / f"{ada.sid}.wav"
    obstacle.mkdir()
    job = house.ask(ada)
    assert house.run(job) == "later: a recording cannot be deleted"
    assert house.sql("select waits_for from erasures where lead_id = %s", ada.lead) == [("file",)]
    assert "leads" in house.traces(ada), "no row goes before the sound"
    obstacle.rmdir()
    assert "leads 1" in house.run(job)
    assert house.traces(ada) <= MAY_STAY


def test_C43_half_a_recording_that_a_killed_process_left_goes_as_well(house: House, ada: Person) -> None:
    (house.data / "recordings" / "kept" / f"{ada.sid}.part").write_bytes(b"RIFF" + ada.canary.encode())
    house.erase(ada)
    assert house.traces(ada) <= MAY_STAY
    assert not list(house.data.glob(f"**/{ada.sid}*"))


def test_C43_no_row_goes_before_every_copy_of_a_call(house: House, ada: Person) -> None:
    """A call that came and ended while the copies were being deleted."""
    job = house.ask(ada)
    with house.database.worker(house.workspace) as db:
        assert erasures.erase(db, UUID(job.key), datetime.now(UTC)) == {"waits_for": "call"}
    assert "notes" in house.traces(ada)
    assert "leads 1" in house.run(job)


@pytest.mark.realtime
def test_C43_the_carriers_copies_go_first_and_a_carrier_that_is_away_is_waited_for(
    house: House, ada: Person, ben: Person
) -> None:
    from app.exchange.account import Account
    from app.exchange.exchange import Exchange
    from app.exchange.recording import Recording
    from app.exchange.server import serving
    from app.providers.carrier_copies import CarrierCopies
    from app.providers.twilio_client import connect

    account = Account()
    house.sql("update calls set account_sid = %s where workspace_id = %s", account.sid, house.workspace)
    house.sql("update messages set provider_sid = null where workspace_id = %s", house.workspace)
    job = house.ask(ada)

    def through(address: str) -> str:
        house.resources = replace(house.resources, copies=CarrierCopies(connect(account.sid, account.token, address)))
        return house.run(job)

    def kept_there(exchange: Exchange) -> list[str]:
        return [one.call_sid for one in exchange.office.recordings.values()]

    before = house.traces(ada)
    assert through("http://127.0.0.1:9") == "later: the carrier does not delete its copy"
    assert house.traces(ada) == before, "nothing of ours goes while the carrier still has its copy"
    assert house.sql("select waits_for from erasures where lead_id = %s", ada.lead) == [("carrier",)]

    async def main() -> None:
        async with asyncio.timeout(60), serving(port=0, account=account) as exchange:
            for number, sid in enumerate((ada.sid, ben.sid)):
                kept = Recording(
                    f"RE{number}", account.sid, sid, "OutboundAPI", datetime.now(UTC), "completed", (b"x",)
                )
                exchange.office.recordings[kept.sid] = kept
            assert "leads 1" in await asyncio.to_thread(through, exchange.office.config.base_url)
            assert kept_there(exchange) == [ben.sid]

    asyncio.run(main())
    assert house.traces(ada) <= MAY_STAY


def test_C43_what_is_on_hold_is_not_erased(house: House, ada: Person) -> None:
    house.sql(
        "insert into legal_holds (workspace_id, lead_id, why, set_by) values (%s, %s, 'a dispute', %s)",
        house.workspace,
        ada.lead,
        uuid.uuid4(),
    )
    before = house.traces(ada)
    job = house.ask(ada)
    assert house.run(job) == "later: a legal hold"
    with house.database.worker(house.workspace) as db:
        assert erasures.erase(db, UUID(job.key), datetime.now(UTC)) == {"waits_for": "hold"}, "set at the last moment"
    assert house.traces(ada) == before
    house.sql("update legal_holds set lifted_by = set_by, lifted_at = now() where workspace_id = %s", house.workspace)
    house.run(job)
    assert house.traces(ada) <= MAY_STAY


def test_C43_a_call_that_goes_on_is_waited_for(house: House, ada: Person) -> None:
    house.sql("update calls set ended_at = null where call_sid = %s", ada.sid)
    job = house.ask(ada)
    assert house.run(job).startswith("later: a call")
    assert list(house.data.glob(f"**/{ada.sid}.wav")), "its sound is still being written"
    house.sql("update calls set ended_at = now() where call_sid = %s", ada.sid)
    house.run(job)
    assert house.traces(ada) <= MAY_STAY
    assert not list(house.data.glob(f"**/{ada.sid}*"))


def test_C02_C13_proof_is_kept_out_of_everybodys_reach_for_five_years(house: House, ada: Person) -> None:
    house.erase(ada)
    kept = house.sql("select what, body from kept_evidence where workspace_id = %s order by what", house.workspace)
    by_kind = dict(kept)
    assert set(by_kind) == {"call", "consent", "decision", "said"}
    assert (by_kind["call"]["caller"], by_kind["call"]["result"]) == (ada.phone, "booked")
    assert {body["evidence"] for what, body in kept if what == "consent"} == {ada.canary, f"call {ada.sid}"}
    rights = "has_table_privilege('authenticated', 'kept_evidence', 'select')"
    assert house.sql(f"select {rights}") == [(False,)]
    for years, left in ((4.9, True), (5.1, False)):
        retention.sweep(house.database, house.workspace, house.data / "recordings", datetime.now(UTC) + years * YEAR)
        count = house.sql("select count(*) > 0 from kept_evidence where workspace_id = %s", house.workspace)
        assert count == [(left,)], f"after {years} years"


def test_C05_who_opted_out_stays_on_the_list_whatever_was_wanted(house: House, ada: Person, ben: Person) -> None:
    with psycopg.connect(house.url) as db:
        db.execute("set local session_replication_role = replica")
        db.execute(
            "update call_events set kind = 'OptedOut' where kind = 'CallerSaid' and body ->> 'text' = %s", (ada.canary,)
        )
    for person in (ada, ben):
        house.run(house.ask(person, suppress=False))
    with house.database.worker(house.workspace) as db:
        assert suppressions.is_suppressed(db, ada.phone, "voice")
        assert not suppressions.is_suppressed(db, ben.phone, "voice"), "they had not asked for that"


def test_C43_the_sound_of_an_erased_call_on_another_machine_goes_in_the_night(house: House, ada: Person) -> None:
    house.erase(ada)
    late = house.data / "recordings" / f"{ada.sid}.wav"
    late.write_bytes(b"RIFF")
    retention.sweep(house.database, house.workspace, house.data / "recordings", datetime.now(UTC))
    assert not late.exists()


def test_an_erasure_is_a_job_of_the_outbox() -> None:
    assert tasks.JOBS[relay.TASKS["erasure"]] is erasure.erase
