"""What each night did for a model, and which outcomes wait for a person before they may be learned from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.errors import Conflict, NotFound
from app.sales.learning import Night
from app.sales.registry import TARGET
from app.store import audit
from app.store.connect import Connection
from app.store.values import json

_COLUMNS = "target, night, known_from, known_to, outcomes, positives, learned, why, decided_by, found"
_RECORD = f"""
    insert into model_nights (workspace_id, {_COLUMNS})
    values (strowger.here(), %(target)s, %(night)s, %(known_from)s, %(known_to)s, %(outcomes)s, %(positives)s,
            %(learned)s, %(why)s, %(decided_by)s, %(found)s)
    on conflict (workspace_id, target, night) do nothing
"""  # noqa: S608 - a constant
_ALL = f"select {_COLUMNS} from model_nights where target = %s order by night"  # noqa: S608
_DECIDE = """
    update model_nights set learned = true, why = %(why)s, decided_by = %(who)s
    where target = %(target)s and night = %(night)s and not learned
"""


@dataclass(frozen=True, slots=True)
class Figure:
    """One number for metrics: `kind` is psi, ks, calibration_error or alerts; `name` the column or kind of alert."""

    kind: str
    name: str
    value: float | None


def watch(system_db: Connection) -> tuple[Figure, ...]:
    """Over all workspaces, the worst of their last nights."""
    return tuple(Figure(**row) for row in system_db.execute("select kind, name, value from strowger.model_watch()"))


def record(db: Connection, night: Night) -> bool:
    """False when this night was written down before."""
    values: Mapping[str, Any] = {
        "target": night.target,
        "night": night.night,
        "known_from": night.known_from,
        "known_to": night.known_to,
        "outcomes": night.outcomes,
        "positives": night.positives,
        "learned": night.learned,
        "why": night.why,
        "decided_by": night.decided_by,
        "found": json(dict(night.found or {})),
    }
    return db.execute(_RECORD, values).rowcount == 1


def all_nights(db: Connection, target: str = TARGET) -> tuple[Night, ...]:
    """Oldest first."""
    return tuple(Night(**row) for row in db.execute(_ALL, (target,)))


def accept(db: Connection, night: str, who: str, why: str, target: str = TARGET) -> None:
    """A person has looked: what was refused that night may be learned from. Raises NotFound and Conflict."""
    found = next((one for one in all_nights(db, target) if one.night == night), None)
    if found is None:
        raise NotFound(f"There is no night {night}; `strowger models nights` shows those there are.")
    if found.learned:
        raise Conflict(f"What came in by {night} was not refused.")
    db.execute(_DECIDE, {"target": target, "night": night, "who": who, "why": why})
    audit.write(db, who, "model.accept_outcomes", night, {"why": why, "refused_for": found.why})
