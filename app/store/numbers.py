"""Telephone numbers of a workspace."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from app.store.connect import Connection

_ADD = """
    insert into phone_numbers (workspace_id, e164, playbook, whatsapp) values (strowger.here(), %s, %s, %s)
    returning id, e164, playbook, whatsapp
"""
_CHANGE = """
    update phone_numbers set playbook = coalesce(%s, playbook), whatsapp = coalesce(%s, whatsapp) where id = %s
    returning id, e164, playbook, whatsapp
"""


@dataclass(frozen=True, slots=True)
class PhoneNumber:
    id: UUID
    e164: str
    playbook: str
    whatsapp: bool


def all_of(db: Connection) -> Sequence[PhoneNumber]:
    query = "select id, e164, playbook, whatsapp from phone_numbers order by created_at, e164"
    return [PhoneNumber(**row) for row in db.execute(query)]


def add(db: Connection, e164: str, playbook: str, *, whatsapp: bool = False) -> PhoneNumber:
    """Raises Conflict: the number belongs to somebody already, or there is no such playbook."""
    row = db.execute(_ADD, (e164, playbook, whatsapp)).fetchone()
    assert row is not None
    return PhoneNumber(**row)


def change(db: Connection, number_id: UUID, playbook: str | None, whatsapp: bool | None) -> PhoneNumber | None:
    """None leaves as it is. None when there is no such number."""
    row = db.execute(_CHANGE, (playbook, whatsapp, number_id)).fetchone()
    return PhoneNumber(**row) if row else None


def remove(db: Connection, number_id: UUID) -> str | None:
    """What it was."""
    row = db.execute("delete from phone_numbers where id = %s returning e164", (number_id,)).fetchone()
    return row["e164"] if row else None
