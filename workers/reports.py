"""Reports that are due go out by e-mail: once per due time, for the whole days before it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from app.errors import ProviderDown, ProviderRefused
from app.providers.mail import Attachment, Letter
from app.report_files import file_of, rows_of
from app.sales.report_times import next_at, span
from app.store import outbox, report_schedules, workspace_settings
from app.store.connect import Database
from app.store.report_schedules import ScheduleRow
from app.store.reports import Span
from workers.jobs import Later, Ref
from workers.resources import Resources

PAUSE_S = 300.0
GIVEN_UP_AFTER = timedelta(hours=12)  # the mail server was away: the next one comes soon enough

_SUBJECT = {"en": "{name}: {report}, {first} to {last}", "es": "{name}: {report}, del {first} al {last}"}
_TEXT = {
    "en": "The report is attached. It is sent because somebody in your workspace asked for it: {link}/reports\n",
    "es": "El informe va adjunto. Se envía porque alguien de su espacio de trabajo lo pidió: {link}/reports\n",
}


def plan(database: Database, now: datetime) -> int:
    """One job per report that is due; one that was missed several times goes out once."""
    with database.system() as db:
        found = report_schedules.due(db, now)
    planned = 0
    for workspace, schedule_id in found:
        with database.worker(workspace) as db:
            schedule = report_schedules.turn(db, schedule_id, now)
            if schedule is not None:
                zone = ZoneInfo(workspace_settings.get(db).time_zone)
                report_schedules.move_on(db, schedule.id, schedule.next_at, next_at(schedule.times, now, zone))
                planned += outbox.put(db, "report", f"{schedule.id}/{schedule.next_at.astimezone(UTC).isoformat()}")
    return planned


def send(resources: Resources, job: Ref) -> str | Later:
    """The key is "SCHEDULE/DUE"."""
    if resources.couriers is None or resources.prices is None:
        return Later("nothing goes out from here", seconds=60.0)
    name, _, moment = job.key.partition("/")
    schedule_id, due_at = UUID(name), datetime.fromisoformat(moment)
    with resources.database.worker(job.workspace_id) as db:
        schedule = report_schedules.get(db, schedule_id)
        if schedule is None:
            outbox.done(db, job.id)
            return "was deleted"
    letter = _letter(resources, job, schedule, due_at)
    try:
        resources.couriers.mail.send(letter)
    except ProviderRefused as error:
        return _settle(resources, job, schedule_id, due_at, str(error))
    except ProviderDown as error:
        if resources.now() - due_at < GIVEN_UP_AFTER:
            return Later(str(error), PAUSE_S)
        return _settle(resources, job, schedule_id, due_at, str(error))
    return _settle(resources, job, schedule_id, due_at, None)


def _letter(resources: Resources, job: Ref, schedule: ScheduleRow, due_at: datetime) -> Letter:
    assert resources.prices is not None
    assert resources.couriers is not None
    with resources.database.worker(job.workspace_id) as db:
        workspace = workspace_settings.get(db)
        zone = ZoneInfo(workspace.time_zone)
        since, until = span(schedule.times, due_at, zone)
        rows = rows_of(db, schedule.report, Span(since, until, workspace.time_zone), resources.prices)
    made = file_of(schedule.report, rows, schedule.format)
    days = {
        "first": since.astimezone(zone).date().isoformat(),
        "last": (until - timedelta(hours=1)).astimezone(zone).date().isoformat(),
    }
    subject = _SUBJECT[workspace.locale].format(name=workspace.name, report=schedule.report, **days)
    return Letter(
        to=tuple(schedule.emails),
        subject=" ".join(subject.split()),
        text=_TEXT[workspace.locale].format(link=resources.couriers.link),
        reference=f"{schedule.id}-{due_at:%Y%m%dT%H%M}",
        at=resources.now(),
        attachments=(Attachment(f"{days['last']}-{made.name}", made.kind, made.body),),
    )


def _settle(resources: Resources, job: Ref, schedule_id: UUID, due_at: datetime, error: str | None) -> str:
    status = "sent" if error is None else "failed"
    with resources.database.worker(job.workspace_id) as db:
        report_schedules.settle(db, schedule_id, due_at, status, error)
        outbox.done(db, job.id)
    return status
