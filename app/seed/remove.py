"""Takes the made-up calls and people out again, with everything that came of them, and leaves what is real.

Only the owner of a database can: most of these tables refuse it to anybody else. What hangs on a removed row is found
by the foreign keys, so that a table which is added later needs no line here.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import psycopg
from psycopg import sql

from app.seed.people import people
from app.seed.write import LEADS, MARK, SEED, WORDING
from app.store.connect import translated

_CALLS = "delete from calls where workspace_id = %s and call_sid like %s returning id"
# Who was called or phoned for real, too, stays.
_PEOPLE = """
    delete from leads l where l.workspace_id = %s and l.phone = any(%s)
      and not exists (select from calls c where c.workspace_id = l.workspace_id and c.lead_id = l.id)
    returning l.phone
"""
_BY_KEY = (
    "delete from outbox where workspace_id = %s and key like %s",
    "delete from webhook_deliveries where workspace_id = %s and key like %s",
    "delete from notifications where workspace_id = %s and call_sid like %s",
    "delete from campaign_leads where workspace_id = %s and call_sid like %s",
)
_AGREED = "delete from consents where workspace_id = %s and phone = any(%s) and wording = %s"
_DECIDED = """
    delete from decisions d where d.workspace_id = %s and d.phone = any(%s)
      and not exists (select from attempts a where a.workspace_id = d.workspace_id and a.decision_id = d.id)
"""
_KEYS = """
    select k.conrelid::regclass::text as child, k.confrelid::regclass::text as parent,
           (select array_agg(a.attname::text order by p.n) from unnest(k.conkey) with ordinality p (num, n)
            join pg_attribute a on a.attrelid = k.conrelid and a.attnum = p.num) as mine,
           (select array_agg(a.attname::text order by p.n) from unnest(k.confkey) with ordinality p (num, n)
            join pg_attribute a on a.attrelid = k.confrelid and a.attnum = p.num) as theirs
    from pg_constraint k where k.contype = 'f' and k.connamespace = 'public'::regnamespace
"""


@dataclass(frozen=True, slots=True)
class Removed:
    calls: int
    leads: int


def remove(url: str, workspace_id: UUID, recordings: Path) -> Removed:
    """`url` must be the owner's of an embedded database. Done twice it removes nothing more."""
    cast = [person.phone for person in people(LEADS, SEED)]
    mine = (workspace_id, f"{MARK}%")
    with translated(), psycopg.connect(url) as db:
        db.execute("set local session_replication_role = replica")  # no triggers: also those that keep evidence
        calls = db.execute(_CALLS, mine).fetchall()
        for statement in _BY_KEY:
            db.execute(statement, mine)
        gone = [phone for (phone,) in db.execute(_PEOPLE, (workspace_id, cast))]
        db.execute(_AGREED, (workspace_id, cast, WORDING))
        _without_parents(db)
        db.execute(_DECIDED, (workspace_id, gone))
    for path in (recordings / "seed").glob(f"{MARK}*.wav"):
        path.unlink(missing_ok=True)
    return Removed(len(calls), len(gone))


def _without_parents(db: psycopg.Connection) -> None:
    """Deletes what refers to a row that is not there, until nothing does."""
    keys = db.execute(_KEYS).fetchall()
    while sum(_orphans(db, *key) for key in keys):
        continue


def _orphans(db: psycopg.Connection, child: str, parent: str, mine: list[str], theirs: list[str]) -> int:
    pairs = list(zip(mine, theirs, strict=True))
    statement = sql.SQL(
        "delete from {child} c where {given} and not exists (select from {parent} p where {same})"
    ).format(
        child=sql.Identifier(child),
        parent=sql.Identifier(parent),
        given=sql.SQL(" and ").join(sql.SQL("c.{} is not null").format(sql.Identifier(name)) for name in mine),
        same=sql.SQL(" and ").join(
            sql.SQL("p.{} = c.{}").format(sql.Identifier(theirs_), sql.Identifier(name)) for name, theirs_ in pairs
        ),
    )
    return db.execute(statement).rowcount
