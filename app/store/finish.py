"""The end of a call, in one transaction: the log complete, its outcome, its transcript, and the jobs it causes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

from app.dialog.events import Entry
from app.dialog.transcript import transcript_of
from app.sales.outcome import Outcome, Result, outcome_of
from app.store import call_events, calls, leads, outbox, outcomes, promises, turns, webhooks
from app.store.calls import CallRow
from app.store.connect import Connection


def finish_call(db: Connection, call: CallRow, entries: Sequence[Entry]) -> bool:
    """False when this call has its outcome already: the process that held it and the reconciler may both come here.

    `entries` may be the log as the process remembers it: what the journal has not written yet is written here.
    """
    calls.one_at_a_time(db, call.call_sid)  # or two who write the same rows in another order wait for each other
    outcome = outcome_of(call.call_sid, entries)
    lead_id = call.lead_id or _lead_of(db, call)
    if not outcomes.record(db, call.id, lead_id, outcome):
        return False
    now = datetime.now(UTC)
    call_events.append(db, call.id, entries)
    promises.keep(db, call, entries, now)
    turns.replace_turns(db, call.id, transcript_of(entries))
    calls.end(db, call.call_sid, outcome.reason, now)
    if outcome.facts:
        leads.learn(db, lead_id, outcome.facts)
    outbox.put(db, "score", call.call_sid)
    webhooks.tell(db, "call.ended", call.call_sid, _told(call, lead_id, outcome, now))
    if _follows_up(outcome):
        outbox.put(db, "followup", call.call_sid)
    return True


def _told(call: CallRow, lead_id: UUID, outcome: Outcome, now: datetime) -> dict[str, object]:
    """Ids and results only: who wants the words asks the API for them, with a key."""
    return {
        "call_sid": call.call_sid,
        "lead_id": str(lead_id),
        "direction": call.direction,
        "result": outcome.result.value,
        "reason": outcome.reason,
        "ended_at": (call.ended_at or now).isoformat(),
    }


def _lead_of(db: Connection, call: CallRow) -> UUID:
    lead = leads.find_or_create(db, call.phone or "", f"{call.direction}_call")
    calls.attach_lead(db, call.call_sid, lead.id)
    return lead.id


def _follows_up(outcome: Outcome) -> bool:
    """Somebody who opted out is not written to, whatever was promised before. The sender asks the gate once more."""
    return outcome.follow_up is not None and outcome.result is not Result.OPTED_OUT
