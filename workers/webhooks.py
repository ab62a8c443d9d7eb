"""An event is told to one address of a workspace: signed, again and again for a day until it is taken, and once."""

from __future__ import annotations

import json
from uuid import UUID

from app.errors import ProviderDown, ProviderRefused
from app.providers.outgoing import SignedPost
from app.store import outbox, webhooks
from app.store.webhooks import Due
from workers.jobs import Later, Ref
from workers.resources import Resources

# After each try that was not taken. Whoever was away for a night finds everything in the morning.
PAUSES_S = (5.0, 30.0, 120.0, 600.0, 1800.0, 7200.0, 18_000.0, 36_000.0)
GONE = 410  # the other side wants nothing more


def deliver(resources: Resources, job: Ref) -> str | Later:
    """The delivery whose id is the job's key."""
    if resources.hooks is None:
        return Later("nothing goes out from here", seconds=60.0)
    with resources.database.worker(job.workspace_id) as db:
        due = webhooks.due(db, UUID(job.key))
        if due is None or not due.wanted:
            if due is not None:
                webhooks.tried(db, due.id, "failed", None, "its webhook was deleted or switched off")
            outbox.done(db, job.id)
            return "nothing to deliver"
    answered, error, final = _sent(resources, resources.hooks, due)
    return _settle(resources, job, due, answered, error, final=final)


def _sent(resources: Resources, hooks: SignedPost, due: Due) -> tuple[int | None, str | None, bool]:
    """The status of the answer, what went wrong, and whether trying again would not help."""
    body = {"type": due.event, "timestamp": due.created_at.isoformat(), "data": due.body}
    message = (str(due.id), json.dumps(body, separators=(",", ":")).encode())
    try:
        answered = hooks.post(due.url, due.sealed, message, resources.now())
    except ProviderRefused as error:
        return None, str(error), True
    except ProviderDown as error:
        return None, str(error), False
    return answered, None if 200 <= answered < 300 else f"answered {answered}", False


def _settle(
    resources: Resources, job: Ref, due: Due, answered: int | None, error: str | None, *, final: bool
) -> str | Later:
    again = error is not None and not final and answered != GONE and due.attempts < len(PAUSES_S)
    status = "waiting" if again else ("delivered" if error is None else "failed")
    with resources.database.worker(job.workspace_id) as db:
        webhooks.tried(db, due.id, status, answered, error)
        if answered == GONE:
            webhooks.disable(db, due.webhook_id, "the other side answered 410: it wants nothing more")
        if not again:
            outbox.done(db, job.id)
    return Later(str(error), PAUSES_S[due.attempts]) if again else status
