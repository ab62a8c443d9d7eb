"""The broker is killed while a task runs and comes back empty (F03), or stands still (F04)."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from app.embedded.launch import LOOPBACK, free_port
from app.store import call_events, finish, messages, outbox
from app.store.connect import Database
from workers.broker import Broker
from workers.chaos import parts
from workers.chaos.letterbox import Letterbox
from workers.chaos.seed import MESSAGE, PLAYBOOK, finished_call
from workers.letters import template_name
from workers.relay import relay

if TYPE_CHECKING:
    from tests.integration.conftest import Tenant

pytestmark = [pytest.mark.integration, pytest.mark.realtime]

SENDING_S = 1.5
NOT_LONG_S = 30.0  # a few limits of 5 s each; without them it would be for ever


@dataclass(frozen=True, slots=True)
class Running:
    broker: parts.Part
    worker: parts.Part
    box: Letterbox


@pytest.fixture
def running(shared_postgres_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder, port = tmp_path_factory.mktemp("roles"), free_port()
    with Letterbox(templates=(template_name(PLAYBOOK, MESSAGE),), think_s=SENDING_S) as box:
        environment = {
            "DATABASE_URL": shared_postgres_url,
            "REDIS_URL": f"redis://{LOOPBACK}:{port}/0",
            "STROWGER_DATA_DIR": str(folder),
            "TWILIO_ACCOUNT_SID": "AC" + "0" * 32,
            "TWILIO_AUTH_TOKEN": "secret",
            "TWILIO_BASE_URL": box.url,
        }
        broker = parts.broker(folder, port)
        worker = parts.role("worker", folder, environment, "--concurrency", "1")
        beat = parts.role("beat", folder, environment)
        for part in (broker, worker, beat):
            part.start()
        yield Running(broker, worker, box)
        for part in (beat, worker, broker):
            part.kill()


def test_F03_a_worker_that_could_not_acknowledge_takes_work_again(
    shared_database: Database, tenant: Tenant, running: Running, eventually: Callable[..., None]
) -> None:
    def call_ends(caller: str) -> str:
        sid = f"CA{uuid4().hex}"
        with shared_database.worker(tenant.workspace) as db:
            call = finished_call(db, sid, caller, tenant.number)
            finish.finish_call(db, call, call_events.read(db, sid))
            db.execute("update outbox set done_at = now() where kind = 'score'")  # only the messages are of interest
        return sid

    def settled(sid: str) -> bool:
        with shared_database.worker(tenant.workspace) as db:
            return any(message.provider_sid for message in messages.of_call(db, sid))

    eventually(running.worker.grandchildren)
    before = {child.ppid() for child in running.worker.grandchildren()}
    first = call_ends("+12025550111")
    eventually(lambda: running.box.letters)
    running.broker.kill()
    eventually(lambda: settled(first))
    running.broker.start()
    second = call_ends("+12025550112")
    eventually(lambda: settled(second))
    assert {child.ppid() for child in running.worker.grandchildren()} == before  # and not by being replaced


def test_F04_a_broker_that_accepts_and_never_answers_costs_the_relay_seconds_and_no_lease(
    shared_database: Database, tenant: Tenant, tmp_path: Path, eventually: Callable[..., None]
) -> None:
    port = free_port()
    part = parts.broker(tmp_path, port)
    part.start()
    broker = Broker(f"redis://{LOOPBACK}:{port}/0")
    eventually(broker.answers)
    with shared_database.worker(tenant.workspace) as db:
        outbox.put(db, "score", "CA1")
    part.freeze()
    began = time.monotonic()
    assert relay(shared_database, broker) == 0
    assert time.monotonic() - began < NOT_LONG_S
    with shared_database.worker(tenant.workspace) as db:
        assert db.execute("select leases from outbox").fetchone() == {"leases": 0}
    part.kill()
