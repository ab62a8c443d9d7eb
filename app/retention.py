"""Deleting what is past its days: the sound of calls, what was said in them, who a lead was (C44).

Done twice, or cut off in the middle and begun again, it comes to the same. A file goes before the row that knows of it,
and how much went is in the audit log by the transaction in which it went.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import typer

from app.store import audit, erasures, retention
from app.store.connect import Connection, Database

AT_ONCE = 100  # calls or leads of one transaction; a long call has a thousand facts
ROUNDS = 10  # transactions of one sweep, so that it ends within a worker's time
WHO = "retention"
ACT = "retention.forget"


def sounds(folder: Path) -> dict[str, list[Path]]:
    """Recordings of this machine by the id of their call, halves that a killed process left among them."""
    found: dict[str, list[Path]] = {}
    for path in (*folder.glob("**/*.wav"), *folder.glob("**/*.part")):
        found.setdefault(path.stem, []).append(path)
    return found


def due(db: Connection, folder: Path, now: datetime) -> dict[str, int]:
    """What `sweep` would delete now: recordings, calls, leads."""
    return {"recordings": len(retention.sounds_due(db, list(sounds(folder)), now)), **retention.due(db, now)}


def sweep(database: Database, workspace: UUID, folder: Path, now: datetime, rounds: int = ROUNDS) -> Counter[str]:
    """What was deleted, by kind; `more` is 1 where some is left for another sweep."""
    done = Counter({"recordings": _silence(database, workspace, folder, now)})
    for kind, forget in (("calls", retention.forget_calls), ("leads", retention.forget_leads)):
        for _ in range(rounds):
            counts = _forget(database, workspace, forget, now)
            done.update(counts)
            if counts[kind] < AT_ONCE:
                break
        else:
            done["more"] = 1
    with database.worker(workspace) as db:
        done["evidence"] = erasures.forget_evidence(db, now)
        if done["evidence"]:
            audit.write(db, WHO, ACT, "", {"evidence": done["evidence"]})
    return done


def _silence(database: Database, workspace: UUID, folder: Path, now: datetime) -> int:
    files = sounds(folder)
    with database.worker(workspace) as db:
        over = retention.sounds_due(db, list(files), now)
        for sid in over:
            for path in files[sid]:
                path.unlink(missing_ok=True)
        if over:
            audit.write(db, WHO, ACT, "", {"recordings": len(over)})
    return len(over)


def _forget(
    database: Database, workspace: UUID, forget: Callable[[Connection, datetime, int], dict[str, int]], now: datetime
) -> dict[str, int]:
    with database.worker(workspace) as db:
        counts = forget(db, now, AT_ONCE)
        if any(counts.values()):
            audit.write(db, WHO, ACT, "", counts)
    return counts


def run(*, dry: bool, as_json: bool) -> int:
    """`strowger retention`, for the workspace that owns TWILIO_NUMBER."""
    from app.local import opened, owner_of
    from app.settings import load

    settings = load()
    folder, now = settings.data_dir / "recordings", datetime.now(UTC)
    with opened(settings) as database:
        workspace = owner_of(database, settings)
        if dry:
            with database.worker(workspace) as db:
                counts = due(db, folder, now)
        else:
            counts = _everything(database, workspace, folder, now)
    typer.echo(json.dumps(counts) if as_json else _said(counts, dry=dry))
    return 0


def _everything(database: Database, workspace: UUID, folder: Path, now: datetime) -> dict[str, int]:
    total: Counter[str] = Counter()
    while True:
        done = sweep(database, workspace, folder, now)
        more = done.pop("more", 0)
        total.update(done)
        if not more:
            return dict(total)


def _said(counts: dict[str, int], *, dry: bool) -> str:
    begin = "Would be deleted now" if dry else "Deleted"
    recordings, calls, leads = (counts.get(kind, 0) for kind in ("recordings", "calls", "leads"))
    return (
        f"{begin}: the sound of {recordings} calls, what was said in {calls} calls, name and number of {leads} leads.\n"
        "Kept: that the calls took place, consents, opt-outs, the gate's decisions, the audit log, and what is on hold."
    )
