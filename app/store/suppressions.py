"""People who asked to be left alone. Rows are only ever added."""

from __future__ import annotations

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
