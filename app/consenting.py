"""`strowger consent`: writes down what a person agreed to, and where the proof lies: "has consent: yes" is none."""

from __future__ import annotations

from datetime import UTC, datetime

import typer

from app.compliance.number import normalise
from app.errors import BadInput
from app.local import opened, owner_of
from app.settings import load
from app.store import audit, consents
from app.store.consents import NewConsent


def record(number: str, *, wording: str, evidence: str, given_at: datetime | None) -> int:
    """A written marketing consent for the workspace that owns TWILIO_NUMBER. Raises BadInput for what is missing."""
    phone = normalise(number)
    if phone is None:
        raise BadInput(f"{number!r} is not a telephone number with country code, such as +12025550111.")
    if not wording.strip() or not evidence.strip():
        raise BadInput(
            "Give both: the exact text the person agreed to (--wording) and where the proof lies (--evidence)."
        )
    at = (given_at or datetime.now(UTC)).astimezone(UTC)
    if at > datetime.now(UTC):
        raise BadInput(f"The consent cannot have been given in the future ({at:%Y-%m-%d %H:%M} UTC).")
    settings = load()
    with opened(settings) as database, database.worker(owner_of(database, settings)) as db:
        consents.give(db, NewConsent(phone, "marketing", "written", wording, evidence, at, channel="staff"))
        audit.write(db, "command line", "consent.record", phone, {"evidence": evidence})
    typer.echo(f"Kept: written consent of {phone}, given {at:%Y-%m-%d %H:%M} UTC. Calls still need the right hour.")
    return 0
