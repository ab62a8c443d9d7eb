"""`strowger models`: which models there are, which one's scores show, and how to change that."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import typer

from app.local import opened, owner_of
from app.sales.registry import TARGET, Entry, Stage, at, named
from app.settings import load
from app.store import alerts, model_nights
from app.store.connect import Database
from app.store.models import StoredRegistry

_WHO = "command line"
_SHIPPED = "No model of your own is champion: the model that ships with Strowger serves, trained on simulated data."


def show_all(*, target: str, as_json: bool) -> int:
    with _registry() as registry:
        found = registry.entries(target)
    if as_json:
        typer.echo(json.dumps([_summary(entry) for entry in found], indent=2, default=str))
        return 0
    for entry in found:
        typer.echo(f"{entry.version}  {entry.stage.value:9}  {entry.created_at:%Y-%m-%d %H:%M}  {_origin(entry)}")
    if at(found, Stage.CHAMPION) is None:
        typer.echo(_nobody(target))
    return 0


def show(version: str, *, target: str, as_json: bool) -> int:
    with _registry() as registry:
        entry = named(registry.entries(target), version)
    if as_json:
        typer.echo(json.dumps(asdict(entry), indent=2, default=str))
        return 0
    lineage = entry.lineage
    typer.echo(f"{entry.version}: {entry.stage.value}, {_origin(entry)}")
    typer.echo(f"data {lineage.data_sha256[:12]}, file {entry.file_sha256[:12]}, code {lineage.code_version}")
    typer.echo(f"\n{entry.card}" if entry.card else "It has no card.")
    return 0


def add(file: Path, *, target: str, as_json: bool) -> int:
    """As a candidate; the same file twice is once. Raises ModelRefused and BadTable."""
    from ml.artifacts import load as read
    from ml.artifacts import place
    from ml.life import entry_from
    from workers.shelf import StoredShelf

    loaded = read(file)
    settings = load()
    with _workspace() as (database, workspace):
        shelf = StoredShelf(database, workspace, settings.data_dir / "models" / "own")
        entry = entry_from(loaded.model, shelf.keep(place(file)), target)
        new = StoredRegistry(lambda: database.worker(workspace)).add(entry)
    said = f"{entry.version} is a candidate for {target}; `strowger models promote {entry.version}` lets it score."
    return _said(entry, said if new else f"{entry.version} was there before.", as_json)


def promote(version: str, *, why: str, target: str, as_json: bool) -> int:
    with _registry() as registry:
        entry = registry.promote(named(registry.entries(target), version).version, _WHO, why, target)
    before = entry.replaced or ("the shipped model" if target == TARGET else "none")
    return _said(entry, f"{entry.version} is champion; before it: {before}.", as_json)


def rollback(*, why: str, target: str, as_json: bool) -> int:
    with _registry() as registry:
        entry = registry.rollback(_WHO, why, target)
    return _said(entry, f"{entry.version} is champion again." if entry else _nobody(target), as_json)


def retire(version: str, *, why: str, target: str, as_json: bool) -> int:
    with _registry() as registry:
        entry = registry.retire(named(registry.entries(target), version).version, _WHO, why, target)
    return _said(entry, f"{entry.version} is retired.", as_json)


def nights(*, target: str, as_json: bool) -> int:
    """What each night found and did, newest first."""
    with _workspace() as (database, workspace), database.worker(workspace) as db:
        found, standing = model_nights.all_nights(db, target)[::-1], alerts.open_ones(db)
    if as_json:
        body = {"nights": [asdict(night) for night in found], "alerts": [asdict(alert) for alert in standing]}
        typer.echo(json.dumps(body, indent=2, default=str))
        return 0
    for night in found:
        verdict = "learned from" if night.learned else "REFUSED, waits for you"
        verdict = verdict if night.outcomes else "nothing learned"
        typer.echo(f"{night.night}  {night.outcomes:,} outcomes, {night.positives:,} sold: {verdict} ({night.why})")
        for line in (night.found or {}).get("did", ()):
            typer.echo(f"            {line}")
    if not found:
        typer.echo(
            "No night has been worked yet: `strowger beat` does so after 02:00 UTC, `strowger models night` now."
        )
    for alert in standing:
        typer.echo(f"ALERT since {alert.opened_at:%Y-%m-%d}: {alert.sentence}")
    return 0


def night_now(*, target: str) -> int:
    """Tonight's work at once, here."""
    from workers import night
    from workers.live import learn_live

    now = datetime.now(UTC)
    with _workspace() as (database, workspace):
        said = night.spend(database, load().data_dir, workspace, night.name_of(now), now, target)
        during = learn_live(database, workspace, now) if target == TARGET else None
    typer.echo(f"{night.name_of(now)}: {said or 'the shipped model is still being made; try again in a minute'}.")
    if during:
        typer.echo(f"{during}.")
    return 0 if said else 1


def accept(night: str, *, why: str, target: str) -> int:
    with _workspace() as (database, workspace), database.worker(workspace) as db:
        model_nights.accept(db, night, _WHO, why, target)
    typer.echo(f"What came in by {night} will be learned from.")
    return 0


def _nobody(target: str) -> str:
    return _SHIPPED if target == TARGET else f"No model is champion for {target}."


@contextlib.contextmanager
def _workspace() -> Iterator[tuple[Database, UUID]]:
    settings = load()
    with opened(settings) as database:
        yield database, owner_of(database, settings)


@contextlib.contextmanager
def _registry() -> Iterator[StoredRegistry]:
    with _workspace() as (database, workspace):
        yield StoredRegistry(lambda: database.worker(workspace))


def _said(entry: Entry | None, sentence: str, as_json: bool) -> int:
    typer.echo(json.dumps({"champion": None} if entry is None else _summary(entry), indent=2) if as_json else sentence)
    return 0


def _summary(entry: Entry) -> dict[str, object]:
    return {
        "version": entry.version,
        "target": entry.target,
        "stage": entry.stage.value,
        "replaced": entry.replaced,
        "rows": entry.lineage.rows,
        "trained_on": entry.lineage.trained_on,
        "created_at": entry.created_at.isoformat(),
    }


def _origin(entry: Entry) -> str:
    return f"{entry.lineage.rows:,} rows of {entry.lineage.trained_on}"
