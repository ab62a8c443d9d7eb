"""Where calls end: a database, a broker, a worker, a beat and a message endpoint, and what can happen to them."""

from __future__ import annotations

import signal
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import app.embedded.postgres as postgres
from app.embedded.launch import LOOPBACK, free_port
from app.store import call_events, finish
from app.store.connect import Database
from app.store.migrate import ensure_stub, migrate
from workers.chaos import parts, seed
from workers.chaos.letterbox import Letterbox
from workers.letters import template_name

START_S = 30.0


@dataclass(slots=True)
class Scene:
    """What runs, and when the last part that was gone was back (monotonic seconds)."""

    owner_url: str
    workspace: UUID
    database: Database
    box: Letterbox
    broker: parts.Part
    worker: parts.Part
    beat: parts.Part
    children_killed: int = 0
    back_at: float = 0.0

    def end_call(self, place: int) -> None:
        """Every other call is finished by the process that held it; the rest are those whose process died, too."""
        sid = f"CA{place:032x}"
        with self.database.worker(self.workspace) as db:
            call = seed.finished_call(db, sid, seed.person(place))
            if place % 2 == 0:
                finish.finish_call(db, call, call_events.read(db, sid))

    def kill_child(self) -> None:
        for child in self.worker.grandchildren()[:1]:
            child.send_signal(signal.SIGKILL)
            self.children_killed += 1
            self.back_at = time.monotonic()

    def kill_worker(self) -> None:
        self.worker.kill()

    def start_worker(self) -> None:
        self.worker.start()
        self.back_at = time.monotonic()

    def kill_broker(self) -> None:
        self.broker.kill()

    def start_broker(self) -> None:
        """With nothing in it."""
        self.broker.start()
        self.back_at = time.monotonic()

    def wait_for_worker(self) -> None:
        give_up_at = time.monotonic() + START_S
        while not self.worker.grandchildren() and time.monotonic() < give_up_at:
            time.sleep(0.1)

    def last_words(self) -> str:
        return "\n".join(
            f"--- end of {part.name}.log\n" + "".join(part.log.read_text(errors="replace").splitlines(True)[-20:])
            for part in (self.worker, self.beat)
        )


@contextmanager
def scene(think_s: float) -> Iterator[Scene]:
    """Everything started, with an empty database; all of it gone at the end. The endpoint takes `think_s` to answer, so
    that a kill may meet a message on its way."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="strowger-chaos-")))
        folder.chmod(0o755)  # Postgres enters as another user when we are root
        server = postgres.start(folder)
        stack.callback(server.stop)
        ensure_stub(server.url)
        migrate(server.url)
        box = stack.enter_context(Letterbox(templates=(template_name(seed.PLAYBOOK, seed.MESSAGE),), think_s=think_s))
        port = free_port()
        environment = {
            "DATABASE_URL": server.url,
            "REDIS_URL": f"redis://{LOOPBACK}:{port}/0",
            "STROWGER_DATA_DIR": str(folder),
            "TWILIO_ACCOUNT_SID": "AC" + "0" * 32,
            "TWILIO_AUTH_TOKEN": "chaos",
            "TWILIO_BASE_URL": box.url,
        }
        broker = parts.broker(folder, port)
        worker = parts.role("worker", folder, environment, "--concurrency", "2")
        beat = parts.role("beat", folder, environment)
        database = Database.open(server.url, max_size=2)
        stack.callback(database.close)
        for part in (broker, worker, beat):
            stack.callback(part.stop)
            part.start()
        made = Scene(server.url, seed.new_workspace(server.url), database, box, broker, worker, beat)
        made.wait_for_worker()
        yield made
