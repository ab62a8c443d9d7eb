"""Workspaces, and whose number was dialled."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

import psycopg
from psycopg.rows import dict_row

from app.store import playbooks
from app.store.connect import Connection, translated

DEMO_WORKSPACE = UUID("5707a6e2-0000-4000-8000-000000000001")


@dataclass(frozen=True, slots=True)
class Number:
    """One of our own numbers and what answers on it."""

    workspace_id: UUID
    e164: str
    playbook: str
    whatsapp: bool


def by_number(system_db: Connection, e164: str) -> Number | None:
    """The first question of every webhook: whose number is this?"""
    row = system_db.execute("select * from strowger.number(%s)", (e164,)).fetchone()
    return Number(**row) if row else None


def own_numbers(db: Connection) -> frozenset[str]:
    """The numbers this workspace may call from."""
    return frozenset(row["e164"] for row in db.execute("select e164 from phone_numbers"))


def number_for(db: Connection, playbook: str) -> Number | None:
    """The oldest number that answers with this playbook: what an outgoing call with it shows."""
    query = "select workspace_id, e164, playbook, whatsapp from phone_numbers where playbook = %s order by created_at"
    row = db.execute(query + " limit 1", (playbook,)).fetchone()
    return Number(**row) if row else None


def oldest_number(db: Connection) -> Number | None:
    """What this workspace calls from where nothing else is said."""
    query = "select workspace_id, e164, playbook, whatsapp from phone_numbers order by created_at, e164 limit 1"
    row = db.execute(query).fetchone()
    return Number(**row) if row else None


def seed_demo(
    url: str, *, number: str = "+12025550100", playbook_name: str, playbook_yaml: str, name: str = "Northlight Solar"
) -> UUID:
    """One workspace with a number and a published playbook, for the embedded database. May be repeated: a changed
    playbook becomes a new version. `url` must be the migrating user's, since no other may make a workspace."""
    with translated(), psycopg.connect(url, row_factory=dict_row, prepare_threshold=None, connect_timeout=10) as db:
        db.execute(
            "insert into workspaces (id, name) values (%s, %s) on conflict (id) do nothing", (DEMO_WORKSPACE, name)
        )
        db.execute("select set_config('strowger.workspace_id', %s, true)", (str(DEMO_WORKSPACE),))
        playbooks.publish(db, playbook_name, playbook_yaml, by="seed")
        db.execute(
            """
            insert into phone_numbers (workspace_id, e164, playbook, whatsapp) values (%s, %s, %s, true)
            on conflict (e164) do update set playbook = excluded.playbook
            where phone_numbers.workspace_id = excluded.workspace_id
            """,
            (DEMO_WORKSPACE, number, playbook_name),
        )
    return DEMO_WORKSPACE


def whatsapp_sender(db: Connection, preferred: str) -> str | None:
    """The number to write from: `preferred` if it can, else the oldest that can, None if none can."""
    query = "select e164 from phone_numbers where whatsapp order by (e164 = %s) desc, created_at limit 1"
    row = db.execute(query, (preferred,)).fetchone()
    return str(row["e164"]) if row else None
