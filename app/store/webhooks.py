"""Addresses of other systems, and what they were told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from app.store.connect import Connection
from app.store.values import json

TEST = "webhook.test"

_COLUMNS = "id, url, events, created_by, created_at, disabled_at, disabled_why"
_LIST = f"""
    select {_COLUMNS} from webhooks
    where deleted_at is null and (%(at)s::timestamptz is null or (created_at, id) < (%(at)s, %(id)s))
    order by created_at desc, id desc
    limit %(limit)s
"""  # noqa: S608 - a constant
_GET = f"select {_COLUMNS} from webhooks where id = %s and deleted_at is null"  # noqa: S608
_MAKE = f"""
    insert into webhooks (workspace_id, url, events, secret_sealed, created_by)
    values (strowger.here(), %(url)s, %(events)s, %(sealed)s, %(created_by)s)
    returning {_COLUMNS}
"""  # noqa: S608
_ROTATE = """
    update webhooks set previous_sealed = secret_sealed, previous_until = %(until)s, secret_sealed = %(sealed)s
    where id = %(id)s and deleted_at is null
"""
# One statement: an event without a listener costs one look at an index.
_TELL = """
    with made as (
        insert into webhook_deliveries (workspace_id, webhook_id, event, key, body)
        select w.workspace_id, w.id, %(event)s, %(key)s, %(body)s from webhooks w
        where w.deleted_at is null and w.disabled_at is null and (%(event)s = any (w.events) or w.id = %(only)s)
          and (%(only)s::uuid is null or w.id = %(only)s)
        on conflict (webhook_id, event, key) do nothing
        returning id, workspace_id
    )
    insert into outbox (workspace_id, kind, key) select workspace_id, 'webhook', id::text from made
    on conflict (workspace_id, kind, key) do nothing
"""
_DELIVERIES = """
    select id, webhook_id, event, key, body, created_at, attempts, status, answered, error, settled_at
    from webhook_deliveries
    where webhook_id = %(webhook)s and (%(at)s::timestamptz is null or (created_at, id) < (%(at)s, %(id)s))
    order by created_at desc, id desc
    limit %(limit)s
"""
_DUE = """
    select d.id, d.event, d.body, d.created_at, d.attempts, w.id as webhook_id, w.url,
           w.deleted_at is null and w.disabled_at is null as wanted,
           array_remove(
               array[w.secret_sealed, case when w.previous_until > now() then w.previous_sealed end], null
           ) as sealed
    from webhook_deliveries d join webhooks w on w.id = d.webhook_id
    where d.id = %s and d.status = 'waiting'
"""
_TRIED = """
    update webhook_deliveries set
        attempts = attempts + 1, status = %(status)s, answered = %(answered)s, error = left(%(error)s, 500),
        settled_at = case when %(status)s <> 'waiting' then now() end
    where id = %(id)s
"""


@dataclass(frozen=True, slots=True)
class WebhookRow:
    id: UUID
    url: str
    events: list[str]
    created_by: UUID
    created_at: datetime
    disabled_at: datetime | None
    disabled_why: str | None


@dataclass(frozen=True, slots=True)
class DeliveryRow:
    id: UUID
    webhook_id: UUID
    event: str
    key: str
    body: dict[str, Any]
    created_at: datetime
    attempts: int
    status: str
    answered: int | None
    error: str | None
    settled_at: datetime | None


@dataclass(frozen=True, slots=True)
class Due:
    """A delivery to be tried. `sealed` are the secrets it is signed with; not `wanted` once its address is gone."""

    id: UUID
    event: str
    body: dict[str, Any]
    created_at: datetime
    attempts: int
    webhook_id: UUID
    url: str
    wanted: bool
    sealed: list[str]


def newest(db: Connection, after: tuple[datetime, UUID] | None, limit: int) -> tuple[WebhookRow, ...]:
    at, key = after or (None, None)
    return tuple(WebhookRow(**row) for row in db.execute(_LIST, {"at": at, "id": key, "limit": limit}))


def get(db: Connection, webhook_id: UUID) -> WebhookRow | None:
    row = db.execute(_GET, (webhook_id,)).fetchone()
    return WebhookRow(**row) if row else None


def make(db: Connection, url: str, events: list[str], sealed: str, created_by: UUID) -> WebhookRow:
    row = db.execute(_MAKE, {"url": url, "events": events, "sealed": sealed, "created_by": created_by}).fetchone()
    assert row is not None
    return WebhookRow(**row)


def rotate(db: Connection, webhook_id: UUID, sealed: str, until: datetime) -> bool:
    """The secret before signs too, until then. False when there is no such webhook."""
    return db.execute(_ROTATE, {"id": webhook_id, "sealed": sealed, "until": until}).rowcount == 1


def delete(db: Connection, webhook_id: UUID) -> bool:
    query = "update webhooks set deleted_at = now() where id = %s and deleted_at is null"
    return db.execute(query, (webhook_id,)).rowcount == 1


def tell(db: Connection, event: str, key: str, body: Mapping[str, Any], *, only: UUID | None = None) -> None:
    """In the transaction of what happened: everybody who wants this event gets it, once per key. A worker sends it."""
    db.execute(_TELL, {"event": event, "key": key, "body": json(dict(body)), "only": only})


def deliveries(
    db: Connection, webhook_id: UUID, after: tuple[datetime, UUID] | None, limit: int
) -> tuple[DeliveryRow, ...]:
    at, key = after or (None, None)
    values = {"webhook": webhook_id, "at": at, "id": key, "limit": limit}
    return tuple(DeliveryRow(**row) for row in db.execute(_DELIVERIES, values))


def due(db: Connection, delivery_id: UUID) -> Due | None:
    """None when it is settled."""
    row = db.execute(_DUE, (delivery_id,)).fetchone()
    return Due(**row) if row else None


def tried(db: Connection, delivery_id: UUID, status: str, answered: int | None, error: str | None) -> None:
    db.execute(_TRIED, {"id": delivery_id, "status": status, "answered": answered, "error": error})


def disable(db: Connection, webhook_id: UUID, why: str) -> None:
    db.execute("update webhooks set disabled_at = now(), disabled_why = %s where id = %s", (why, webhook_id))
