"""News as rows: told once each, and what became of every telling."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from app.sales.notices import Channel, Notice
from app.store.connect import Connection
from app.store.values import json

# One statement: a notice that is known already costs one look at an index.
_RAISE = """
    with made as (
        insert into notifications (workspace_id, kind, key, about, call_sid, lead_id, urgent, raised_at)
        values (strowger.here(), %(kind)s, %(key)s, %(about)s, %(call_sid)s, %(lead_id)s, %(urgent)s, %(at)s)
        on conflict (workspace_id, key) do nothing
        returning id, workspace_id
    ), tellings as (
        insert into notification_deliveries (workspace_id, notification_id, channel, address)
        select m.workspace_id, m.id, t.channel, t.address
        from made m, unnest(%(channels)s::text[], %(addresses)s::text[]) as t (channel, address)
        returning id, workspace_id
    ), jobs as (
        insert into outbox (workspace_id, kind, key) select workspace_id, 'notify', id::text from tellings
    )
    select id from made
"""
# Names and numbers are read when news are shown, never kept with them.
_WHO = """
    left join calls c on c.workspace_id = n.workspace_id and c.call_sid = n.call_sid
    left join leads l on l.workspace_id = n.workspace_id and l.id = coalesce(n.lead_id, c.lead_id)
"""
_PERSON = """
    nullif(l.name, '') as name,
    coalesce(l.phone, case c.direction when 'inbound' then c.caller else c.called end) as phone,
    coalesce(n.lead_id, c.lead_id) as lead_id
"""
_NEWEST = f"""
    select n.id, n.kind, n.about, n.call_sid, n.raised_at, {_PERSON},
           coalesce(d.tellings, '[]') as tellings
    from notifications n {_WHO}
    left join lateral (
        select jsonb_agg(jsonb_build_object(
            'channel', d.channel, 'address', d.address, 'status', d.status, 'attempts', d.attempts, 'error', d.error,
            'held_until', d.held_until, 'settled_at', d.settled_at) order by d.channel, d.address) as tellings
        from notification_deliveries d where d.workspace_id = n.workspace_id and d.notification_id = n.id
    ) d on true
    where %(at)s::timestamptz is null or (n.raised_at, n.id) < (%(at)s, %(id)s)
    order by n.raised_at desc, n.id desc limit %(limit)s
"""  # noqa: S608 - constants
_DUE = f"""
    select d.id, d.channel, d.address, d.attempts, n.id as notification_id, n.kind, n.about, n.call_sid, n.urgent,
           n.raised_at, {_PERSON},
           w.locale, w.time_zone, w.quiet_from, w.quiet_to, w.name as workspace_name,
           a.emails, a.slack_sealed, p.endpoint, p.p256dh, p.auth, p.vapid
    from notification_deliveries d
    join notifications n on n.workspace_id = d.workspace_id and n.id = d.notification_id
    join workspaces w on w.id = d.workspace_id
    {_WHO}
    left join notification_addresses a on a.workspace_id = d.workspace_id
    left join push_subscriptions p on d.channel = 'push' and p.workspace_id = d.workspace_id and p.id::text = d.address
        and exists (select from members m where m.workspace_id = p.workspace_id and m.user_id = p.user_id)
    where d.id = %s and d.status in ('waiting', 'held')
"""  # noqa: S608
_TRIED = """
    update notification_deliveries set
        attempts = attempts + 1, status = %(status)s, error = left(%(error)s, 500), held_until = null,
        settled_at = case when %(status)s in ('delivered', 'failed') then now() end
    where id = %(id)s
"""


@dataclass(frozen=True, slots=True)
class Telling:
    """`address` is an e-mail address, the id of a browser's subscription, or empty for the chat."""

    channel: str
    address: str
    status: str
    attempts: int
    error: str | None
    held_until: str | None
    settled_at: str | None


@dataclass(frozen=True, slots=True)
class NotificationRow:
    """`name` and `phone` are the person's it is about, as far as they are known."""

    id: UUID
    kind: str
    about: dict[str, str]
    call_sid: str | None
    raised_at: datetime
    name: str | None
    phone: str | None
    lead_id: UUID | None
    tellings: tuple[Telling, ...]


def raise_(
    db: Connection, notice: Notice, to: Sequence[tuple[Channel, str]], at: datetime, *, key: str | None = None
) -> UUID | None:
    """The news and one job per address, in this transaction; None when they were told before."""
    values = {
        "kind": notice.kind,
        "key": key or notice.key,
        "about": json(dict(notice.about)),
        "call_sid": notice.call_sid,
        "lead_id": notice.lead_id,
        "urgent": notice.urgent,
        "at": at,
        "channels": [channel.value for channel, _ in to],
        "addresses": [address for _, address in to],
    }
    row = db.execute(_RAISE, values).fetchone()
    return None if row is None else row["id"]


def known(db: Connection, keys: Sequence[str]) -> frozenset[str]:
    """Those of the keys that were told before."""
    return frozenset(row["key"] for row in db.execute("select key from notifications where key = any(%s)", (keys,)))


def newest(db: Connection, after: tuple[datetime, UUID] | None, limit: int) -> tuple[NotificationRow, ...]:
    at, key = after or (None, None)
    return tuple(_row(row) for row in db.execute(_NEWEST.encode(), {"at": at, "id": key, "limit": limit}))


def due(db: Connection, delivery_id: UUID) -> dict[str, Any] | None:
    """The delivery with everything that telling it needs; None when it is settled."""
    return db.execute(_DUE.encode(), (delivery_id,)).fetchone()


def hold(db: Connection, delivery_id: UUID, until: datetime) -> None:
    query = "update notification_deliveries set status = 'held', held_until = %s where id = %s"
    db.execute(query, (until, delivery_id))


def tried(db: Connection, delivery_id: UUID, status: str, error: str | None) -> None:
    """`status` is waiting (to be tried again), delivered or failed."""
    db.execute(_TRIED, {"id": delivery_id, "status": status, "error": error})


def _row(row: Mapping[str, Any]) -> NotificationRow:
    return NotificationRow(**{**row, "tellings": tuple(Telling(**one) for one in row["tellings"])})
