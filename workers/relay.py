"""Hands open jobs from Postgres to the queue. The queue may lose them: a job that is not done when its lease ends is
handed over again, so a job runs at least once, and the guards of the tasks make that exactly one effect."""

from __future__ import annotations

from typing import Protocol

from app.store import outbox
from app.store.connect import Database

AT_ONCE = 100
LEASE_S = 45.0  # longer than TASK_LIMIT_S, so that a job is not handed over while it still runs

# The task for each kind of job. Each takes the id of the job, its workspace and its key.
TASKS = {
    "outcome": "outcome.settle",
    "score": "score.call",
    "rescore": "score.again",
    "night": "models.night",
    "followup": "followup.send",
    "resend": "followup.resend",
    "webhook": "webhook.deliver",
    "notify": "notice.deliver",
    "report": "report.send",
    "retention": "retention.night",
    "erasure": "erasure.run",
    "budget": "budget.check",
}


class Wire(Protocol):
    """Where jobs are put in (workers.broker)."""

    def answers(self) -> bool: ...

    def send(self, task: str, *arguments: str | int) -> bool: ...


def relay(database: Database, broker: Wire) -> int:
    """How many jobs went out. None are taken while the broker is away: they would only sit out their lease."""
    if not broker.answers():
        return 0
    with database.system() as db:
        jobs = outbox.take(db, AT_ONCE, LEASE_S)
    sent = 0
    for job in jobs:
        if job.kind not in TASKS:
            with database.worker(job.workspace_id) as db:
                outbox.put_aside(db, job.id, f"no task for jobs of kind {job.kind!r}")
        elif broker.send(TASKS[job.kind], str(job.id), str(job.workspace_id), job.key):
            sent += 1
        else:
            break  # the broker has just gone; the leases of the rest end by themselves
    return sent
