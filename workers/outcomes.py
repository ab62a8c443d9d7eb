"""A finished call without an outcome becomes one, from its log."""

from __future__ import annotations

from uuid import UUID

from app.store import call_events, calls, finish, outbox
from app.store.connect import Database
from workers.jobs import Ref
from workers.resources import Resources


def settle(database: Database, workspace_id: UUID, call_sid: str) -> bool:
    """False when the call has its outcome already, or is not this workspace's."""
    with database.worker(workspace_id) as db:
        call = calls.get(db, call_sid)
        return call is not None and finish.finish_call(db, call, call_events.read(db, call_sid))


def settle_job(resources: Resources, job: Ref) -> str:
    """The same as a job: for a call whose log broke the reconciler, so that its failures are counted and seen."""
    new = settle(resources.database, job.workspace_id, job.key)
    with resources.database.worker(job.workspace_id) as db:
        outbox.done(db, job.id)
    return "outcome recorded" if new else "had its outcome"
