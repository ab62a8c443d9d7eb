"""What some facts of a call promise beyond the log: an opt-out closes every channel, a consent is kept as given."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from app.dialog.events import ConsentGiven, Entry, OptedOut, RecordingRefused
from app.store import consents, suppressions
from app.store.calls import CallRow
from app.store.connect import Connection

# What the person said yes to -> (kind, purpose) of the consent. Anything else is an oral yes to being contacted.
_CONSENTS = {"whatsapp": ("whatsapp", "whatsapp"), "recording": ("oral", "recording")}
_OTHERWISE = ("oral", "informational")


def keep(db: Connection, call: CallRow, entries: Iterable[Entry], at: datetime) -> None:
    """In the transaction that writes the entries. May be repeated. Nothing for a caller who withheld their number:
    there is nobody to remember."""
    phone = call.phone
    if phone is None:
        return
    evidence = f"call {call.call_sid}"
    for entry in entries:
        match entry.fact:
            case OptedOut(words):
                said = f"{evidence}: {words}" if words else evidence
                suppressions.add(db, phone, "all", "asked in a call", said, call.id)
                consents.revoke(db, phone, said, at)
            case RecordingRefused():
                consents.revoke(db, phone, evidence, at, purpose="recording")
            case ConsentGiven(what, wording):
                kind, purpose = _CONSENTS.get(what, _OTHERWISE)
                given = consents.NewConsent(phone, purpose, kind, wording or what, evidence, at, call_id=call.id)
                consents.give(db, given)
