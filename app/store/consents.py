"""What people agreed to, in the words they were shown, until they take it back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from app.compliance.gate import Consent
from app.store.connect import Connection

_GIVE = """
    insert into consents (workspace_id, phone, purpose, kind, wording, channel, evidence, call_id, given_at)
    values (strowger.here(), %(phone)s, %(purpose)s, %(kind)s, %(wording)s, %(channel)s, %(evidence)s, %(call_id)s,
            %(given_at)s)
    on conflict (workspace_id, call_id, purpose) where call_id is not null do nothing
"""
_REVOKE = """
    update consents set revoked_at = greatest(%(at)s, given_at), revoked_how = %(how)s
    where phone = %(phone)s and revoked_at is null and (%(purpose)s::text is null or purpose = %(purpose)s)
"""
_OF = """
    select phone, workspace_id, kind, purpose, wording, evidence, given_at, revoked_at
    from consents where phone = %s order by given_at desc
"""
_CURRENT = """
    select phone, workspace_id, kind, purpose, wording, evidence, given_at, revoked_at
    from consents where phone = %(phone)s and purpose = %(purpose)s and revoked_at is null
    order by given_at desc limit 1
"""


@dataclass(frozen=True, slots=True)
class NewConsent:
    """`kind`: oral, written or whatsapp. `purpose`: marketing, informational, whatsapp or recording. `wording` is the
    exact text shown or read; `evidence` says where the proof lies."""

    phone: str
    purpose: str
    kind: str
    wording: str
    evidence: str
    given_at: datetime
    channel: str = "call"
    call_id: UUID | None = None


def give(db: Connection, consent: NewConsent) -> bool:
    """False when this call gave it before."""
    return db.execute(_GIVE, asdict(consent)).rowcount == 1


def revoke(db: Connection, phone: str, how: str, at: datetime, purpose: str | None = None) -> int:
    """How many consents ended; `purpose` None means all of them. `how` are the person's words, or who entered it."""
    return db.execute(_REVOKE, {"phone": phone, "how": how, "at": at, "purpose": purpose}).rowcount


def current(db: Connection, phone: str, purpose: str) -> Consent | None:
    """The consent in force."""
    row = db.execute(_CURRENT, {"phone": phone, "purpose": purpose}).fetchone()
    return _from_row(row) if row else None


def of(db: Connection, phone: str) -> tuple[Consent, ...]:
    """All of a person's consents, also the revoked ones, newest first: what the gate looks at."""
    return tuple(_from_row(row) for row in db.execute(_OF, (phone,)))


def _from_row(row: Mapping[str, Any]) -> Consent:
    values = dict(row)
    return Consent(seller=str(values.pop("workspace_id")), **values)
