"""`make bench-api`: reads of a workspace with very many calls, by very many people at once.

A database of its own is filled with calls, outcomes, scores and leads; the service runs as in production (`strowger
serve`); clients hold a connection each, read a page, the next page or one call, look at it for a while, and read on.
Prints how long answers took, from the first byte sent to the last byte read, and whether 99 of 100 took less than
100 ms.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import secrets
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID, uuid4

import psycopg

import app.embedded.postgres as postgres
import app.embedded.valkey as valkey
from app import playbooks
from app.embedded.launch import free_port
from app.local import Role
from app.store.accounts import hash_of
from app.store.migrate import ensure_stub, migrate
from app.store.workspaces import seed_demo

TARGET_MS = 100.0
_LEADS = """
    insert into leads (id, workspace_id, phone, name, source, created_at, updated_at)
    select md5('lead' || n)::uuid, %(workspace)s, '+1202' || lpad(n::text, 7, '0'), 'Lead ' || n, 'inbound_call',
           now() - n * interval '1 minute', now() - n * interval '1 minute'
    from generate_series(1, %(leads)s) n
"""
_CALLS = """
    insert into calls (id, workspace_id, call_sid, direction, caller, called, lead_id, playbook, playbook_version,
                       status, end_reason, created_at, answered_at, ended_at)
    select md5('call' || n)::uuid, %(workspace)s, 'CAbench' || n, 'inbound', '+1202' || lpad(lead::text, 7, '0'),
           '+12025550100', md5('lead' || lead)::uuid, 'northlight_solar', 1, 'completed', 'finished',
           at, at + interval '5 s', at + interval '2 minutes'
    from (
        select n, n %% %(leads)s + 1 as lead, now() - n * interval '20 seconds' as at
        from generate_series(1, %(calls)s) n
    ) made
"""
_OUTCOMES = """
    insert into outcomes (call_id, workspace_id, call_sid, lead_id, result, reason, turns, duration_ms, reply_p50_ms,
                          recorded_at)
    select c.id, c.workspace_id, c.call_sid, c.lead_id,
           (array['booked', 'qualified', 'conversed', 'silent'])
               [1 + (extract(epoch from c.created_at)::bigint / 20 %% 4)::int],
           'finished', 12, 115000, 480, c.ended_at
    from calls c where c.workspace_id = %(workspace)s
"""
_SCORES = """
    insert into scores (workspace_id, lead_id, call_id, model_version, probability, lower, upper, tier, reasons,
                        scored_at)
    select c.workspace_id, c.lead_id, c.id, 'bench', 0.4, 0.3, 0.5, 'warm', '{talked long}', c.ended_at
    from calls c where c.workspace_id = %(workspace)s
"""


@dataclass(frozen=True, slots=True)
class Load:
    """`think_s`: how long a person looks at an answer, on average; `s`: how long all of it goes on."""

    calls: int
    clients: int
    think_s: float
    s: float
    processes: int


@dataclass(slots=True)
class Seen:
    """Answers by kind, each with the ms it took; and what was no answer."""

    took: dict[str, list[float]] = field(default_factory=dict)
    failed: dict[str, int] = field(default_factory=dict)

    def note(self, kind: str, status: int, ms: float) -> None:
        if status == 200:
            self.took.setdefault(kind, []).append(ms)
        else:
            self.failed[f"{kind} {status}"] = self.failed.get(f"{kind} {status}", 0) + 1


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m app.bench_api", description=(__doc__ or "").partition("\n\n")[0])
    parser.add_argument("--calls", type=int, default=1_000_000, help="in the workspace")
    parser.add_argument("--clients", type=int, default=1000, help="at once, each with a connection")
    parser.add_argument("--think", type=float, default=10.0, help="seconds a client looks at an answer, on average")
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--processes", type=int, default=1, help="of the service")
    given = parser.parse_args(arguments)
    load = Load(given.calls, given.clients, given.think, given.seconds, given.processes)
    with tempfile.TemporaryDirectory(prefix="strowger-bench-") as folder:
        Path(folder).chmod(0o755)
        return run(Path(folder), load)


def run(folder: Path, load: Load) -> int:
    with served(folder, load) as (port, keys):
        _say(f"{load.clients:,} clients for {load.s:g} s, each looks {load.think_s:g} s at an answer ...")
        seen = asyncio.run(_read(port, keys, load))
    return _report(seen, load)


@contextmanager
def served(folder: Path, load: Load) -> Iterator[tuple[int, list[str]]]:
    """The port of a service on a filled database, and API keys that may read there."""
    database, cache = postgres.start(folder), valkey.start(folder)
    try:
        began = time.monotonic()
        ensure_stub(database.url)
        migrate(database.url)
        name = "northlight_solar"
        workspace = seed_demo(database.url, playbook_name=name, playbook_yaml=playbooks.text_of(name))
        keys = fill(database.url, workspace, load)
        _say(f"{load.calls:,} calls in the workspace after {time.monotonic() - began:.0f} s")
        port = free_port(0)
        env = {
            "DATABASE_URL": database.url,
            "REDIS_URL": cache.url,
            "STROWGER_PUBLIC_URL": f"http://127.0.0.1:{port}",
            "TWILIO_AUTH_TOKEN": secrets.token_hex(16),
            "STROWGER_DATA_DIR": str(folder / "data"),
            "STROWGER_API_RATE": "1000000",  # the limits are not what is measured
            "STROWGER_LOG": "json",
        }
        arguments = ("serve", "--port", str(port), "--processes", str(load.processes))
        role = Role(arguments, env, folder / "logs")
        try:
            role.wait_ready(f"http://127.0.0.1:{port}/health/ready")
            yield port, keys
        finally:
            role.stop()
    finally:
        cache.server.release()
        database.server.release()


def fill(url: str, workspace: UUID, load: Load, keys: int = 20) -> list[str]:
    values = {"workspace": workspace, "calls": load.calls, "leads": max(1, load.calls // 5)}
    made = ["sk_" + secrets.token_urlsafe(32) for _ in range(keys)]
    with psycopg.connect(url, autocommit=True) as db:
        db.execute("set session_replication_role = replica")  # made consistent; checking each row takes minutes
        db.execute("set synchronous_commit = off")
        for statement in (_LEADS, _CALLS, _OUTCOMES, _SCORES):
            db.execute(statement, values)
        for key in made:
            db.execute(
                "insert into api_keys (workspace_id, name, role, scopes, key_hash, hint, created_by) "
                "values (%s, 'bench', 'viewer', '{*:read}', %s, 'x', %s)",
                (workspace, hash_of(key), uuid4()),
            )
        db.execute("vacuum analyze")
    return made


async def _read(port: int, keys: list[str], load: Load) -> Seen:
    seen, dice = Seen(), random.Random(20261121)
    over_at = time.monotonic() + load.s + load.think_s / 2
    async with asyncio.TaskGroup() as group:
        for number in range(load.clients):
            key = keys[number % len(keys)]
            group.create_task(_client(port, key, load, random.Random(dice.random()), over_at, seen))
    return seen


async def _client(port: int, key: str, load: Load, dice: random.Random, over_at: float, seen: Seen) -> None:
    await asyncio.sleep(dice.random() * load.think_s)  # they do not all arrive at once
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    cursor: str | None = None
    try:
        while time.monotonic() < over_at:
            kind, path = _next(dice, load.calls, cursor)
            began = time.perf_counter()
            head = f"GET /api/v1{path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAuthorization: Bearer {key}\r\n\r\n"
            writer.write(head.encode())
            status, body = await _answer(reader)
            seen.note(kind, status, (time.perf_counter() - began) * 1000)
            if status == 200 and kind != "one call":
                cursor = json.loads(body)["next_cursor"]
            await asyncio.sleep(min(dice.expovariate(1 / load.think_s), max(0.0, over_at - time.monotonic())))
    finally:
        writer.close()


def _next(dice: random.Random, calls: int, cursor: str | None) -> tuple[str, str]:
    """Half of the requests are for one call; of the rest every third is the page after the last one."""
    chance = dice.random()
    if chance < 0.5:
        return "one call", f"/calls/CAbench{dice.randint(1, calls)}"
    if chance < 0.7 and cursor:
        return "next page", f"/calls?limit=50&cursor={cursor}"
    if chance < 0.85:
        return "by result", f"/calls?limit=50&result={dice.choice(('booked', 'qualified'))}"
    return "first page", "/calls?limit=50"


async def _answer(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    head = await reader.readuntil(b"\r\n\r\n")
    length = next(
        (int(line.partition(b":")[2]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")), 0
    )
    return int(head.split(b" ", 2)[1]), await reader.readexactly(length)


def _report(seen: Seen, load: Load) -> int:
    everything = sorted(ms for kind in seen.took.values() for ms in kind)
    if not everything:
        _say(f"Nothing was answered: {seen.failed}")
        return 1
    _say(f"{'':12}{'answers':>9}{'p50 ms':>9}{'p95 ms':>9}{'p99 ms':>9}{'most ms':>9}")
    for kind, took in sorted(seen.took.items()):
        _say(_row(kind, sorted(took)))
    _say(_row("all", everything))
    for kind, count in seen.failed.items():
        _say(f"not answered: {kind}, {count} times")
    p99 = _at(everything, 0.99)
    held = "held" if p99 < TARGET_MS and not seen.failed else "not held"
    _say(
        f"{len(everything) / load.s:.0f} answers a second to {load.clients:,} clients on {load.calls:,} calls; "
        f"p99 {p99:.0f} ms, target {TARGET_MS:.0f} ms: {held}"
    )
    return 0 if held == "held" else 1


def _row(kind: str, took: list[float]) -> str:
    figures = (*(_at(took, share) for share in (0.5, 0.95, 0.99)), took[-1])
    return f"{kind:12}{len(took):9,}" + "".join(f"{ms:9.1f}" for ms in figures)


def _at(took: list[float], share: float) -> float:
    return took[min(len(took) - 1, int(share * len(took)))]


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
