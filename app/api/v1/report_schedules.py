"""Reports that go out by e-mail, every day or every week. (Its routes come before those of reports.py: see router.)"""

from __future__ import annotations

from datetime import datetime
from typing import Literal
from uuid import UUID
from zoneinfo import ZoneInfo

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from app.api import acts
from app.api.context import Site
from app.api.v1.notifications import Email
from app.api.v1.pages import Page, Paging
from app.api.v1.principal import Caller
from app.errors import Conflict, NotFound
from app.sales.report_times import Times, next_at
from app.store import report_schedules, workspace_settings
from app.store.connect import Connection
from app.store.report_schedules import NewSchedule, ScheduleRow

router = APIRouter(prefix="/reports/schedules", tags=["reports"])

MOST = 50  # of a workspace
ReportName = Literal[
    "funnel", "days", "hours", "playbooks", "numbers", "sources", "objections", "topics", "latency", "cost"
]


class ScheduleRequest(BaseModel):
    """`hour` in the time zone of the workspace; `weekday` 1 Monday .. 7 Sunday, null for every day. A daily report is
    about the day before, a weekly one about the seven days before."""

    model_config = ConfigDict(extra="forbid")

    report: ReportName
    format: Literal["csv", "xlsx"] = "xlsx"
    hour: int = Field(ge=0, le=23)
    weekday: int | None = Field(None, ge=1, le=7)
    emails: list[Email] = Field(min_length=1, max_length=20)


class Schedule(BaseModel):
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

    @classmethod
    def of(cls, row: ScheduleRow) -> Schedule:
        return cls.model_validate(row, from_attributes=True)


@router.get("", operation_id="reports_schedules")
async def list_(web: Site, caller: Caller, paging: Paging) -> Page[Schedule]:
    after = paging.after(datetime, UUID)
    rows = await web.records.user(caller.claims, lambda db: report_schedules.newest(db, after, paging.fetch))
    return paging.page(rows, Schedule.of, lambda row: (row.created_at, row.id))


@router.post("", operation_id="reports_schedule", status_code=201)
async def create(body: ScheduleRequest, web: Site, caller: Caller) -> Schedule:
    emails = tuple(dict.fromkeys(body.emails))
    new = NewSchedule(body.report, body.format, body.hour, body.weekday, emails)

    def work(db: Connection) -> ScheduleRow:
        if len(report_schedules.newest(db, None, MOST)) >= MOST:
            raise Conflict(f"A workspace has {MOST} scheduled reports at most: delete one first.")
        zone = ZoneInfo(workspace_settings.get(db).time_zone)
        due = next_at(Times(new.hour, new.weekday), web.now(), zone)
        row = report_schedules.make(db, new, due, caller.user_id)
        acts.say(str(row.id))
        return row

    return Schedule.of(await web.records.user(caller.claims, work))


@router.delete("/{schedule_id}", operation_id="reports_unschedule", status_code=204)
async def delete(schedule_id: UUID, web: Site, caller: Caller) -> None:
    if not await web.records.user(caller.claims, lambda db: report_schedules.delete(db, schedule_id)):
        raise NotFound("There is no such scheduled report.")
