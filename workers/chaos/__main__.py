"""`python -m workers.chaos`: calls end while a pool child, the whole worker and the broker with its data are killed.

Afterwards each call must have one outcome, one score and one message. Exit code 1 if one has not, or not in time.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from uuid import UUID

from rich.console import Console
from rich.table import Table

import app.embedded.postgres as postgres
from app.embedded.launch import LOOPBACK, free_port
from app.store import call_events, finish
from app.store.connect import Database
from app.store.migrate import ensure_stub, migrate
from workers.chaos import ledger, parts, seed
from workers.chaos.ledger import Ledger
from workers.chaos.letterbox import Letterbox
from workers.letters import template_name

LIMIT_S = 120.0  # promise P3: all outcomes this long after the failed part is back
ARRIVALS_S = 20.0
START_S = 30.0
THINK_S = 0.3  # what the endpoint takes to answer, so that a kill meets a message on its way


@dataclass(slots=True)
class Scene:
    """What runs, and when things happened (monotonic seconds)."""

    owner_url: str
    workspace: UUID
    database: Database
    box: Letterbox
    broker: parts.Part
    worker: parts.Part
    beat: parts.Part
    folder: Path
    children_killed: int = 0
    back_at: float = 0.0
    said: Callable[[str], None] = field(default=lambda line: None)


@contextmanager
def scene(said: Callable[[str], None]) -> Iterator[Scene]:
    """Everything started, with an empty database; all of it gone at the end."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="strowger-chaos-")))
        folder.chmod(0o755)  # Postgres enters as another user when we are root
        server = postgres.start(folder)
        stack.callback(server.stop)
        ensure_stub(server.url)
        migrate(server.url)
        box = stack.enter_context(Letterbox(templates=(template_name(seed.PLAYBOOK, seed.MESSAGE),), think_s=THINK_S))
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
        workspace = seed.new_workspace(server.url)
        yield Scene(server.url, workspace, database, box, broker, worker, beat, folder, said=said)


def end_call(on: Scene, place: int) -> None:
    """Every other call is finished by the process that held it; the rest are those whose process died, too."""
    sid = f"CA{place:032x}"
    with on.database.worker(on.workspace) as db:
        call = seed.finished_call(db, sid, seed.person(place))
        if place % 2 == 0:
            finish.finish_call(db, call, call_events.read(db, sid))


def kill_child(on: Scene) -> None:
    for child in on.worker.grandchildren()[:1]:
        child.send_signal(signal.SIGKILL)
        on.children_killed += 1
        on.said("pool child killed")


def kill_worker(on: Scene) -> None:
    on.worker.kill()
    on.said("worker killed with all its children")


def start_worker(on: Scene) -> None:
    on.worker.start()
    on.back_at = time.monotonic()
    on.said("worker started again")


def kill_broker(on: Scene) -> None:
    on.broker.kill()
    on.said("broker killed")


def start_broker(on: Scene) -> None:
    on.broker.start()
    on.back_at = time.monotonic()
    on.said("broker started again, empty")


FAULTS: tuple[tuple[float, Callable[[Scene], None]], ...] = (
    (4.0, kill_child),
    (5.5, kill_child),
    (7.0, kill_child),
    (9.0, kill_worker),
    (14.0, start_worker),
    (17.0, kill_child),
    (18.5, kill_broker),
    (21.5, start_broker),
    (23.0, kill_child),
)


def rehearse(on: Scene, calls: int) -> tuple[Ledger, float]:
    """Plays the faults while calls end, then waits. Returns the counts, and seconds since the last part was back."""
    give_up_at = time.monotonic() + START_S
    while not on.worker.grandchildren() and time.monotonic() < give_up_at:
        time.sleep(0.1)
    arrivals = [(ARRIVALS_S * place / calls, place) for place in range(calls)]
    script: list[tuple[float, Callable[[], None]]] = [
        *((at, lambda place=place: end_call(on, place)) for at, place in arrivals),
        *((at, lambda fault=fault: fault(on)) for at, fault in FAULTS),
    ]
    began = time.monotonic()
    for at, happens in sorted(script, key=lambda step: step[0]):
        time.sleep(max(0.0, began + at - time.monotonic()))
        happens()
    on.said(f"{calls} calls have ended; waiting for what they cause")
    while True:
        found = ledger.read(on.owner_url, on.workspace, on.box)
        after = time.monotonic() - on.back_at
        if found.complete(calls) or after > LIMIT_S:
            return found, after
        time.sleep(0.5)


def show(console: Console, on: Scene, calls: int, found: Ledger, seconds: float) -> None:
    table = Table("what", "wanted", "found")
    for name, wanted, value in (
        ("outcomes", calls, found.outcomes),
        ("scores", calls, found.scores),
        ("messages at the endpoint", calls, found.letters),
        ("messages settled here", calls, found.settled),
        ("duplicate messages", 0, found.duplicates),
        ("jobs put aside", 0, found.aside),
        ("pool children killed", "", on.children_killed),
        ("worker killed", "", 1),
        ("broker killed, data lost", "", 1),
        ("jobs handed to the queue", "", found.handed_out),
        ("slowest outcome after its call, s", "", round(float(found.slowest_outcome_s or 0), 1)),
        ("all done after the last part was back, s", f"<= {LIMIT_S:.0f}", round(seconds, 1)),
    ):
        table.add_row(name, str(wanted), str(value))
    console.print(table)


def main() -> int:
    arguments = argparse.ArgumentParser(prog="python -m workers.chaos", description=__doc__)
    arguments.add_argument("--calls", type=int, default=50)
    arguments.add_argument("--json", action="store_true", help="print one JSON document")
    asked = arguments.parse_args()
    console = Console(stderr=asked.json)
    began = time.monotonic()
    with scene(lambda line: console.print(f"{time.monotonic() - began:6.1f} s  {line}")) as on:
        found, seconds = rehearse(on, asked.calls)
        faults = found.faults(asked.calls)
        if asked.json:
            figures = asdict(found) | {"seconds": seconds, "faults": faults, "children_killed": on.children_killed}
            sys.stdout.write(json.dumps(figures, default=float) + "\n")
        else:
            show(console, on, asked.calls, found, seconds)
        for fault in faults:
            console.print(f"FAULT {fault}")
        if faults:
            for part in (on.worker, on.beat):
                console.print(f"--- end of {part.name}.log\n" + "".join(part.log.read_text().splitlines(True)[-20:]))
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
