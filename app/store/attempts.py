"""Attempts to call a lead: each is reserved, under the caps, before the carrier is asked to dial."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from app.compliance.gate import Decision
from app.errors import CallRefused
from app.store import decisions, suppressions
from app.store.connect import Connection

# The last wall: the gate's rules file may be stricter, never this laxer.
PER_24H = 3
APART = timedelta(hours=4)

CAPS, SUPPRESSED = "caps.attempts", "C07.suppressed"

_PAST = "select reserved_at from attempts where lead_id = %s and reserved_at > %s order by reserved_at"
_RESERVE = """
    insert into attempts (workspace_id, lead_id, decision_id, number, reserved_at)
    select strowger.here(), %(lead_id)s, %(decision_id)s, coalesce(max(a.number), 0) + 1, %(now)s
    from attempts a where a.lead_id = %(lead_id)s
    returning id
"""


def recent(db: Connection, lead_id: UUID, now: datetime) -> tuple[datetime, ...]:
    """When this lead was tried in the last 24 hours, oldest first."""
    rows = db.execute(_PAST, (lead_id, now - timedelta(hours=24)))
    return tuple(row["reserved_at"] for row in rows)


def reserve(db: Connection, lead_id: UUID, phone: str, decision: Decision, now: datetime) -> UUID:
    """The id of the attempt. Stores the decision with it. Raises CallRefused, so that nothing of this is kept, when the
    gate did not allow it or when, with the lead locked, a cap or a suppression of the last moment forbids it."""
    if not decision.allowed or decision.phone != phone:
        raise CallRefused(str(decision) if not decision.allowed else "this decision was about another number")
    # Fifty workers may want to dial the same lead: they pass here one by one.
    if db.execute("select id from leads where id = %s and phone = %s for update", (lead_id, phone)).fetchone() is None:
        raise CallRefused("no lead with this number is known")
    if suppressions.is_suppressed(db, phone, "voice"):
        raise _refused(SUPPRESSED, "This person asked not to be contacted.")
    past = recent(db, lead_id, now)
    if len(past) >= PER_24H:
        raise _refused(CAPS, f"This person was called {len(past)} times in 24 hours.")
    if past and now < past[-1] + APART:
        raise _refused(CAPS, "This person was called less than 4 hours ago.")
    decision_id = decisions.store(db, decision)
    row = db.execute(_RESERVE, {"lead_id": lead_id, "decision_id": decision_id, "now": now}).fetchone()
    assert row is not None
    attempt_id: UUID = row["id"]
    return attempt_id


def _refused(rule: str, reason: str) -> CallRefused:
    return CallRefused(reason, findings=((rule, reason),))
