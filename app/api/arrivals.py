"""A call as it arrives, in the database: whose number, which lead, which playbook, and the token for its stream.

Each function is the work of one transaction and may run twice for the same call without a second effect.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from app.api.carrier import Webhook
from app.api.tokens import LIFETIME, hash_of
from app.store import calls, leads, playbooks
from app.store.calls import CallRow, NewCall
from app.store.connect import Connection
from app.store.workspaces import Number
from app.telephony.caller_id import number_of


@dataclass(frozen=True, slots=True)
class Arrival:
    """One of the two sides is us. `attempt` is set on calls we placed: the reservation the gate allowed."""

    call_sid: str
    account_sid: str
    outbound: bool
    caller: str
    called: str
    attempt: UUID | None

    @property
    def ours(self) -> str:
        return self.caller if self.outbound else self.called

    @property
    def theirs(self) -> str | None:
        """None when the caller withheld the number."""
        return number_of(self.called if self.outbound else self.caller)


def read_arrival(webhook: Webhook, attempt: UUID | None) -> Arrival:
    return Arrival(
        call_sid=webhook.call_sid,
        account_sid=webhook.get("AccountSid"),
        outbound=webhook.get("Direction", "inbound").startswith("outbound"),
        caller=webhook.get("From"),
        called=webhook.get("To"),
        attempt=attempt,
    )


def ring(db: Connection, arrival: Arrival, number: Number) -> CallRow:
    """The call's row, the same one however often the carrier asks. Raises Conflict for a call we never reserved."""
    calls.one_at_a_time(db, arrival.call_sid)
    known = calls.get(db, arrival.call_sid)
    if known is not None:
        return known
    source = "outbound_call" if arrival.outbound else "inbound_call"
    lead = leads.find_or_create(db, arrival.theirs or "", source)
    version, _ = playbooks.published(db, number.playbook)
    return calls.ring(
        db,
        NewCall(
            call_sid=arrival.call_sid,
            direction="outbound" if arrival.outbound else "inbound",
            caller=arrival.caller,
            called=arrival.called,
            playbook=number.playbook,
            playbook_version=version,
            lead_id=lead.id,
            attempt_id=arrival.attempt,
            account_sid=arrival.account_sid,
        ),
    )


def admit_stream(db: Connection, call: CallRow, token: str, now: datetime) -> None:
    """The hash of the token, good for one socket within a minute."""
    calls.issue_token(db, call.id, hash_of(token), now + LIFETIME)
