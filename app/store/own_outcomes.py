"""A workspace's own calls as examples: what the model looked at, and what became of the lead.

Which calls count, and as what, is explained in app/sales/learning.py.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from app.sales.lead import Tier
from app.sales.learning import SETTLED, Known, Opinion
from app.sales.registry import TARGET
from app.store.connect import Connection

MOST_OPINIONS = 2_000
MOST = 20_000  # newest calls; older ones tell of another time
_DAY = timedelta(days=1)  # people note the day of a sale rather than its minute

_KNOWN = """
    with looked as materialized (
        select distinct on (s.call_id) s.call_id, s.lead_id, s.features, c.created_at as called_at
        from scores s join calls c on c.id = s.call_id
        where not s.shadow and s.features <> '{}' and c.created_at <= %(now)s - %(settled)s::interval
        order by s.call_id, s.scored_at desc
    ), newest as (
        select * from looked order by called_at desc limit %(most)s
    )
    select n.call_id, n.called_at, n.features as row,
           coalesce(word.won, came_back.booked) as converted,
           greatest(n.called_at + %(settled)s::interval, word.noted_at) as known_at
    from newest n
    left join lateral (
        select r.won, r.noted_at from lead_results r
        where r.lead_id = n.lead_id and r.target = %(target)s
          and r.at >= n.called_at - %(day)s::interval and r.noted_at <= %(now)s
        order by r.noted_at desc limit 1
    ) word on true
    cross join lateral (
        select exists (
            select from outcomes o join calls later on later.id = o.call_id
            where o.lead_id = n.lead_id and o.result = 'booked' and later.created_at > n.called_at
              and later.created_at <= n.called_at + %(settled)s::interval
        ) as booked
    ) came_back
    where word.won is not null or %(target)s = 'converted'
    order by known_at, n.call_id
"""
# The newest word on each lead, if it was not taken back, on the call it was about or the last one before it.
_OPINIONS = """
    with word as (
        select distinct on (lead_id) lead_id, call_id, tier, at from tier_overrides
        where kind = 'priority' and at <= %(now)s order by lead_id, at desc
    ), judged as (
        select coalesce(w.call_id, (
                   select c.id from calls c where c.lead_id = w.lead_id and c.created_at <= w.at
                   order by c.created_at desc limit 1)) as call_id, w.lead_id, w.tier, w.at
        from word w where w.tier is not null
    )
    select distinct on (s.call_id) s.call_id, j.at, j.tier, s.features as row
    from judged j
    join calls c on c.id = j.call_id
    join scores s on s.call_id = c.id and not s.shadow and s.features <> '{}'
    where c.created_at > %(now)s - %(settled)s::interval
      and not exists (
          select from lead_results r
          where r.lead_id = j.lead_id and r.target = 'converted'
            and r.at >= c.created_at - %(day)s::interval and r.noted_at <= %(now)s)
    order by s.call_id, s.scored_at desc
    limit %(most)s
"""
_SEEN = """
    select s.features from scores s join calls c on c.id = s.call_id
    where not s.shadow and s.features <> '{}' and c.created_at > %(since)s and c.created_at <= %(until)s
"""
_NEWEST = _SEEN + " order by c.created_at desc limit %(most)s"
_OLDEST = _SEEN + " order by c.created_at limit %(most)s"
_SAY = """
    insert into lead_results (workspace_id, lead_id, won, at, noted_by, target)
    values (strowger.here(), %(lead_id)s, %(won)s, %(at)s, %(noted_by)s, %(target)s)
"""


def known(db: Connection, now: datetime, most: int = MOST, target: str = TARGET) -> tuple[Known, ...]:
    """In the order in which they came to be known. Of another target than a sale only what somebody said counts: that
    nobody said a customer has left does not mean that it stayed."""
    rows = db.execute(_KNOWN, {"now": now, "settled": SETTLED, "day": _DAY, "most": most, "target": target})
    return tuple(Known(**row) for row in rows)


def opinions(db: Connection, now: datetime, most: int = MOST_OPINIONS) -> tuple[Opinion, ...]:
    """What people chose for leads whose end is not known: a call that is settled, or of which anybody said how it
    ended, is left to its outcome."""
    rows = db.execute(_OPINIONS, {"now": now, "settled": SETTLED, "day": _DAY, "most": most})
    return tuple(Opinion(row["call_id"], row["at"], Tier(row["tier"]), row["row"]) for row in rows)


def newest_rows(db: Connection, since: datetime, until: datetime, most: int = 1_000) -> tuple[dict[str, Any], ...]:
    """What the model looked at in the last calls, whatever became of them."""
    found = db.execute(_NEWEST, {"since": since, "until": until, "most": most})
    return tuple(row["features"] for row in found)


def oldest_rows(db: Connection, since: datetime, until: datetime, most: int = 1_000) -> tuple[dict[str, Any], ...]:
    found = db.execute(_OLDEST, {"since": since, "until": until, "most": most})
    return tuple(row["features"] for row in found)


def say(db: Connection, lead_id: UUID, *, won: bool, at: datetime, noted_by: str, target: str = TARGET) -> None:
    """What became of a lead, as people or their CRM say it. The newest word on each target counts."""
    db.execute(_SAY, {"lead_id": lead_id, "won": won, "at": at, "noted_by": noted_by, "target": target})
