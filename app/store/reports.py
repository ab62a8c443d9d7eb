"""What calls came to, over a span of time: one query a report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app.sales.reading import ABOUT_NOTHING, SURE
from app.store.connect import Connection

# Every report looks at the same calls.
_FROM = "from calls c left join outcomes o on o.call_id = c.id"
_WHERE = """
    where c.created_at >= %(since)s and c.created_at < %(until)s
      and (%(playbook)s::text is null or c.playbook = %(playbook)s)
      and (%(number)s::text is null or c.caller = %(number)s or c.called = %(number)s)
"""
_CALLS = f"{_FROM} {_WHERE}"
_BOOKED = "o.result = 'booked'"
_MACHINE = "coalesce(o.result, '') in ('voicemail', 'not_reached')"
_HUMAN = f"(c.direction = 'inbound' or c.answered_at is not null) and not {_MACHINE}"
_SOLD = "o.result in ('qualified', 'booked', 'human_requested')"
_SURE = f"r.probability >= {SURE} and r.intent not in ({', '.join(map(repr, ABOUT_NOTHING))})"
_QUERIES = {
    "funnel": f"""
        select count(*) as dialled,
               count(*) filter (where c.direction = 'inbound' or c.answered_at is not null) as answered,
               count(*) filter (where {_HUMAN}) as human,
               count(*) filter (where {_HUMAN} and coalesce(o.turns, 0) > 0) as conversed,
               count(*) filter (where {_SOLD}) as qualified, count(*) filter (where {_BOOKED}) as booked,
               count(*) filter (where {_BOOKED} and exists (
                   select from lead_results r where r.workspace_id = c.workspace_id and r.lead_id = c.lead_id and r.won
                     and r.target = 'converted'
                     and r.at >= c.created_at
               )) as held
        {_CALLS}
    """,
    "days": f"""
        select (c.created_at at time zone %(zone)s)::date::text as day, count(*) as calls,
               count(*) filter (where coalesce(o.turns, 0) > 0) as conversed,
               count(*) filter (where {_BOOKED}) as booked,
               percentile_disc(0.5) within group (order by o.reply_p50_ms) as reply_p50_ms,
               round((sum(o.duration_ms) / 60000.0)::numeric, 2)::float as minutes
        {_CALLS} group by 1 order by 1
    """,
    "hours": f"""
        select extract(isodow from c.created_at at time zone %(zone)s)::integer as weekday,
               extract(hour from c.created_at at time zone %(zone)s)::integer as hour, count(*) as calls,
               count(*) filter (where {_HUMAN}) as answered, count(*) filter (where {_BOOKED}) as booked
        {_CALLS} group by 1, 2 order by 1, 2
    """,
    "playbooks": f"""
        select c.playbook as name, count(*) as calls, count(*) filter (where {_BOOKED}) as booked
        {_CALLS} group by 1 order by 2 desc, 1
    """,
    "numbers": f"""
        select case c.direction when 'inbound' then c.called else c.caller end as name, count(*) as calls,
               count(*) filter (where {_BOOKED}) as booked
        {_CALLS} group by 1 order by 2 desc, 1
    """,
    "sources": f"""
        select coalesce(l.source, 'unknown') as name, count(*) as calls, count(*) filter (where {_BOOKED}) as booked
        {_FROM} left join leads l on l.id = c.lead_id {_WHERE}
        group by 1 order by 2 desc, 1
    """,
    "objections": f"""
        select e.body ->> 'name' as name, count(distinct c.id) as calls,
               count(distinct c.id) filter (where {_BOOKED}) as booked
        {_FROM} join call_events e on e.call_id = c.id and e.kind = 'ObjectionMet' {_WHERE}
        group by 1 order by 2 desc, 1
    """,
    "topics": f"""
        select r.intent as name, count(distinct c.id) as calls, count(distinct c.id) filter (where {_BOOKED}) as booked
        {_FROM} join turn_readings r on r.call_id = c.id and {_SURE} {_WHERE}
        group by 1 order by 2 desc, 1
    """,
    "latency": f"""
        select c.playbook as name, count(o.reply_p50_ms) as calls,
               percentile_disc(0.5) within group (order by o.reply_p50_ms) as reply_p50_ms,
               percentile_disc(0.95) within group (order by o.reply_p95_ms) as reply_p95_ms,
               sum(o.interruptions) as interruptions
        {_CALLS} group by 1 order by 1
    """,
    "cost": f"""
        select coalesce(o.result, 'unfinished') as name, count(*) as calls,
               round((sum(o.duration_ms) / 60000.0)::numeric, 2)::float as minutes
        {_CALLS} group by 1 order by 2 desc, 1
    """,
}
KINDS = tuple(_QUERIES)
FUNNEL = ("dialled", "answered", "human", "conversed", "qualified", "booked", "held")


@dataclass(frozen=True, slots=True)
class Span:
    """`zone` is the time zone of days and hours; None for playbook and number means all."""

    since: datetime
    until: datetime
    zone: str = "UTC"
    playbook: str | None = None
    number: str | None = None


def rows(db: Connection, kind: str, span: Span) -> Sequence[Mapping[str, Any]]:
    """The funnel as one row per step; the others as the database counted them. `kind` is one of KINDS."""
    values = {
        "since": span.since,
        "until": span.until,
        "zone": span.zone,
        "playbook": span.playbook,
        "number": span.number,
    }
    found = db.execute(_QUERIES[kind].encode(), values).fetchall()
    if kind != "funnel":
        return found
    return [{"name": step, "calls": found[0][step]} for step in FUNNEL]
