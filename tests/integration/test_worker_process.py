"""A real worker and a real beat, as processes, on real Postgres and Valkey."""

from __future__ import annotations

import os
import pickle
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from shutil import copytree
from typing import TYPE_CHECKING
from uuid import uuid4

import kombu
import psutil
import pytest

from app.embedded.launch import LOOPBACK, free_port
from app.sales.lead import Tier
from app.store import call_events, finish, leads, messages, outbox, scores
from app.store.calls import CallRow
from app.store.connect import Database
from ml.default import default_model
from workers.broker import queue_named
from workers.chaos import parts
from workers.chaos.letterbox import Letterbox
from workers.chaos.seed import MESSAGE, PLAYBOOK, finished_call
from workers.letters import template_name

if TYPE_CHECKING:
    from tests.integration.conftest import Tenant

pytestmark = [pytest.mark.integration, pytest.mark.realtime]

ANN = "+12025550111"
Eventually = Callable[..., None]


@dataclass(frozen=True, slots=True)
class Running:
    broker_url: str
    box: Letterbox
    worker: parts.Part


@pytest.fixture(scope="module")
def running(
    shared_postgres_url: str, tmp_path_factory: pytest.TempPathFactory, made_once: Callable[..., Path]
) -> Iterator[Running]:
    """`strowger worker` and `strowger beat` with a broker of their own, and an endpoint for messages."""
    folder, port = tmp_path_factory.mktemp("roles"), free_port()
    broker_url = f"redis://{LOOPBACK}:{port}/0"
    with Letterbox(templates=(template_name(PLAYBOOK, MESSAGE),)) as box:
        environment = {
            "DATABASE_URL": shared_postgres_url,
            "REDIS_URL": broker_url,
            "STROWGER_DATA_DIR": str(folder),
            "TWILIO_ACCOUNT_SID": "AC" + "0" * 32,
            "TWILIO_AUTH_TOKEN": "secret",
            "TWILIO_BASE_URL": box.url,
        }
        worker = parts.role("worker", folder, environment, "--concurrency", "1")
        beat = parts.role("beat", folder, environment)
        broker = parts.broker(folder, port)
        broker.start()
        copytree(
            made_once(default_model), folder, dirs_exist_ok=True
        )  # or the worker makes it for itself, and jobs wait for that
        for part in (worker, beat):
            part.start()
        yield Running(broker_url, box, worker)
        for part in (beat, worker, broker):
            part.kill()


@dataclass(frozen=True, slots=True)
class Office:
    database: Database
    tenant: Tenant

    def call_ends(self) -> CallRow:
        sid = f"CA{uuid4().hex}"
        with self.database.worker(self.tenant.workspace) as db:
            call = finished_call(db, sid, ANN, self.tenant.number)
            finish.finish_call(db, call, call_events.read(db, sid))
        return call

    def all_done(self) -> bool:
        with self.database.worker(self.tenant.workspace) as db:
            return db.execute("select 1 from outbox where done_at is null").fetchone() is None


@pytest.fixture
def office(shared_database: Database, tenant: Tenant) -> Office:
    return Office(shared_database, tenant)


def test_P5_a_call_that_ended_is_scored_and_its_promise_kept(
    office: Office, running: Running, eventually: Eventually
) -> None:
    call = office.call_ends()
    eventually(office.all_done)
    assert call.lead_id
    with office.database.worker(office.tenant.workspace) as db:
        score, lead = scores.of_call(db, call.call_sid), leads.get(db, call.lead_id)
        (message,) = messages.of_call(db, call.call_sid)
    assert score
    assert lead
    assert lead.tier == score.tier
    assert score.tier in set(Tier)
    assert len(score.reasons) == 3
    assert message.provider_sid in {letter.sid for letter in running.box.letters}


def test_T25_a_pickle_in_the_queue_is_not_opened_and_the_worker_goes_on(
    office: Office, running: Running, eventually: Eventually, tmp_path: Path
) -> None:
    trap = tmp_path / "opened"

    class Trap:
        def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
            return os.mkdir, (str(trap),)

    eventually(lambda: pool(running))
    before = pool(running)
    with kombu.Connection(running.broker_url) as connection:
        queue = queue_named("strowger")
        producer = connection.Producer(exchange=queue.exchange, routing_key=queue.routing_key, auto_declare=False)
        headers = {"task": "score.call", "id": str(uuid4()), "lang": "py"}
        producer.publish(
            pickle.dumps(Trap()),
            content_type="application/x-python-serialize",
            content_encoding="binary",
            headers=headers,
        )
    office.call_ends()
    eventually(office.all_done)
    assert not trap.exists()
    assert pool(running) == before


def test_a_task_nobody_knows_is_dropped_and_the_worker_goes_on(
    office: Office, running: Running, eventually: Eventually
) -> None:
    with kombu.Connection(running.broker_url) as connection:
        queue = queue_named("strowger")
        producer = connection.Producer(exchange=queue.exchange, routing_key=queue.routing_key, auto_declare=False)
        producer.publish(
            [[], {}, {}], serializer="json", headers={"task": "os.system", "id": str(uuid4()), "lang": "py"}
        )
    office.call_ends()
    eventually(office.all_done)


def test_a_job_of_an_unknown_kind_is_put_aside(office: Office, running: Running, eventually: Eventually) -> None:
    def aside() -> object:
        with office.database.worker(office.tenant.workspace) as db:
            return db.execute("select 1 from outbox where quarantined_at is not null").fetchone()

    with office.database.worker(office.tenant.workspace) as db:
        outbox.put(db, "paint", "the door")
    eventually(aside)


def test_F02_a_worker_whose_celery_was_killed_is_replaced(
    office: Office, running: Running, eventually: Eventually
) -> None:
    eventually(lambda: pool(running))
    before = pool(running)
    for child in before:
        child.parent().kill()  # type: ignore[union-attr]
    eventually(lambda: pool(running) and not set(before) & set(pool(running)))
    office.call_ends()
    eventually(office.all_done)


def pool(running: Running) -> list[psutil.Process]:
    return running.worker.grandchildren()
