"""What a workspace wants to be told, and where."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from app.sales.notices import USUAL, Channel, Kind, Rule
from app.store.connect import Connection

_SET = """
    insert into notification_rules (workspace_id, kind, enabled, channels, threshold, urgent, updated_by)
    values (strowger.here(), %(kind)s, %(enabled)s, %(channels)s, %(threshold)s, %(urgent)s, %(by)s)
    on conflict (workspace_id, kind) do update set
        enabled = %(enabled)s, channels = %(channels)s, threshold = %(threshold)s, urgent = %(urgent)s,
        updated_at = now(), updated_by = %(by)s
"""
_SET_EMAILS = """
    insert into notification_addresses (workspace_id, emails, updated_by) values (strowger.here(), %(emails)s, %(by)s)
    on conflict (workspace_id) do update set emails = %(emails)s, updated_at = now(), updated_by = %(by)s
"""
_SET_SLACK = """
    update notification_addresses set slack_sealed = %(sealed)s, slack_host = %(host)s, updated_at = now()
    where workspace_id = strowger.here()
"""
_SUBSCRIBE = """
    insert into push_subscriptions (workspace_id, user_id, endpoint, p256dh, auth, vapid)
    values (strowger.here(), %(user)s, %(endpoint)s, %(p256dh)s, %(auth)s, %(vapid)s)
    on conflict (workspace_id, user_id, endpoint) do update set
        p256dh = excluded.p256dh, auth = excluded.auth, vapid = excluded.vapid
    returning id
"""
MOST_BROWSERS = 20  # of one person
_FORGET_OLDEST = """
    delete from push_subscriptions where user_id = %(user)s and id not in (
        select id from push_subscriptions where user_id = %(user)s order by created_at desc, id limit %(most)s
    )
"""
# Who is no member any more is told nothing more.
_BROWSERS = """
    select s.id from push_subscriptions s join members m on m.workspace_id = s.workspace_id and m.user_id = s.user_id
    where %(user)s::uuid is null or s.user_id = %(user)s order by s.created_at, s.id
"""


@dataclass(frozen=True, slots=True)
class Addresses:
    """`slack_host` only tells that there is a chat, and at whose place."""

    emails: tuple[str, ...] = ()
    slack_host: str | None = None


def rules(db: Connection) -> tuple[Rule, ...]:
    """One of each kind: the workspace's own, else the usual one."""
    rows = db.execute("select kind, enabled, channels, threshold, urgent from notification_rules")
    own = {Kind(row["kind"]): _rule(row) for row in rows}
    return tuple(own.get(kind, USUAL[kind]) for kind in Kind)


def set_rules(db: Connection, wanted: Iterable[Rule], by: UUID) -> None:
    for rule in wanted:
        values = {
            "kind": rule.kind.value,
            "enabled": rule.on,
            "channels": sorted(channel.value for channel in rule.channels),
            "threshold": rule.threshold,
            "urgent": rule.urgent,
            "by": by,
        }
        db.execute(_SET, values)


def addresses(db: Connection) -> Addresses:
    row = db.execute("select emails, slack_host from notification_addresses").fetchone()
    return Addresses(tuple(row["emails"]), row["slack_host"]) if row else Addresses()


def set_emails(db: Connection, emails: Sequence[str], by: UUID) -> None:
    db.execute(_SET_EMAILS, {"emails": list(emails), "by": by})


def set_slack(db: Connection, sealed: str | None, host: str | None) -> None:
    """After `set_emails`, which makes the row."""
    db.execute(_SET_SLACK, {"sealed": sealed, "host": host})


def subscribe(worker_db: Connection, user: UUID, endpoint: str, keys: tuple[str, str], vapid: str) -> UUID:
    """The same browser again is the same subscription; of too many browsers the oldest are forgotten."""
    p256dh, auth = keys
    values = {"user": user, "endpoint": endpoint, "p256dh": p256dh, "auth": auth, "vapid": vapid}
    row = worker_db.execute(_SUBSCRIBE, values).fetchone()
    assert row is not None
    worker_db.execute(_FORGET_OLDEST, {"user": user, "most": MOST_BROWSERS})
    found: UUID = row["id"]
    return found


def unsubscribe(worker_db: Connection, user: UUID, subscription: UUID) -> bool:
    query = "delete from push_subscriptions where user_id = %s and id = %s"
    return worker_db.execute(query, (user, subscription)).rowcount > 0


def forget(worker_db: Connection, subscription: str) -> None:
    """The browser wants nothing more."""
    worker_db.execute("delete from push_subscriptions where id::text = %s", (subscription,))


def browsers(worker_db: Connection, user: UUID | None = None) -> tuple[str, ...]:
    """Ids of the subscriptions of everybody, or of one person."""
    return tuple(str(row["id"]) for row in worker_db.execute(_BROWSERS, {"user": user}))


def _rule(row: dict[str, Any]) -> Rule:
    return Rule(
        kind=Kind(row["kind"]),
        on=row["enabled"],
        channels=frozenset(Channel(one) for one in row["channels"]),
        threshold=None if row["threshold"] is None else float(row["threshold"]),
        urgent=row["urgent"],
    )
