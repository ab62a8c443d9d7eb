"""Reports: funnel, days, hours, objections, topics, latency and cost, to look at or as a table for a spreadsheet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal, TypeAlias
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from fastapi import APIRouter, Depends, Query
from fastapi.responses import Response
from pydantic import BaseModel

from app.api.context import Site
from app.api.v1.errors import Invalid
from app.api.v1.principal import Caller
from app.report_files import KINDS, file_of, rows_of
from app.store.reports import Span

router = APIRouter(prefix="/reports", tags=["reports"])

USUAL = timedelta(days=14)
LONGEST = timedelta(days=732)
Kind = Literal["days", "hours", "playbooks", "numbers", "sources", "objections", "topics", "latency", "cost"]


class Step(BaseModel):
    name: str
    calls: int


class Funnel(BaseModel):
    """From ring to an appointment that was kept; each step counts calls of the one before."""

    steps: list[Step]


class Row(BaseModel):
    """One line. Which fields there are depends on the report; the rest are null."""

    name: str | None = None
    day: str | None = None
    weekday: int | None = None
    hour: int | None = None
    calls: int = 0
    answered: int | None = None
    conversed: int | None = None
    booked: int | None = None
    minutes: float | None = None
    cost_usd: float | None = None
    reply_p50_ms: int | None = None
    reply_p95_ms: int | None = None
    interruptions: int | None = None


class Report(BaseModel):
    rows: list[Row]


def _span(
    web: Site,
    since: Annotated[datetime | None, Query(alias="from")] = None,
    until: Annotated[datetime | None, Query(alias="to")] = None,
    zone: Annotated[str, Query(max_length=60, description="Of days and hours, such as America/Chicago.")] = "UTC",
    playbook: Annotated[str | None, Query(max_length=64, pattern=r"^[a-z0-9_-]+$")] = None,
    number: Annotated[str | None, Query(max_length=16, pattern=r"^\+[0-9]+$")] = None,
) -> Span:
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise Invalid("There is no such time zone.", fields={"zone": "such as America/Chicago"}) from None
    end = _aware(until) or web.now()
    begin = _aware(since) or end - USUAL
    if not timedelta(0) < end - begin <= LONGEST:
        raise Invalid("A report is of two years at most, and ends after it begins.", fields={"from": "before `to`"})
    return Span(begin, end, zone, playbook, number)


Asked: TypeAlias = Annotated[Span, Depends(_span)]
Format: TypeAlias = Annotated[Literal["json", "csv", "xlsx"], Query(alias="format")]


# With ?format=csv or xlsx.
FILES: dict[int | str, dict[str, Any]] = {
    200: {
        "content": {
            "text/csv": {"schema": {"type": "string"}},
            KINDS["xlsx"]: {"schema": {"type": "string"}},
        }
    }
}


@router.get("/funnel", operation_id="reports_funnel", response_model=Funnel, responses=FILES)
async def funnel(web: Site, caller: Caller, span: Asked, format_: Format = "json") -> Any:
    """Rang, answered, by a person, conversed, qualified, booked, held."""
    found = await web.records.user(caller.claims, lambda db: rows_of(db, "funnel", span, web.prices))
    if format_ != "json":
        return _file("funnel", found, format_)
    return Funnel(steps=[Step(**row) for row in found])


@router.get("/{kind}", operation_id="reports_get", response_model=Report, responses=FILES)
async def get(kind: Kind, web: Site, caller: Caller, span: Asked, format_: Format = "json") -> Any:
    """Cost is the telephone line's, from the dated price table; providers' own prices are on each call."""
    rows = await web.records.user(caller.claims, lambda db: rows_of(db, kind, span, web.prices))
    if format_ != "json":
        return _file(kind, rows, format_)
    return Report(rows=[Row(**row) for row in rows])


def _file(name: str, rows: Sequence[Mapping[str, Any]], format_: str) -> Response:
    made = file_of(name, rows, format_)
    headers = {"Content-Disposition": f'attachment; filename="{made.name}"', "Cache-Control": "no-store"}
    return Response(made.body, media_type=made.kind, headers=headers)


def _aware(moment: datetime | None) -> datetime | None:
    if moment is not None and moment.tzinfo is None:
        return moment.replace(tzinfo=ZoneInfo("UTC"))
    return moment
