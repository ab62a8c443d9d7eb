"""Playbooks as people edit them: the list, the draft, past versions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from app.store.connect import Connection
from app.store.values import text as storable

_LIST = """
    select p.name, v.version, v.published_at, v.published_by, d.yaml is not null as draft
    from playbooks p
    join lateral (
        select version, published_at, published_by from playbook_versions
        where workspace_id = p.workspace_id and playbook_id = p.id order by version desc limit 1
    ) v on true
    left join playbook_drafts d on d.workspace_id = p.workspace_id and d.playbook_id = p.id
    where %(name)s::text is null or p.name = %(name)s
    order by p.name
"""
_VERSIONS = """
    select v.version, v.published_at, v.published_by, v.sha256
    from playbooks p join playbook_versions v on v.workspace_id = p.workspace_id and v.playbook_id = p.id
    where p.name = %s order by v.version desc
"""
_DRAFT = """
    select d.yaml from playbook_drafts d
    join playbooks p on p.workspace_id = d.workspace_id and p.id = d.playbook_id where p.name = %s
"""
_SAVE = """
    insert into playbook_drafts (workspace_id, playbook_id, yaml, saved_by)
    select p.workspace_id, p.id, %(yaml)s, %(by)s from playbooks p where p.name = %(name)s
    on conflict (workspace_id, playbook_id) do update
        set yaml = excluded.yaml, saved_by = excluded.saved_by, saved_at = now()
"""
_DROP = """
    delete from playbook_drafts d using playbooks p
    where p.workspace_id = d.workspace_id and p.id = d.playbook_id and p.name = %s
"""


@dataclass(frozen=True, slots=True)
class Shelf:
    """One playbook: its version in use, and whether a draft waits."""

    name: str
    version: int
    published_at: datetime
    published_by: str
    draft: bool


@dataclass(frozen=True, slots=True)
class Version:
    version: int
    published_at: datetime
    published_by: str
    sha256: str


def shelves(db: Connection) -> Sequence[Shelf]:
    return [Shelf(**row) for row in db.execute(_LIST, {"name": None})]


def shelf(db: Connection, name: str) -> Shelf | None:
    row = db.execute(_LIST, {"name": name}).fetchone()
    return Shelf(**row) if row else None


def versions(db: Connection, name: str) -> Sequence[Version]:
    """Newest first."""
    return [Version(**row) for row in db.execute(_VERSIONS, (name,))]


def draft(db: Connection, name: str) -> str | None:
    row = db.execute(_DRAFT, (name,)).fetchone()
    return str(row["yaml"]) if row else None


def save(db: Connection, name: str, yaml: str, by: str) -> bool:
    """False when there is no such playbook."""
    return db.execute(_SAVE, {"name": name, "yaml": storable(yaml), "by": by}).rowcount == 1


def drop(db: Connection, name: str) -> None:
    db.execute(_DROP, (name,))
