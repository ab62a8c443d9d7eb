"""Has a month's budget been reached? Its calls are added up by a worker: the beat must not wait for that."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from app.sales.notices import Kind, Spent
from app.sales.spending import month_of, spent_usd
from app.store import happenings, notification_rules, outbox, workspace_settings
from app.store.connect import Database
from workers.jobs import Later, Ref
from workers.notices import tell
from workers.resources import Resources

EVERY_MIN = 15


def plan(database: Database, now: datetime) -> int:
    """One job for each workspace with a budget, every quarter of an hour, however often this is asked."""
    moment = now.astimezone(UTC)
    slot = f"{moment:%Y-%m-%dT%H}:{moment.minute // EVERY_MIN * EVERY_MIN:02d}"
    planned = 0
    with database.system() as db:
        workspaces = happenings.workspaces(db)
    for workspace in workspaces:
        with database.worker(workspace) as db:
            if any(rule.kind is Kind.BUDGET and rule.on and rule.threshold for rule in notification_rules.rules(db)):
                planned += outbox.put(db, "budget", slot)
    return planned


def check(resources: Resources, job: Ref) -> str | Later:
    """The key names the time it was planned for; what is added up is the month as it is now."""
    if resources.prices is None:
        return Later("there is no price table", seconds=60.0)
    now = resources.now()
    with resources.database.worker(job.workspace_id) as db:
        name, began = month_of(now, ZoneInfo(workspace_settings.get(db).time_zone))
        usd = float(spent_usd(happenings.used(db, began), resources.prices))
        news = tell(db, (Spent(name, usd),), now)
        outbox.done(db, job.id)
    return "told" if news else f"{usd:.2f} USD in {name}"
