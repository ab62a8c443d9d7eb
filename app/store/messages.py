"""WhatsApp messages. An outgoing one is claimed, and the claim committed, before anything is sent."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from app.store.connect import Connection
from app.store.values import text as storable

OUTSIDE_WINDOW = "63016"
AS_TEMPLATE = ":template"  # added to the name of a message that is sent again, so that this happens once, too

_CLAIM = """
    insert into messages (workspace_id, direction, call_id, lead_id, template, recipient, sender, text, status)
    select c.workspace_id, 'outbound', c.id, c.lead_id, %(template)s, %(to)s, %(sender)s, %(text)s, 'claimed'
    from calls c where c.id = %(call_id)s
    on conflict (call_id, template) do update set status = 'claimed', status_at = now(), error = null
        where messages.status = 'released'
    returning id, call_id, template, recipient as to, sender, text
"""
_SETTLE = """
    update messages set provider_sid = %(provider_sid)s, status_at = now(),
        status = case when status = 'claimed' then 'queued' else status end
    where id = %(id)s and (provider_sid is null or provider_sid = %(provider_sid)s)
"""
_DELIVERY = """
    update messages set status = %(status)s, status_at = now(), error = coalesce(%(error)s, error)
    where provider_sid = %(provider_sid)s and direction = 'outbound'
      and strowger.message_rank(%(status)s) > strowger.message_rank(status)
"""
_SEND_AGAIN = """
    insert into outbox (workspace_id, kind, key)
    select m.workspace_id, 'resend', c.call_sid || ':' || m.template
    from messages m join calls c on c.id = m.call_id
    where m.provider_sid = %(provider_sid)s and m.template not like '%%' || %(again)s
    on conflict (workspace_id, kind, key) do nothing
"""
_RECEIVE = """
    insert into messages (workspace_id, direction, lead_id, sender, recipient, text, status, provider_sid)
    values (strowger.here(), 'inbound', %(lead_id)s, %(sender)s, %(to)s, %(text)s, 'received', %(provider_sid)s)
    on conflict (workspace_id, provider_sid) do nothing
"""
_LAST_INBOUND = "select max(created_at) as at from messages where direction = 'inbound' and sender = %s"
_OF_CALL = """
    select m.id, m.template, m.recipient as to, m.sender, m.text, m.status, m.provider_sid, m.error
    from messages m join calls c on c.id = m.call_id
    where c.call_sid = %s order by m.created_at
"""
_UNSETTLED = """
    select id, call_id, template, recipient as to, sender, text from messages
    where status = 'claimed' and provider_sid is null and status_at < %s order by status_at
"""


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to send this message, once. `id` is the reference to give to the provider."""

    id: UUID
    call_id: UUID
    template: str
    to: str
    sender: str
    text: str


@dataclass(frozen=True, slots=True)
class Message:
    id: UUID
    template: str | None
    to: str
    sender: str
    text: str
    status: str
    provider_sid: str | None
    error: str | None


def claim(db: Connection, call_id: UUID, template: str, to: str, sender: str, text: str) -> Claim | None:
    """None when this call's message was claimed before and not released (P5)."""
    values = {"call_id": call_id, "template": template, "to": to, "sender": sender, "text": text}
    row = db.execute(_CLAIM, values).fetchone()
    return Claim(**row) if row else None


def release(db: Connection, claim_id: UUID) -> bool:
    """Only when it is sure that the provider did not accept the message."""
    query = """
        update messages set status = 'released', status_at = now()
        where id = %s and status = 'claimed' and provider_sid is null
    """
    return db.execute(query, (claim_id,)).rowcount == 1


def settle(db: Connection, claim_id: UUID, provider_sid: str) -> bool:
    """The provider accepted it under this id. A receipt may have come first: the status never moves backwards."""
    return db.execute(_SETTLE, {"id": claim_id, "provider_sid": provider_sid}).rowcount == 1


def fail(db: Connection, claim_id: UUID, error: str) -> bool:
    """The provider said a final no."""
    query = """
        update messages set status = 'failed', status_at = now(), error = %s where id = %s and status = 'claimed'
    """
    return db.execute(query, (error, claim_id)).rowcount == 1


def set_delivery(db: Connection, provider_sid: str, status: str, error: str | None = None) -> bool:
    """False when the message is unknown or was already there or further. `error` begins with the provider's number.

    A text that came too late for the 24-hour window causes a job in the same transaction: once more, as a template.
    """
    values = {"provider_sid": provider_sid, "status": status, "error": error, "again": AS_TEMPLATE}
    new = db.execute(_DELIVERY, values).rowcount == 1
    if new and error is not None and error.startswith(OUTSIDE_WINDOW):
        db.execute(_SEND_AGAIN, values)
    return new


def receive(db: Connection, provider_sid: str, sender: str, to: str, text: str, lead_id: UUID | None = None) -> bool:
    """What a person wrote to us. False when it was delivered before."""
    values = {
        "provider_sid": provider_sid,
        "sender": sender,
        "to": to,
        "text": storable(text),
        "lead_id": lead_id,
    }
    return db.execute(_RECEIVE, values).rowcount == 1


def last_inbound_at(db: Connection, phone: str) -> datetime | None:
    """When this person last wrote: free text may be sent for 24 hours from then."""
    row = db.execute(_LAST_INBOUND, (phone,)).fetchone()
    return row["at"] if row else None


def of_call(db: Connection, call_sid: str) -> tuple[Message, ...]:
    return tuple(Message(**row) for row in db.execute(_OF_CALL, (call_sid,)))


def unsettled(db: Connection, before: datetime) -> tuple[Claim, ...]:
    """Claims made before `before` of which nobody knows whether they were sent: look them up, never send again."""
    return tuple(Claim(**row) for row in db.execute(_UNSETTLED, (before,)))


@dataclass(frozen=True, slots=True)
class Standing:
    """A claim that somebody holds, or held when their process died: taken first at `first`, last at `since`."""

    claim: Claim
    first: datetime
    since: datetime


def standing(db: Connection, call_id: UUID, template: str) -> Standing | None:
    """The claim on this message, if there is one of which nobody knows yet whether it was sent."""
    query = """
        select id, call_id, template, recipient as to, sender, text, created_at as first, status_at as since
        from messages
        where call_id = %s and template = %s and status = 'claimed' and provider_sid is null
    """
    row = db.execute(query, (call_id, template)).fetchone()
    return Standing(first=row.pop("first"), since=row.pop("since"), claim=Claim(**row)) if row else None


def take_over(db: Connection, old: Standing) -> bool:
    """The claim is ours from now on. False when somebody else was faster, or it has been settled."""
    query = """
        update messages set status_at = now()
        where id = %s and status = 'claimed' and provider_sid is null and status_at = %s
    """
    return db.execute(query, (old.claim.id, old.since)).rowcount == 1


def accounted(db: Connection, provider_sids: tuple[str, ...]) -> frozenset[str]:
    """Those of these provider ids that belong to a message we know of."""
    found = db.execute("select provider_sid from messages where provider_sid = any(%s)", (list(provider_sids),))
    return frozenset(row["provider_sid"] for row in found)
