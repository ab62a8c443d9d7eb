"""Copies of people's voices: the consent first, then what became of the voice."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from app.errors import Conflict, NotFound
from app.store.connect import Connection

_KEEP = """
    insert into voices (workspace_id, provider, name, speaker, wording, evidence, evidence_sha256, samples_sha256,
                        consented_at, kept_by)
    values (strowger.here(), %(provider)s, %(name)s, %(speaker)s, %(wording)s, %(evidence)s, %(evidence_sha256)s,
            %(samples_sha256)s, %(consented_at)s, %(kept_by)s)
    on conflict (workspace_id, name) where deleted_at is null do nothing
    returning id
"""
_ALL = """
    select id, provider, name, speaker, wording, evidence, evidence_sha256, consented_at, voice_id, deleted_at
    from voices order by created_at
"""
_NAMED = """
    select id, provider, name, speaker, wording, evidence, evidence_sha256, consented_at, voice_id, deleted_at
    from voices where name = %s and deleted_at is null
"""
_MADE = "update voices set voice_id = %(voice_id)s, made_at = %(at)s where id = %(id)s"
_DELETED = """
    update voices set deleted_at = greatest(%(at)s, created_at), deleted_how = %(how)s
    where id = %(id)s and deleted_at is null
"""


@dataclass(frozen=True, slots=True)
class VoiceConsent:
    """`speaker` agreed to `wording` in the recording that lies at `evidence`. `kept_by`: who entered it."""

    provider: str
    name: str
    speaker: str
    wording: str
    evidence: str
    evidence_sha256: str
    samples_sha256: list[str]
    consented_at: datetime
    kept_by: str


@dataclass(frozen=True, slots=True)
class Voice:
    """`voice_id` None: agreed to, but not made as far as is known."""

    id: UUID
    provider: str
    name: str
    speaker: str
    wording: str
    evidence: str
    evidence_sha256: str
    consented_at: datetime
    voice_id: str | None
    deleted_at: datetime | None


def keep(db: Connection, consent: VoiceConsent) -> UUID:
    """Raises Conflict while there is a voice of this name."""
    row = db.execute(_KEEP, asdict(consent)).fetchone()
    if row is None:
        raise Conflict(f"There is a voice {consent.name!r} already; delete it first, or take another name.")
    return UUID(str(row["id"]))


def made(db: Connection, voice: UUID, voice_id: str, at: datetime) -> None:
    db.execute(_MADE, {"id": voice, "voice_id": voice_id, "at": at})


def deleted(db: Connection, voice: UUID, how: str, at: datetime) -> bool:
    """False when it was before. `how`: why, and who says so."""
    return db.execute(_DELETED, {"id": voice, "how": how, "at": at}).rowcount == 1


def named(db: Connection, name: str) -> Voice:
    """Raises NotFound for one that is not there (any more)."""
    row = db.execute(_NAMED, (name,)).fetchone()
    if row is None:
        raise NotFound(f"There is no voice {name!r}; `strowger voice list` shows those there are.")
    return _from_row(row)


def of(db: Connection) -> tuple[Voice, ...]:
    """All of the workspace, the deleted ones too, oldest first."""
    return tuple(_from_row(row) for row in db.execute(_ALL))


def not_ours(db: Connection, provider: str, voice_id: str) -> bool:
    """A person's voice that was agreed to for somebody else, or not any more."""
    row = db.execute("select strowger.voice_is_not_ours(%s, %s) as found", (provider, voice_id)).fetchone()
    return bool(row and row["found"])


def _from_row(row: Mapping[str, Any]) -> Voice:
    return Voice(**row)
