"""The registry of models in Postgres: one champion per workspace and target, by a unique index."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Any, Protocol

from app.sales.registry import (
    TARGET,
    Entry,
    Lineage,
    Stage,
    at,
    named,
    promoted,
    retired,
    rolled_back,
    shadowed,
)
from app.store import audit, score_batches
from app.store.connect import Connection
from app.store.values import json

_LINEAGE = "trained_on, data_sha256, code_version, rows, positives, data_from, data_to"
_ADD = f"""
    insert into models (workspace_id, target, version, file_sha256, features, metrics, card, {_LINEAGE})
    values (strowger.here(), %(target)s, %(version)s, %(file_sha256)s, %(features)s, %(metrics)s, %(card)s,
            %(trained_on)s, %(data_sha256)s, %(code_version)s, %(rows)s, %(positives)s, %(data_from)s, %(data_to)s)
    on conflict (workspace_id, target, version) do nothing
"""  # noqa: S608 - a constant
_ALL = f"""
    select version, target, stage, file_sha256, features, metrics, card, replaced, created_at, {_LINEAGE}
    from models where target = %s order by created_at desc, version
"""  # noqa: S608
_SERVING = f"""
    select version, target, stage, file_sha256, features, replaced, created_at, {_LINEAGE}
    from models where target = %s order by created_at desc, version
"""  # noqa: S608
_MOVE = """
    update models set stage = %(stage)s, replaced = %(replaced)s, stage_at = now()
    where target = %(target)s and version = %(version)s
"""
_ALONE = "select pg_advisory_xact_lock(hashtextextended('models:' || strowger.here()::text || %s, 0))"


class Transaction(Protocol):
    def __call__(self) -> AbstractContextManager[Connection]: ...


def add(db: Connection, entry: Entry) -> bool:
    """As a candidate. False when there is this version already."""
    lineage = entry.lineage
    values = {
        "target": entry.target,
        "version": entry.version,
        "file_sha256": entry.file_sha256,
        "features": entry.features,
        "metrics": json(dict(entry.metrics)),
        "card": entry.card,
        "trained_on": lineage.trained_on,
        "data_sha256": lineage.data_sha256,
        "code_version": lineage.code_version,
        "rows": lineage.rows,
        "positives": lineage.positives,
        "data_from": lineage.data_from,
        "data_to": lineage.data_to,
    }
    return db.execute(_ADD, values).rowcount == 1


def entries(db: Connection, target: str = TARGET) -> tuple[Entry, ...]:
    """Newest first."""
    return tuple(_from_row(row) for row in db.execute(_ALL, (target,)))


def serving(db: Connection, target: str = TARGET) -> tuple[Entry, ...]:
    """The same without cards and figures: what whoever scores must know."""
    return tuple(_from_row(row) for row in db.execute(_SERVING, (target,)))


class StoredRegistry:
    """The registry on a workspace's transactions. Two who move models at once wait for each other; every
    step leaves a row in the audit log; a new champion scores every lead again."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    def add(self, entry: Entry) -> bool:
        with self._transaction() as db:
            return add(db, entry)

    def entries(self, target: str = TARGET) -> tuple[Entry, ...]:
        with self._transaction() as db:
            return entries(db, target)

    def shadow(self, version: str, who: str, why: str, target: str = TARGET) -> Entry:
        with self._transaction() as db:
            return _step(db, "model.shadow", shadowed(_alone(db, target), version), who, why)

    def promote(self, version: str, who: str, why: str, target: str = TARGET) -> Entry:
        with self._transaction() as db:
            entry = _step(db, "model.promote", promoted(_alone(db, target), version), who, why)
            _score_again(db, target)
            return entry

    def retire(self, version: str, who: str, why: str, target: str = TARGET) -> Entry:
        with self._transaction() as db:
            return _step(db, "model.retire", retired(_alone(db, target), version), who, why)

    def rollback(self, who: str, why: str, target: str = TARGET) -> Entry | None:
        with self._transaction() as db:
            changed = rolled_back(_alone(db, target))
            _step(db, "model.rollback", changed, who, why)
            _score_again(db, target)
            return changed[-1] if changed[-1].stage is Stage.CHAMPION else None


def champion(db: Connection, target: str = TARGET) -> Entry | None:
    return at(entries(db, target), Stage.CHAMPION)


def get(db: Connection, version: str, target: str = TARGET) -> Entry:
    """Raises NotFound."""
    return named(entries(db, target), version)


def _score_again(db: Connection, target: str) -> None:
    """Leads are scored for a sale; models of other targets score no calls."""
    if target == TARGET:
        score_batches.start(db)


def _alone(db: Connection, target: str) -> tuple[Entry, ...]:
    db.execute(_ALONE, (target,))
    return entries(db, target)


def _step(db: Connection, action: str, changed: tuple[Entry, ...], who: str, why: str) -> Entry:
    """The one that leaves its place first: never two champions, not even for a moment."""
    for entry in changed:
        values = {"stage": entry.stage, "replaced": entry.replaced, "target": entry.target, "version": entry.version}
        db.execute(_MOVE, values)
    stages = {entry.version: entry.stage.value for entry in changed}
    audit.write(db, who, action, changed[-1].version, {"why": why, "stages": stages})
    return changed[-1]


def _from_row(row: Mapping[str, Any]) -> Entry:
    values = dict(row)
    lineage = Lineage(**{name: values.pop(name) for name in _LINEAGE.split(", ")})
    return Entry(**{**values, "stage": Stage(values["stage"]), "lineage": lineage})
