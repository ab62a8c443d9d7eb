"""Applies `supabase/migrations` in order, once each, and records them where the Supabase CLI does.

Each file runs in its own transaction together with its record: a file that fails leaves no trace and stops the run.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg

from app.errors import Conflict, NotFound, StoreError
from app.store.connect import translated

ROOT = Path(__file__).resolve().parents[2]
MIGRATIONS = ROOT / "supabase" / "migrations"
STUB = ROOT / "app" / "embedded" / "supabase_stub.sql"

_LOCK = 7_261_991_047  # any number no other program locks; two starters migrate one after the other
_FILE = re.compile(r"(?P<version>\d{14})_(?P<name>[a-z0-9_]+)\.sql")
_RECORDS = """
    create schema if not exists supabase_migrations;
    create table if not exists supabase_migrations.schema_migrations (
        version text primary key, statements text[], name text
    );
"""
# Where a statement may not be cut: comments, strings, quoted names, dollar-quoted bodies.
_TOKEN = re.compile(
    r"--[^\n]*|/\*.*?\*/|'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|(?P<tag>\$(?:[A-Za-z_]\w*)?\$).*?(?P=tag)|;|[^;'\"$/-]+|.",
    re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Migration:
    version: str
    name: str
    sql: str


def migrate(url: str, folder: Path = MIGRATIONS) -> list[str]:
    """The versions applied now, oldest first; empty when the database was up to date."""
    wanted = read(folder)
    with translated(), psycopg.connect(url, autocommit=True, prepare_threshold=None, connect_timeout=10) as db:
        missing = [m for m in wanted if m.version not in _applied(db)]
        if not missing:
            return []
        _require_rights(db)
        return [m.version for m in missing if _apply(db, m)]


def pending(url: str, folder: Path = MIGRATIONS) -> list[str]:
    """The versions `migrate` would apply. Changes nothing."""
    with translated(), psycopg.connect(url, autocommit=True, prepare_threshold=None, connect_timeout=5) as db:
        recorded = db.execute("select to_regclass('supabase_migrations.schema_migrations') is not null").fetchone()
        applied = _applied(db) if recorded is not None and recorded[0] else frozenset()
        return [m.version for m in read(folder) if m.version not in applied]


def ensure_stub(url: str) -> bool:
    """On a plain Postgres, makes what Supabase would provide. True when it did; a Supabase database is left alone."""
    with translated(), psycopg.connect(url, autocommit=True, prepare_threshold=None, connect_timeout=10) as db:
        row = db.execute("select to_regnamespace('auth') is not null").fetchone()
        if row is not None and row[0]:
            return False
        with db.transaction():
            db.execute("select pg_advisory_xact_lock(%s)", (_LOCK,))
            db.execute(STUB.read_bytes())
        return True


def read(folder: Path) -> list[Migration]:
    """The migration files in order. Raises NotFound for a missing folder, Conflict for two files of one version."""
    if not folder.is_dir():
        raise NotFound(f"no migrations at {folder}: run from a checkout or the image, which carry supabase/migrations")
    found = [(path, _FILE.fullmatch(path.name)) for path in sorted(folder.glob("*.sql"))]
    migrations = [Migration(match["version"], match["name"], path.read_text()) for path, match in found if match]
    unreadable = [path.name for path, match in found if match is None]
    if unreadable:
        raise Conflict(f"{unreadable[0]} is not named YYYYMMDDHHMMSS_name.sql")
    versions = [m.version for m in migrations]
    twice = next((v for v in versions if versions.count(v) > 1), None)
    if twice is not None:
        raise Conflict(f"two migrations have the version {twice}")
    return migrations


def statements(sql: str) -> Iterator[str]:
    """The statements of a script, as the CLI records them. The script itself is executed whole, never these."""
    parts: list[str] = []
    for token in _TOKEN.finditer(sql):
        if token[0] == ";":
            if text := "".join(parts).strip():
                yield text
            parts = []
        else:
            parts.append(token[0])
    if text := "".join(parts).strip():
        yield text


def _applied(db: psycopg.Connection) -> set[str]:
    row = db.execute("select to_regclass('supabase_migrations.schema_migrations') is not null").fetchone()
    if row is None or not row[0]:
        with db.transaction():
            db.execute("select pg_advisory_xact_lock(%s)", (_LOCK,))
            db.execute(_RECORDS)
    return {version for (version,) in db.execute("select version from supabase_migrations.schema_migrations")}


def _require_rights(db: psycopg.Connection) -> None:
    """The functions that look across workspaces belong to the migrating user and need its right to."""
    row = db.execute("select rolsuper or rolbypassrls, rolname from pg_roles where rolname = current_user").fetchone()
    if row is None or not row[0]:
        name = row[1] if row else "this user"
        raise StoreError(f"{name} may not bypass row-level security: migrate as the owner (on Supabase: postgres)")


def _apply(db: psycopg.Connection, migration: Migration) -> bool:
    """False when another process applied it while we waited."""
    with db.transaction():
        db.execute("select pg_advisory_xact_lock(%s)", (_LOCK,))
        record = "insert into supabase_migrations.schema_migrations (version, statements, name) values (%s, %s, %s)"
        known = "select 1 from supabase_migrations.schema_migrations where version = %s"
        if db.execute(known, (migration.version,)).fetchone():
            return False
        try:
            db.execute(migration.sql.encode())
        except psycopg.Error as error:
            where = f"migration {migration.version}_{migration.name}"
            raise StoreError(f"{where} failed: {str(error).strip().splitlines()[0]}") from error
        db.execute(record, (migration.version, list(statements(migration.sql)), migration.name))
        return True
