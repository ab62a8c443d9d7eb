"""The beat: what runs how often. A plain loop that needs Postgres alone to find work.

Not Celery beat: that one sends its ticks through the broker, and would fall silent with the very part whose losses it
is here to make good. Several beats may run at once, on any machines: Postgres leases a job to one of them.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from app.errors import StrowgerError
from app.providers.shared_circuits import open_now
from app.store.connect import Database
from workers import budget, logs, night, reports, retention
from workers.broker import Broker
from workers.campaigns import Dialler
from workers.notices import Watch
from workers.reconcile import Reconciler
from workers.relay import relay
from workers.stop import Stop

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Every:
    name: str
    seconds: float
    act: Callable[[], object]


def table(database: Database, broker: Broker, watch: Watch) -> tuple[Every, ...]:
    reconciler = Reconciler(database)
    return (
        Every("relay", 1.0, lambda: relay(database, broker)),
        Every("campaigns", 1.0, Dialler(database).run),
        Every("reconcile", 5.0, reconciler.run),
        Every("hot leads", 2.0, watch.lines),
        Every("notices", 30.0, watch.rest),
        Every("budgets", 60.0, lambda: budget.plan(database, datetime.now(UTC))),
        Every("reports", 30.0, lambda: reports.plan(database, datetime.now(UTC))),
        Every("nights", 300.0, lambda: night.plan(database, datetime.now(UTC))),
        Every("used up", 60.0, lambda: retention.tidy(database, datetime.now(UTC))),
        Every("retention", 300.0, lambda: retention.plan(database, datetime.now(UTC))),
    )


def due(beats: tuple[Every, ...], last: Mapping[str, float], now: float) -> tuple[Every, ...]:
    """Those whose time has come; one that never ran is due at once."""
    return tuple(beat for beat in beats if beat.name not in last or now - last[beat.name] >= beat.seconds)


def run(database_url: str, redis_url: str) -> None:
    """Until SIGTERM or Ctrl-C."""
    stop = Stop()
    stop.on_signals()
    database = Database.open(database_url, max_size=2)
    watch = Watch(database, lambda: open_now(redis_url))
    beats = table(database, Broker(redis_url), watch)
    last: dict[str, float] = {}
    try:
        while not stop.wait(min(beat.seconds for beat in beats) / 4):
            for beat in due(beats, last, time.monotonic()):
                last[beat.name] = time.monotonic()
                _run(beat)
    finally:
        database.close()


def _run(beat: Every) -> None:
    """A database or broker that is away is a reason to try again, not to leave."""
    try:
        beat.act()
    except StrowgerError as error:
        log.warning("beat failed", extra={"beat": beat.name, "error": logs.where(error)})
