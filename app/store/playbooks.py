"""Published playbooks. A version never changes once it is published."""

from __future__ import annotations

import hashlib

from app.dialog.voice import voices_in
from app.errors import NotFound, Refused
from app.store import calls, voices
from app.store.calls import CallRow
from app.store.connect import Connection

_LATEST = """
    select v.version, v.yaml, v.sha256
    from playbooks p join playbook_versions v on v.playbook_id = p.id
    where p.name = %(name)s
    order by v.version desc
    limit 1
"""
_VERSION = """
    select v.yaml
    from playbooks p join playbook_versions v on v.playbook_id = p.id
    where p.name = %(name)s and v.version = %(version)s
"""
_NAME = """
    insert into playbooks (workspace_id, name) values (strowger.here(), %(name)s)
    on conflict (workspace_id, name) do nothing
"""
_PUBLISH = """
    insert into playbook_versions (workspace_id, playbook_id, version, yaml, sha256, published_by)
    select p.workspace_id, p.id, %(version)s, %(yaml)s, %(sha256)s, %(by)s from playbooks p where p.name = %(name)s
"""


def published(db: Connection, name: str) -> tuple[int, str]:
    """The version in use and its YAML. Raises NotFound."""
    row = db.execute(_LATEST, {"name": name}).fetchone()
    if row is None:
        raise NotFound(f"no playbook {name!r} is published in this workspace")
    return row["version"], row["yaml"]


def text_of(db: Connection, name: str, version: int) -> str:
    """The YAML a past call was held with. Raises NotFound."""
    row = db.execute(_VERSION, {"name": name, "version": version}).fetchone()
    if row is None:
        raise NotFound(f"playbook {name!r} has no version {version} in this workspace")
    return str(row["yaml"])


def of_call(db: Connection, call_sid: str) -> tuple[CallRow, str] | None:
    """The call, and the YAML it is held with. Raises NotFound for a version that is gone."""
    call = calls.get(db, call_sid)
    return None if call is None else (call, text_of(db, call.playbook, call.playbook_version))


def publish(db: Connection, name: str, yaml: str, by: str) -> int:
    """The version it is published as: the current one when nothing changed. Two at once: the later gets Conflict.

    Raises Refused when it names a person's voice that was not agreed to for this workspace, or not any more.
    """
    sha256 = hashlib.sha256(yaml.encode()).hexdigest()
    latest = db.execute(_LATEST, {"name": name}).fetchone()
    if latest is not None and latest["sha256"] == sha256:
        return int(latest["version"])
    for provider, voice_id in voices_in(yaml):
        if voices.not_ours(db, provider, voice_id):
            raise Refused(f"The voice {voice_id!r} of a person was not agreed to for this business, or not any more.")
    version = 1 if latest is None else latest["version"] + 1
    db.execute(_NAME, {"name": name})
    db.execute(_PUBLISH, {"name": name, "version": version, "yaml": yaml, "sha256": sha256, "by": by})
    return int(version)
