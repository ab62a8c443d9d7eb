"""People who asked to be left alone. Rows are only ever added."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from app.store.connect import Connection

_ADD = """
    insert into suppressions (workspace_id, phone, channel_scope, reason, evidence, call_id)
    values (strowger.here(), %(phone)s, %(channel_scope)s, %(reason)s, %(evidence)s, %(call_id)s)
    on conflict (workspace_id, phone_hash, channel_scope) do nothing
"""


def add(
    db: Connection,
    phone: str,
    channel_scope: str = "all",
    reason: str = "asked",
    evidence: str = "",
    call_id: UUID | None = None,
) -> bool:
    """False when the number was suppressed for this scope before. `phone` is E.164; `channel_scope` all, voice or
    whatsapp; `evidence` the person's words, or who entered it and why."""
    values = {
        "phone": phone,
        "channel_scope": channel_scope,
        "reason": reason,
        "evidence": evidence,
        "call_id": call_id,
    }
    return db.execute(_ADD, values).rowcount == 1


def is_suppressed(db: Connection, phone: str, channel: str = "all") -> bool:
    """For `channel` all, voice or whatsapp; "all" asks whether any channel is closed. Finds erased contacts, too."""
    row = db.execute("select strowger.is_suppressed(%s, %s) as yes", (phone, channel)).fetchone()
    return row is None or bool(row["yes"])


@dataclass(frozen=True, slots=True)
class OptOut:
    """What a call's log says about somebody who wants to be left alone."""

    workspace_id: UUID
    call_id: UUID
    phone: str
    words: str


def not_listed(system_db: Connection, since: datetime, most: int = 100) -> tuple[OptOut, ...]:
    """Opt-outs in the logs, written since then, that are on no list. There should be none."""
    found = system_db.execute("select * from strowger.optouts_not_listed(%s, %s)", (since, most))
    return tuple(OptOut(**row) for row in found)
