"""What is kept about one person, and its end. Where it lies stands in one table: strowger.places_of_a_person."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from app.store.connect import Connection

WaitsFor = Literal["call", "hold", "carrier", "file"]

_ASK = """
    insert into erasures (workspace_id, lead_id, suppress, asked_by) values (strowger.here(), %s, %s, %s)
"""
_COLUMNS = """
    e.id, e.lead_id, e.suppress, e.asked_by, e.asked_at, e.waits_for, e.silenced, e.removed, e.done_at
"""
_ONE = f"select {_COLUMNS} from erasures e where e.id = %s"  # noqa: S608 - a constant
_LATEST = f"""
    select {_COLUMNS},
           exists (select from outbox j where j.workspace_id = e.workspace_id and j.kind = 'erasure'
                   and j.key = e.id::text and j.quarantined_at is not null) as stuck
    from erasures e where e.lead_id = %s order by e.asked_at desc, e.id desc limit 1
"""  # noqa: S608
_COPIES = """
    with e as (select * from erasures where id = %(id)s), who as (select p.* from e, strowger.a_person(e.lead_id) p)
    select 'call' as kind, c.call_sid as sid, c.account_sid <> '' as at_carrier
    from e, who, calls c
    where c.id = any(who.calls) and c.ended_at is not null and c.call_sid <> all(e.silenced)
    union all
    select 'message', m.provider_sid, true
    from e, who, messages m
    where (m.lead_id = e.lead_id or m.call_id = any(who.calls)
           or (m.lead_id is null and who.phone in (m.sender, m.recipient)))
      and m.provider_sid is not null and m.provider_sid <> all(e.silenced)
    limit %(most)s
"""
_SILENCED = """
    update erasures set silenced = silenced || %s::text, waits_for = null where id = %s and %s::text <> all(silenced)
"""
_HELD = "select strowger.held(e.lead_id) as held from erasures e where e.id = %s"
_ERASE = "select strowger.erase_a_person(%s, %s) as said"
_NOT_TOLD = "select place, why from strowger.places_of_a_person() where not told"


@dataclass(frozen=True, slots=True)
class Erasure:
    """`removed`: rows by table, once it is done. `stuck`: its job was put aside for a person to look at."""

    id: UUID
    lead_id: UUID
    suppress: bool
    asked_by: UUID
    asked_at: datetime
    waits_for: WaitsFor | None
    silenced: list[str]
    removed: dict[str, int]
    done_at: datetime | None
    stuck: bool = False


@dataclass(frozen=True, slots=True)
class Copy:
    """Of a call's sound, or of a message. `at_carrier`: the carrier may have one as well."""

    kind: Literal["call", "message"]
    sid: str
    at_carrier: bool


def ask(db: Connection, lead_id: UUID, suppress: bool, by: UUID) -> None:
    """Its job is written with it. Raises Conflict while one is open."""
    db.execute(_ASK, (lead_id, suppress, by))


def one(db: Connection, erasure_id: UUID) -> Erasure | None:
    row = db.execute(_ONE, (erasure_id,)).fetchone()
    return Erasure(**row) if row else None


def latest(db: Connection, lead_id: UUID) -> Erasure | None:
    row = db.execute(_LATEST, (lead_id,)).fetchone()
    return Erasure(**row) if row else None


def lead_held(db: Connection, lead_id: UUID) -> bool:
    row = db.execute("select strowger.held(%s) as held", (lead_id,)).fetchone()
    return row is not None and bool(row["held"])


def held(db: Connection, erasure_id: UUID) -> bool:
    row = db.execute(_HELD, (erasure_id,)).fetchone()
    return row is not None and bool(row["held"])


def copies(db: Connection, erasure_id: UUID, most: int) -> tuple[Copy, ...]:
    """Those outside of the database that are not known to be gone."""
    return tuple(Copy(**row) for row in db.execute(_COPIES, {"id": erasure_id, "most": most}))


def silenced(db: Connection, erasure_id: UUID, sid: str) -> None:
    db.execute(_SILENCED, (sid, erasure_id, sid))


def wait(db: Connection, erasure_id: UUID, waits_for: WaitsFor) -> None:
    db.execute("update erasures set waits_for = %s where id = %s", (waits_for, erasure_id))


def erase(db: Connection, erasure_id: UUID, at: datetime) -> dict[str, Any]:
    """Rows by table; or `waits_for` alone, and nothing is changed."""
    row = db.execute(_ERASE, (erasure_id, at)).fetchone()
    assert row is not None
    said: dict[str, Any] = row["said"]
    return said


def forget_evidence(db: Connection, at: datetime) -> int:
    """What was kept of erased people as long as law wants it."""
    row = db.execute("select strowger.forget_evidence(%s) as gone", (at,)).fetchone()
    return int(row["gone"]) if row else 0


def rows(db: Connection, lead_id: UUID) -> dict[str, list[dict[str, Any]]]:
    """Everything about this lead, by table, as it happened. What the connection may not see is not there."""
    found: dict[str, list[dict[str, Any]]] = {}
    for row in db.execute("select place, held from strowger.rows_of_a_person(%s)", (lead_id,)):
        found.setdefault(row["place"], []).append(row["held"])
    return {place: sorted(held, key=_as_it_happened) for place, held in found.items()}


def _as_it_happened(row: dict[str, Any]) -> tuple[str, int, str, str]:
    """Call by call, in the order of its words or events, and what is of no call by its first moment."""
    moments = [str(value) for name, value in row.items() if value and (name == "at" or name.endswith("_at"))]
    number = next((row[name] for name in ("position", "seq") if name in row), 0)
    return str(row.get("call_id") or ""), int(number), min(moments, default=""), str(row.get("id", ""))


def not_told(db: Connection) -> dict[str, str]:
    """Tables whose rows a dossier does not show, each with the reason."""
    return {row["place"]: row["why"] for row in db.execute(_NOT_TOLD)}


def sids(found: dict[str, list[dict[str, Any]]]) -> Sequence[str]:
    """The carrier's ids of the calls among `rows`."""
    return [str(row["call_sid"]) for row in found.get("calls", [])]
