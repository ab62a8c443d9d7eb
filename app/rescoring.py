"""`strowger leads score`: every lead that was talked to, scored again by the model that serves now, in chunks."""

from __future__ import annotations

import json
import sys
import time
from dataclasses import asdict
from uuid import UUID

import typer
from rich.console import Console
from rich.progress import Progress as Bar

from app.local import opened, owner_of
from app.settings import Settings, load
from app.store import score_batches
from app.store.connect import Database
from app.store.score_batches import Progress

LOOK_S = 0.2
PATIENCE_S = 30.0  # without a chunk done: longer than one takes


def run(*, here: bool, as_json: bool) -> int:
    """1 when not all leads were scored."""
    settings = load()
    with opened(settings) as database:
        workspace = owner_of(database, settings)
        with database.worker(workspace) as db:
            batch = score_batches.start(db)
        if here:
            _work(database, workspace, batch, settings)
        began = time.monotonic()
        end = _watch(database, workspace, batch)
    seconds = time.monotonic() - began
    if as_json:
        typer.echo(json.dumps({"batch": str(batch), **asdict(end)}, indent=2))
    elif end.over:
        typer.echo(f"{end.done:,} leads scored by the model that serves now{f' in {seconds:.1f} s' * (not here)}.")
    else:
        typer.echo(
            f"{end.done:,} of {end.leads:,} leads scored, and no more in {PATIENCE_S:.0f} s: is `strowger worker` "
            "running? If it is busy, they will be scored later; --here does it at once."
        )
    if end.put_aside:
        typer.echo(f"{end.put_aside:,} leads could not be scored: their jobs were put aside.", err=True)
    return 0 if end.over and not end.put_aside else 1


def _work(database: Database, workspace: UUID, batch: UUID, settings: Settings) -> None:
    """What a worker does, without one."""
    from datetime import UTC, datetime

    from app.compliance import rules
    from workers import jobs, model, rescore
    from workers.resources import Resources, models_of

    model.load(settings.data_dir, wait=True)
    judge = models_of(database, settings.data_dir)
    resources = Resources(database, None, judge, rules.load(), lambda: datetime.now(UTC), settings.data_dir)
    with database.worker(workspace) as db:
        open_ones = score_batches.open_chunks(db, batch)
    for job, key in open_ones:
        jobs.run(rescore.rescore, resources, jobs.Ref(job, workspace, key))


def _watch(database: Database, workspace: UUID, batch: UUID) -> Progress:
    """Until all is done, or nothing has been for long."""
    moved_at, before = time.monotonic(), -1
    with Bar(console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()) as bar:
        task = bar.add_task("scoring", total=None)
        while True:
            with database.worker(workspace) as db:
                now = score_batches.progress(db, batch)
            bar.update(task, completed=now.done, total=max(now.leads, 1))
            if now.done + now.put_aside != before:
                moved_at, before = time.monotonic(), now.done + now.put_aside
            if now.over or time.monotonic() - moved_at > PATIENCE_S:
                return now
            time.sleep(LOOK_S)
