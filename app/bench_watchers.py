"""`python -m app.bench_watchers`: a call is on, and a thousand people watch it on the live feed.

How long from an event on the call to each watcher's socket, and what the watchers cost the call's sound: the same calls
are held without watchers and with them, by the same service, as often as asked. The service is `strowger serve` with
emulated providers on a core of its own where the machine has two; phones, providers and watchers share the others.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import secrets
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import psycopg
from psycopg.rows import dict_row

from app.bench import Bench, configurations, heard, opened
from app.bench_server import Service
from app.exchange.bench_arrivals import NotedSockets
from app.exchange.bench_callers import Talker
from app.exchange.watchers import Seen
from app.store import accounts
from app.store.accounts import NewTicket

TARGET_MS = 300.0  # from the event to the screen, of 99 of 100
_OPEN_S = 60.0
_TICKETS_LAST = timedelta(seconds=30)
_MEMBER = "insert into members (workspace_id, user_id, role) values (%s, %s, 'viewer')"


@dataclass(slots=True)
class Sound:
    """What the calls sounded like under one load."""

    jitter_ms: list[float] = field(default_factory=list)
    underruns: int = 0
    missed: int = 0
    replies_ms: list[float] = field(default_factory=list)
    service_share: float = 0.0

    def add(self, other: Sound) -> None:
        self.jitter_ms += other.jitter_ms
        self.underruns += other.underruns
        self.missed += other.missed
        self.replies_ms += other.replies_ms
        self.service_share = max(self.service_share, other.service_share)


@dataclass(slots=True)
class Found:
    alone: Sound = field(default_factory=Sound)
    watched: Sound = field(default_factory=Sound)
    seen: Seen = field(default_factory=Seen)


@dataclass(frozen=True, slots=True)
class Plan:
    watchers: int
    calls: int
    seconds: float
    rounds: int


def main(arguments: Sequence[str] | None = None) -> int:
    import uvloop

    parser = argparse.ArgumentParser(
        prog="python -m app.bench_watchers", description=(__doc__ or "").partition("\n\n")[0]
    )
    parser.add_argument("--watchers", type=int, default=1000)
    parser.add_argument("--calls", type=int, default=1, help="at once")
    parser.add_argument("--seconds", type=float, default=40.0, help="of each call, after its opening")
    parser.add_argument("--rounds", type=int, default=1, help="without watchers and with them, so often in turn")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args(arguments)
    plan = Plan(given.watchers, given.calls, given.seconds, given.rounds)
    with opened() as bench:
        found = uvloop.run(_run(bench, plan))
        cores = bench.cores.text
    return _report(found, plan, cores, as_json=given.json)


async def _run(bench: Bench, plan: Plan) -> Found:
    sockets, found = NotedSockets(), Found()
    bench.sockets = lambda: sockets
    async with bench.ready(configurations()["flux"]) as (line, service):

        async def hold() -> Sound:
            talkers = [Talker(bench.numbers.take(), line.providers.register, plan.seconds) for _ in range(plan.calls)]
            cpu_s, began = service.cpu_s(), asyncio.get_running_loop().time()
            ears = heard(await line.hold(talkers))
            share = (service.cpu_s() - cpu_s) / (asyncio.get_running_loop().time() - began)
            return Sound(
                [ms for stream in sockets.taken() for ms in stream.jitter_ms()],
                sum(ear.underruns for ear in ears),
                sum(ear.unanswered for ear in ears),
                [spoke.reply_ms for ear in ears for spoke in ear.spoke if spoke.reply_ms is not None],
                share,
            )

        await hold()  # whatever is only done once is done
        for _ in range(plan.rounds):
            found.alone.add(await hold())
            async with _watching(bench, service, plan.watchers) as seen:
                found.watched.add(await hold())
            found.seen.delays_ms += seen.delays_ms
            found.seen.frames += seen.frames
            found.seen.gaps += seen.gaps
            found.seen.lost += seen.lost
    return found


@asynccontextmanager
async def _watching(bench: Bench, service: Service, watchers: int) -> AsyncIterator[Seen]:
    """Filled with what they saw when it is over. Their process is on the phones' core, not on the service's."""
    tickets = await asyncio.to_thread(_tickets, bench.env["DATABASE_URL"], bench.workspace_id, watchers)
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "app.exchange.watchers", service.url, stdin=pipe, stdout=pipe, limit=1 << 28
    )
    assert process.stdin is not None
    assert process.stdout is not None
    seen = Seen()
    try:
        process.stdin.write("\n".join((*tickets, "", "")).encode())
        async with asyncio.timeout(_OPEN_S):
            ready = await process.stdout.readline()
        if ready != b"ready\n":
            raise ConnectionError("the watchers' sockets did not open")
        yield seen
        process.stdin.close()
        told = json.loads(await process.stdout.readline())
        seen.delays_ms, seen.frames = told["delays_ms"], told["frames"]
        seen.gaps, seen.lost = told["gaps"], told["lost"]
        await process.wait()
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()


def _tickets(database_url: str, workspace_id: UUID, watchers: int) -> list[str]:
    """One for each, of a member made for them."""
    user, now = uuid4(), datetime.now(UTC)
    tokens = [secrets.token_urlsafe(24) for _ in range(watchers)]
    with psycopg.connect(database_url, row_factory=dict_row) as db:
        db.execute(_MEMBER, (workspace_id, user))
        for token in tokens:
            accounts.issue_ticket(db, NewTicket(token, workspace_id, user, "feed", now, _TICKETS_LAST))
    return tokens


def _report(found: Found, plan: Plan, cores: str, *, as_json: bool) -> int:
    delays, gaps, lost = found.seen.delays_ms, found.seen.gaps, found.seen.lost
    p99_ms = _at(delays, 0.99)
    held = bool(delays) and p99_ms < TARGET_MS and not lost and not found.watched.underruns
    figures = {
        "watchers": plan.watchers,
        "messages": len(delays),
        "frames": found.seen.frames,
        "delay_ms": {name: _at(delays, share) for name, share in (("p50", 0.5), ("p95", 0.95), ("p99", 0.99))},
        "gaps": gaps,
        "lost": lost,
        "without": _figures(found.alone),
        "with": _figures(found.watched),
        "jitter_ratio": round(_at(found.watched.jitter_ms, 0.99) / max(0.1, _at(found.alone.jitter_ms, 0.99)), 2),
        "held": held,
    }
    if as_json:
        _say(json.dumps(figures, indent=2))
        return 0 if held else 1
    calls = "one call" if plan.calls == 1 else f"{plan.calls} calls at once"
    _say(f"{plan.watchers:,} watchers, {calls} of {plan.seconds:g} s, {plan.rounds} rounds; {cores}")
    _say(f"{len(delays):,} messages arrived in {found.seen.frames:,} frames, {gaps} gaps told, {lost} sockets lost")
    _say(
        f"event to socket: p50 {_at(delays, 0.5):.0f} ms, p95 {_at(delays, 0.95):.0f} ms, p99 {p99_ms:.0f} ms; "
        f"target {TARGET_MS:.0f} ms"
    )
    _say(f"{'the call':24}{'without':>10}{'with':>10}")
    for name, alone in _figures(found.alone).items():
        _say(f"{name.replace('_', ' '):24}{alone:>10}{_figures(found.watched)[name]:>10}")
    _say(f"frame jitter, p99, with to without: {figures['jitter_ratio']}; {'held' if held else 'not held'}")
    return 0 if held else 1


def _figures(sound: Sound) -> dict[str, float]:
    return {
        "pieces": len(sound.jitter_ms),
        "jitter_p50_ms": _at(sound.jitter_ms, 0.5),
        "jitter_p99_ms": _at(sound.jitter_ms, 0.99),
        "underruns": sound.underruns,
        "missed_replies": sound.missed,
        "reply_p50_ms": _at(sound.replies_ms, 0.5),
        "core_of_the_service": round(sound.service_share, 2),
    }


def _at(values: Sequence[float], share: float) -> float:
    ordered = sorted(values)
    return round(ordered[min(len(ordered) - 1, int(share * len(ordered)))], 1) if ordered else 0.0


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
