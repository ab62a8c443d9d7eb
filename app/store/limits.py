"""The workspace's limits, and what of them is used up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from app.compliance.gate import Finding
from app.compliance.limits import HOUR, MINUTE, Limits, Used
from app.errors import NotFound
from app.sales.prices import Prices
from app.sales.spending import open_call_usd, spent_usd
from app.store import alerts, happenings
from app.store.connect import Connection

ALERT = "limit"

_GET = """
    select calls_per_minute, calls_per_hour, calls_per_day, messages_per_day, spend_per_day_usd, reach from workspaces
"""
_SET = """
    update workspaces set calls_per_minute = %(calls_per_minute)s, calls_per_hour = %(calls_per_hour)s,
        calls_per_day = %(calls_per_day)s, messages_per_day = %(messages_per_day)s,
        spend_per_day_usd = %(spend_per_day_usd)s, reach = %(reach)s
"""
# Whoever reserves counts first: of two at the same moment the second sees the first's attempt.
_ONE_AT_A_TIME = "select pg_advisory_xact_lock(hashtextextended('limits ' || strowger.here()::text, 0))"
_USED = """
    select count(*) filter (where a.reserved_at > %(minute)s) as minute,
           count(*) filter (where a.reserved_at > %(hour)s) as hour,
           count(*) filter (where a.reserved_at >= %(day)s) as day,
           min(a.reserved_at) filter (where a.reserved_at > %(minute)s) as minute_since,
           min(a.reserved_at) filter (where a.reserved_at > %(hour)s) as hour_since,
           count(*) filter (where a.reserved_at >= %(day)s and o.call_id is null) as open,
           (select count(*) from messages m
            where m.direction = 'outbound' and m.status <> 'released' and m.created_at >= %(day)s) as messages
    from attempts a left join calls c on c.workspace_id = a.workspace_id and c.attempt_id = a.id
    left join outcomes o on o.call_id = c.id
    where a.reserved_at > least(%(hour)s, %(day)s)
"""


def get(db: Connection, *, locked: bool = False) -> Limits:
    """Of the workspace this transaction is for. `locked`: until the transaction ends."""
    row = db.execute(_GET + (" for update" if locked else "")).fetchone()
    if row is None:
        raise NotFound("This workspace is gone.")
    return Limits(**{**row, "reach": tuple(row["reach"])})


def put(db: Connection, limits: Limits) -> None:
    values: Mapping[str, Any] = {**asdict(limits), "reach": list(limits.reach)}
    db.execute(_SET, values)


def used(db: Connection, prices: Prices, now: datetime, *, alone: bool = False) -> Used:
    """`alone`: until the transaction ends nobody else counts, so that no two take the last one."""
    if alone:
        db.execute(_ONE_AT_A_TIME)
    day = now.astimezone(_zone(db)).replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
    row = db.execute(_USED, {"minute": now - MINUTE, "hour": now - HOUR, "day": day}).fetchone()
    assert row is not None
    spent = spent_usd(happenings.used(db, day), prices) + row["open"] * open_call_usd(prices)
    counts = {name: row[name] for name in ("minute", "hour", "day", "messages", "minute_since", "hour_since")}
    return Used(**counts, spent_usd=spent, day_ends=_next(day))


def noted(db: Connection, over: Sequence[Finding]) -> None:
    """Somebody should look at it: a limit is reached by mistake, by fraud, or because it is too low."""
    for finding in over:
        alerts.raise_(db, ALERT, finding.rule, finding.reason, {"until": str(finding.until)})


def passed(db: Connection) -> None:
    """Something went out again."""
    alerts.close_others(db, ALERT)


def _zone(db: Connection) -> ZoneInfo:
    row = db.execute("select time_zone from workspaces").fetchone()
    return ZoneInfo(row["time_zone"] if row else "UTC")


def _next(day: datetime) -> datetime:
    """The following midnight on the wall: arithmetic within one zone is the wall's, whatever the clocks do."""
    return day + timedelta(days=1)
