"""What the offer tier is taught: people's words on which package suits, with what the callers had told."""

from __future__ import annotations

from uuid import UUID

from app.dialog.events import Entry, from_record
from app.sales.offer import Corrected
from app.sales.packages import told_in
from app.store.connect import Connection

MOST = 500  # that are learned from, the newest

# Whoever named no call judged by what had been said until then: by the lead's last call before.
_CORRECTED = """
    with word as (
        select distinct on (lead_id) lead_id, call_id, tier, at from tier_overrides
        where kind = 'offer' order by lead_id, at desc
    ), judged as (
        select coalesce(w.call_id, (
                   select c.id from calls c where c.lead_id = w.lead_id and c.created_at <= w.at
                   order by c.created_at desc limit 1)) as call_id, w.tier, w.at
        from word w where w.tier is not null
        order by w.at desc limit %s
    )
    select j.call_id, j.tier, e.seq, e.at_ms, e.kind, e.body
    from judged j join call_events e on e.call_id = j.call_id
    where e.kind in ('FactLearned', 'CallerSaid')
    order by j.at, j.call_id, e.seq
"""


def of_offers(db: Connection, most: int = MOST) -> tuple[Corrected, ...]:
    """Per lead the newest word that holds, oldest first. Calls in which nothing was told teach nothing."""
    calls: dict[UUID, tuple[str, list[Entry]]] = {}
    for row in db.execute(_CORRECTED, (most,)):
        entry = Entry(row["seq"], row["at_ms"], from_record(row["kind"], row["body"]))  # type: ignore[arg-type]
        calls.setdefault(row["call_id"], (row["tier"], []))[1].append(entry)
    return tuple(Corrected(told_in(entries), tier) for tier, entries in calls.values())
