"""What happened that people may want to be told of, as app/sales/notices.py judges it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from uuid import UUID

from app.sales.notices import MODEL_ALERTS, Moved, OnTheLine, Reached, Stopped, Wanted
from app.store.connect import Connection

LOOK_BACK = timedelta(days=5)  # call-backs asked for before are stale whatever was promised

# Somebody who asked for a person and whom no call of ours has reached since, nor did they call again.
_WANTED = """
    select o.call_sid, o.lead_id, coalesce(o.facts ->> 'callback', '') as wanted, o.recorded_at
    from outcomes o join calls c on c.id = o.call_id
    where o.result = 'human_requested' and o.recorded_at > %(since)s
      and not exists (
          select from calls later
          where later.workspace_id = o.workspace_id and later.lead_id = o.lead_id and later.created_at > c.created_at
            and (later.direction = 'inbound' or later.answered_at is not null)
      )
    order by o.recorded_at
"""
_MOVED = "select kind, subject, opened_at from alerts where closed_at is null and kind = any(%s) order by opened_at"
# With the figures it was stopped for: calls that ended since may have changed them.
_STOPPED = """
    select c.id, c.name, c.stopped_at, a.detail
    from campaigns c join lateral (
        select detail from audit_log where action = 'campaign.stop' and subject = c.id::text order by at desc limit 1
    ) a on true
    where c.state = 'paused' and c.stopped_at is not null order by c.stopped_at
"""
# Closed again or not: a limit may be reached and have passed between two looks.
_REACHED = "select subject, seen_at from alerts where kind = 'limit' and seen_at > %s order by seen_at"
# What the month's calls have used, by what it is priced by; the line itself by started minutes.
_USED = """
    with month as (
        select c.id, c.direction, o.duration_ms from calls c left join outcomes o on o.call_id = c.id
        where c.created_at >= %(since)s
    )
    select 'carrier' as stage, 'twilio' as provider, direction as model, 'line_ms' as unit,
           sum(ceil(duration_ms / 60000.0) * 60000)::bigint as amount
    from month where duration_ms > 0 group by direction
    union all
    select 'media', 'twilio', 'stream', 'line_ms', sum(ceil(duration_ms / 60000.0) * 60000)::bigint
    from month where duration_ms > 0 having count(*) > 0
    union all
    select e.body ->> 'stage', e.body ->> 'provider', e.body ->> 'model', e.body ->> 'unit',
           sum((e.body ->> 'amount')::bigint)::bigint
    from month m join call_events e on e.call_id = m.id and e.kind = 'UnitsUsed' group by 1, 2, 3, 4
    union all
    select 'dialogue', e.body ->> 'provider', e.body ->> 'model', t.unit, sum(t.amount)::bigint
    from month m join call_events e on e.call_id = m.id and e.kind = 'TokensUsed',
         lateral (values ('prompt', (e.body ->> 'prompt')::bigint),
                         ('completion', (e.body ->> 'completion')::bigint)) as t (unit, amount)
    group by 2, 3, 4
"""


def on_the_line(system_db: Connection, now: datetime) -> Iterator[tuple[UUID, OnTheLine]]:
    """Calls going on, of all workspaces, that were not told of."""
    for row in system_db.execute("select * from strowger.lines_to_watch(%s)", (now,)):
        lead = None if row["lead_id"] is None else str(row["lead_id"])
        yield row["workspace_id"], OnTheLine(row["call_sid"], lead, row["probability"], row["tier"])


def workspaces(system_db: Connection) -> tuple[UUID, ...]:
    return tuple(row["workspace_id"] for row in system_db.execute("select * from strowger.workspace_ids()"))


def wanted(db: Connection, now: datetime) -> tuple[Wanted, ...]:
    rows = db.execute(_WANTED, {"since": now - LOOK_BACK})
    return tuple(
        Wanted(row["call_sid"], row["wanted"], row["recorded_at"], str(row["lead_id"]) if row["lead_id"] else None)
        for row in rows
    )


def moved(db: Connection) -> tuple[Moved, ...]:
    rows = db.execute(_MOVED, (sorted(MODEL_ALERTS),))
    return tuple(Moved(row["kind"], row["subject"], row["opened_at"]) for row in rows)


def stopped(db: Connection) -> tuple[Stopped, ...]:
    """Campaigns that wait for a person to let them go on."""
    rows = db.execute(_STOPPED)
    return tuple(
        Stopped(str(row["id"]), row["name"], row["detail"]["abandoned"], row["detail"]["answered"], row["stopped_at"])
        for row in rows
    )


def reached(db: Connection, now: datetime) -> tuple[Reached, ...]:
    """Limits that kept something from going out within the last hour, by their caps."""
    rows = db.execute(_REACHED, (now - timedelta(hours=1),))
    return tuple(Reached(row["subject"].removeprefix("T06."), row["seen_at"]) for row in rows)


def used(db: Connection, since: datetime) -> tuple[tuple[str, str, str, str, int], ...]:
    """(stage, provider, model, unit, amount) of all calls since then; see `app.sales.spending`."""
    rows = db.execute(_USED, {"since": since})
    return tuple((row["stage"], row["provider"], row["model"], row["unit"], row["amount"]) for row in rows)
