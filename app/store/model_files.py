"""Model files in Postgres: every worker on every machine finds the same bytes under the same hash."""

from __future__ import annotations

import hashlib

from app.store.connect import Connection

_KEEP = """
    insert into model_files (workspace_id, sha256, body) values (strowger.here(), %(sha256)s, %(body)s)
    on conflict (workspace_id, sha256) do nothing
"""


def keep(db: Connection, body: bytes) -> str:
    """Its SHA-256. The same bytes are kept once."""
    digest = hashlib.sha256(body).hexdigest()
    db.execute(_KEEP, {"sha256": digest, "body": body})
    return digest


def fetch(db: Connection, sha256: str) -> bytes | None:
    row = db.execute("select body from model_files where sha256 = %s", (sha256,)).fetchone()
    return bytes(row["body"]) if row else None
