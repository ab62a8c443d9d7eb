"""Which reports go out by e-mail, and what became of the last one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from app.sales.report_times import Times
from app.store.connect import Connection

_COLUMNS = """
    id, report, format, hour, weekday, emails, next_at, created_by, created_at, last_due_at, last_status, last_error
"""
_LIST = f"""
    select {_COLUMNS} from report_schedules
    where deleted_at is null and (%(at)s::timestamptz is null or (created_at, id) < (%(at)s, %(id)s))
    order by created_at desc, id desc limit %(limit)s
"""  # noqa: S608 - a constant
_MAKE = f"""
    insert into report_schedules (workspace_id, report, format, hour, weekday, emails, next_at, created_by)
    values (strowger.here(), %(report)s, %(format)s, %(hour)s, %(weekday)s, %(emails)s, %(next_at)s, %(by)s)
    returning {_COLUMNS}
"""  # noqa: S608
_TURN = f"select {_COLUMNS} from report_schedules where id = %s and deleted_at is null and next_at <= %s for update"  # noqa: S608
_GET = f"select {_COLUMNS} from report_schedules where id = %s and deleted_at is null"  # noqa: S608


@dataclass(frozen=True, slots=True)
class NewSchedule:
    report: str
    format: str
    hour: int
    weekday: int | None
    emails: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ScheduleRow:
    """`last_status` is waiting, sent or failed; null before the first time."""

    id: UUID
    report: str
    format: str
    hour: int
    weekday: int | None
    emails: list[str]
    next_at: datetime
    created_by: UUID
    created_at: datetime
    last_due_at: datetime | None
    last_status: str | None
    last_error: str | None

    @property
    def times(self) -> Times:
        return Times(self.hour, self.weekday)


def newest(db: Connection, after: tuple[datetime, UUID] | None, limit: int) -> tuple[ScheduleRow, ...]:
    at, key = after or (None, None)
    return tuple(ScheduleRow(**row) for row in db.execute(_LIST, {"at": at, "id": key, "limit": limit}))


def make(db: Connection, new: NewSchedule, next_at: datetime, by: UUID) -> ScheduleRow:
    values = {
        "report": new.report,
        "format": new.format,
        "hour": new.hour,
        "weekday": new.weekday,
        "emails": list(new.emails),
        "next_at": next_at,
        "by": by,
    }
    row = db.execute(_MAKE, values).fetchone()
    assert row is not None
    return ScheduleRow(**row)


def delete(db: Connection, schedule_id: UUID) -> bool:
    query = "update report_schedules set deleted_at = now() where id = %s and deleted_at is null"
    return db.execute(query, (schedule_id,)).rowcount == 1


def due(system_db: Connection, now: datetime, most: int = 100) -> tuple[tuple[UUID, UUID], ...]:
    """(workspace, schedule)."""
    rows = system_db.execute("select * from strowger.reports_due(%s, %s)", (now, most))
    return tuple((row["workspace_id"], row["id"]) for row in rows)


def turn(db: Connection, schedule_id: UUID, now: datetime) -> ScheduleRow | None:
    """Locked until the transaction ends; None when somebody else took this turn."""
    row = db.execute(_TURN, (schedule_id, now)).fetchone()
    return ScheduleRow(**row) if row else None


def get(db: Connection, schedule_id: UUID) -> ScheduleRow | None:
    row = db.execute(_GET, (schedule_id,)).fetchone()
    return ScheduleRow(**row) if row else None


def move_on(db: Connection, schedule_id: UUID, due_at: datetime, next_at: datetime) -> None:
    query = """
        update report_schedules set last_due_at = %s, last_status = 'waiting', last_error = null, next_at = %s
        where id = %s
    """
    db.execute(query, (due_at, next_at, schedule_id))


def settle(db: Connection, schedule_id: UUID, due_at: datetime, status: str, error: str | None) -> None:
    """What became of the report that was due then, unless a later one is under way."""
    query = """
        update report_schedules set last_status = %s, last_error = left(%s, 500) where id = %s and last_due_at = %s
    """
    db.execute(query, (status, error, schedule_id, due_at))
