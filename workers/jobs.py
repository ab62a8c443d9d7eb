"""The life of one job in a worker: begin, act, and say what became of it, each committed before the next.

`begin` counts the try before anything happens, so that a job which kills its worker is counted, too: after three it is
put aside in the outbox, where a person sees it (F01, F28). A job that has to wait is not blamed for it. Everything else
that goes wrong reaches `JobTask.on_failure` as an exception and counts.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import celery

from app.errors import StoreDown
from app.store import outbox
from workers import logs
from workers.resources import Resources, current

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Ref:
    """A job as it travels through the queue: ids only. `key` says what it is about; its kind says what to do."""

    id: UUID
    workspace_id: UUID
    key: str

    @classmethod
    def parse(cls, job: str, workspace: str, key: str) -> Ref:
        return cls(UUID(job), UUID(workspace), key)


@dataclass(frozen=True, slots=True)
class Later:
    """Not now: try again after `seconds` at the earliest."""

    why: str
    seconds: float = 5.0


Act = Callable[[Resources, Ref], str | Later]


def run(act: Act, resources: Resources, job: Ref) -> str:
    """What was done, for the log. `act` marks the job done in the transaction of its effect."""
    with resources.database.worker(job.workspace_id) as db:
        if not outbox.begin(db, job.id):
            return "not open"
    result = act(resources, job)
    if isinstance(result, Later):
        with resources.database.worker(job.workspace_id) as db:
            outbox.postpone(db, job.id, result.seconds, result.why)
        return f"later: {result.why}"
    return result


def failed(resources: Resources, job: Ref, error: BaseException) -> None:
    """The database being away is no fault of the job; if it still is, the end of the lease brings the job back."""
    with suppress(StoreDown), resources.database.worker(job.workspace_id) as db:
        if isinstance(error, StoreDown):
            outbox.postpone(db, job.id, 5.0, "the database was away")
        elif outbox.failed(db, job.id, logs.where(error)):
            log.error("job put aside", extra={"job": str(job.id), "error": logs.where(error)})


class Task(celery.Task):  # type: ignore[misc]
    """A Celery task that notices when the broker does not take its acknowledgement."""

    Request = "workers.request:Request"


class JobTask(Task):
    """One whose failures end in the outbox."""

    def on_failure(self, exc: Exception, task_id: str, args: tuple[str, str, str], kwargs: Any, einfo: Any) -> None:
        failed(current(), Ref.parse(*args), exc)


def task(act: Act) -> Callable[[str, str, str], str]:
    """`act` as the queue calls it: with the id of the job, its workspace and its key."""

    def work(job: str, workspace: str, key: str) -> str:
        said = run(act, current(), Ref.parse(job, workspace, key))
        log.info("job", extra={"job": job, "what": act.__module__, "did": said})
        return said

    return work
