"""Calls at the carrier: written when the phone rings, moved forward by status callbacks, never backwards."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from app.errors import Conflict
from app.store.connect import Connection
from app.store.values import json

# A call that neither ended nor said anything for this long was lost with its process; longer than any call may last.
FORGOTTEN_AFTER = timedelta(hours=1)

_E164 = re.compile(r"\+[1-9]\d{6,14}")

_COLUMNS = """
    id, workspace_id, call_sid, account_sid, direction, caller, called, lead_id, attempt_id, playbook, playbook_version,
    status, end_reason, recording_path, created_at, answered_at, ended_at
"""
_RING = f"""
    insert into calls (workspace_id, call_sid, account_sid, direction, caller, called, lead_id, attempt_id, playbook,
                       playbook_version, status)
    values (strowger.here(), %(call_sid)s, %(account_sid)s, %(direction)s, %(caller)s, %(called)s, %(lead_id)s,
            %(attempt_id)s, %(playbook)s, %(playbook_version)s, %(status)s)
    on conflict (call_sid) do nothing
    returning {_COLUMNS}
"""  # noqa: S608 - a constant
_GET = f"select {_COLUMNS} from calls where call_sid = %s"  # noqa: S608
_RECENT = f"select {_COLUMNS} from calls order by created_at desc limit %s"  # noqa: S608
_ISSUE = """
    insert into media_tokens (token_hash, workspace_id, call_id, expires_at)
    values (%(token_hash)s, strowger.here(), %(call_id)s, least(%(expires_at)s, now() + interval '60 seconds'))
    on conflict (token_hash) do nothing
"""
_SET_STATUS = """
    update calls set
        status = %(status)s,
        status_sequence = greatest(status_sequence, %(sequence)s),
        answered_at = case when %(status)s = 'in-progress' then coalesce(answered_at, %(at)s) else answered_at end,
        ended_at = case when strowger.call_rank(%(status)s) = 5 then coalesce(ended_at, %(at)s) else ended_at end
    where call_sid = %(call_sid)s and strowger.call_rank(%(status)s) > strowger.call_rank(status)
"""
_END = """
    update calls set end_reason = coalesce(end_reason, %(reason)s), ended_at = coalesce(ended_at, %(at)s)
    where call_sid = %(call_sid)s
"""
_NOTE = """
    insert into carrier_events (workspace_id, key, call_id, body)
    select c.workspace_id, %(key)s, c.id, %(body)s from calls c where c.call_sid = %(call_sid)s
    on conflict (workspace_id, key) do nothing
"""


@dataclass(frozen=True, slots=True)
class NewCall:
    """What is known when the phone rings. `caller` and `called` are as the carrier gave them."""

    call_sid: str
    direction: str  # "inbound" | "outbound"
    caller: str
    called: str
    playbook: str
    playbook_version: int
    lead_id: UUID | None = None
    attempt_id: UUID | None = None
    account_sid: str = ""
    status: str = "ringing"


@dataclass(frozen=True, slots=True)
class CallRow:
    id: UUID
    workspace_id: UUID
    call_sid: str
    account_sid: str
    direction: str
    caller: str
    called: str
    lead_id: UUID | None
    attempt_id: UUID | None
    playbook: str
    playbook_version: int
    status: str
    end_reason: str | None
    recording_path: str | None
    created_at: datetime
    answered_at: datetime | None
    ended_at: datetime | None

    @property
    def phone(self) -> str | None:
        """The person's number as E.164; None when it was withheld, or is a SIP address."""
        return self.person if _E164.fullmatch(self.person) else None

    @property
    def person(self) -> str:
        """The number of the person we speak with; not always a number when they called us."""
        return self.caller if self.direction == "inbound" else self.called

    @property
    def business(self) -> str:
        """Our own number."""
        return self.called if self.direction == "inbound" else self.caller


def one_at_a_time(db: Connection, call_sid: str) -> None:
    """Deliveries of the same webhook wait for each other until their transactions end (F15, T03)."""
    db.execute("select pg_advisory_xact_lock(hashtextextended(%s, 0))", (call_sid,))


def ring(db: Connection, call: NewCall) -> CallRow:
    """The call, written now or by an earlier delivery of the same webhook. Raises Conflict for another's call_sid."""
    row = db.execute(_RING, asdict(call)).fetchone() or db.execute(_GET, (call.call_sid,)).fetchone()
    if row is None:
        raise Conflict(f"call {call.call_sid} belongs to another workspace")
    return CallRow(**row)


def get(db: Connection, call_sid: str) -> CallRow | None:
    row = db.execute(_GET, (call_sid,)).fetchone()
    return CallRow(**row) if row else None


def is_forgotten(db: Connection, call_sid: str) -> bool:
    """Whether what was said in it was deleted: nothing may be concluded from the rest of its log."""
    row = db.execute("select forgotten_at from calls where call_sid = %s", (call_sid,)).fetchone()
    return row is not None and row["forgotten_at"] is not None


def recent(db: Connection, most: int = 50) -> tuple[CallRow, ...]:
    """Newest first."""
    return tuple(CallRow(**row) for row in db.execute(_RECENT, (most,)))


def issue_token(db: Connection, call_id: UUID, token_hash: str, expires_at: datetime) -> bool:
    """`token_hash` is the SHA-256 of the token in hex. Valid for 60 s at most. False when it was issued before."""
    values = {"call_id": call_id, "token_hash": token_hash, "expires_at": expires_at}
    return db.execute(_ISSUE, values).rowcount == 1


def redeem_token(system_db: Connection, token_hash: str, now: datetime) -> CallRow | None:
    """The call a token admits to; None when it is unknown, too old or was used before."""
    query = f"select {_COLUMNS} from strowger.redeem_media_token(%s, %s)"  # noqa: S608 - a constant
    row = system_db.execute(query, (token_hash, now)).fetchone()
    return CallRow(**row) if row else None


def workspace_of(system_db: Connection, call_sid: str) -> UUID | None:
    """For callbacks that name a call and no number."""
    row = system_db.execute("select strowger.workspace_of_call(%s) as id", (call_sid,)).fetchone()
    return row["id"] if row else None


def set_status(db: Connection, call_sid: str, status: str, sequence: int, at: datetime) -> bool:
    """False when the call was already there or further: callbacks come in any order."""
    values = {"call_sid": call_sid, "status": status, "sequence": sequence, "at": at}
    return db.execute(_SET_STATUS, values).rowcount == 1


def end(db: Connection, call_sid: str, reason: str, at: datetime) -> None:
    """Our own conversation is over, whatever the carrier says later."""
    db.execute(_END, {"call_sid": call_sid, "reason": reason, "at": at})


def note_carrier_event(db: Connection, call_sid: str, key: str, body: Mapping[str, Any]) -> bool:
    """False when this callback was seen before, or no such call is known (T03)."""
    return db.execute(_NOTE, {"call_sid": call_sid, "key": key, "body": json(dict(body))}).rowcount == 1


def attach_lead(db: Connection, call_sid: str, lead_id: UUID) -> None:
    db.execute("update calls set lead_id = %s where call_sid = %s", (lead_id, call_sid))


def lose_recording(db: Connection, call_sid: str, at: datetime) -> None:
    """Its sound was to be kept and could not be."""
    db.execute("update calls set recording_lost_at = %s where call_sid = %s", (at, call_sid))


def finished_without_outcome(
    system_db: Connection, older_than: datetime, most: int = 100
) -> tuple[tuple[UUID, str], ...]:
    """(workspace_id, call_sid) of calls without outcome that ended before `older_than`, or fell silent long before."""
    query = "select workspace_id, call_sid from strowger.calls_without_outcome(%s, %s, %s)"
    found = system_db.execute(query, (older_than, older_than - FORGOTTEN_AFTER, most))
    return tuple((row["workspace_id"], row["call_sid"]) for row in found)
