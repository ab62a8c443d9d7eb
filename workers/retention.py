"""The night's deleting: one job for each workspace, which goes on until nothing is past its days. And, all day, what
was good for once or for a day."""

from __future__ import annotations

from datetime import datetime

from app import retention
from app.store import outbox, used_up
from app.store.connect import Database
from workers.jobs import Later, Ref
from workers.night import name_of
from workers.resources import Resources


def plan(database: Database, now: datetime) -> int:
    """One job per workspace and night, however often this is asked."""
    with database.system() as db:
        row = db.execute("select strowger.plan_retention(%s) as planned", (name_of(now),)).fetchone()
    return int(row["planned"]) if row else 0


def tidy(database: Database, now: datetime) -> int:
    """How many rows went that nobody can use any more; what is left goes with the next beat."""
    with database.system() as db:
        return used_up.delete(db, now)


def forget(resources: Resources, job: Ref) -> str | Later:
    """The job: its key is the night."""
    folder = resources.data_dir / "recordings"
    done = retention.sweep(resources.database, job.workspace_id, folder, resources.now())
    if done.pop("more", 0):
        return Later("there is more to delete", seconds=1.0)
    with resources.database.worker(job.workspace_id) as db:
        outbox.done(db, job.id)
    return ", ".join(f"{kind} {count}" for kind, count in sorted(done.items()) if count) or "nothing to delete"
