"""Reports: the funnel, days, hours, objections, latency and cost, to look at or as a table for a spreadsheet."""

from __future__ import annotations

import csv
import io
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
from app.lead_list import harmless
from app.store import reports
from app.store.reports import Span

router = APIRouter(prefix="/reports", tags=["reports"])

USUAL = timedelta(days=14)
LONGEST = timedelta(days=732)
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
Kind = Literal["days", "hours", "playbooks", "numbers", "sources", "objections", "latency", "cost"]


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
            XLSX: {"schema": {"type": "string"}},
        }
    }
}


@router.get("/funnel", operation_id="reports_funnel", response_model=Funnel, responses=FILES)
async def funnel(web: Site, caller: Caller, span: Asked, format_: Format = "json") -> Any:
    """Rang, answered, by a person, conversed, qualified, booked, held."""
    found = await web.records.user(caller.claims, lambda db: reports.rows(db, "funnel", span))
    if format_ != "json":
        return _file("funnel", found, format_)
    return Funnel(steps=[Step(**row) for row in found])


@router.get("/{kind}", operation_id="reports_get", response_model=Report, responses=FILES)
async def get(kind: Kind, web: Site, caller: Caller, span: Asked, format_: Format = "json") -> Any:
    """Cost is the telephone line's, from the dated price table; providers' own prices are on each call."""
    found = await web.records.user(caller.claims, lambda db: reports.rows(db, kind, span))
    per_minute = web.prices.find("carrier", "twilio", "inbound", "started_minute")
    rows = []
    for row in found:
        minutes = row.get("minutes")
        cost = None if minutes is None or per_minute is None else float(per_minute.of(int(minutes * 60_000)) or 0)
        rows.append({**row, **({"cost_usd": cost} if "minutes" in row else {})})
    if format_ != "json":
        return _file(kind, rows, format_)
    return Report(rows=[Row(**row) for row in rows])


def _file(name: str, rows: Sequence[Mapping[str, Any]], format_: str) -> Response:
    """No cell of it is a formula, whatever people called things (T23)."""
    header = list(rows[0]) if rows else ["name", "calls"]
    table = [[_cell(row.get(column)) for column in header] for row in rows]
    headers = {"Content-Disposition": f'attachment; filename="{name}.{format_}"', "Cache-Control": "no-store"}
    if format_ == "csv":
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        writer.writerows([header, *table])
        return Response(out.getvalue(), media_type="text/csv", headers=headers)
    return Response(_workbook(name, header, table), media_type=XLSX, headers=headers)


def _workbook(name: str, header: list[str], table: list[list[Any]]) -> bytes:
    from openpyxl import Workbook

    book = Workbook(write_only=True)
    sheet = book.create_sheet(name)
    for row in [header, *table]:
        sheet.append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _cell(value: Any) -> Any:
    return harmless(value) if isinstance(value, str) else value


def _aware(moment: datetime | None) -> datetime | None:
    if moment is not None and moment.tzinfo is None:
        return moment.replace(tzinfo=ZoneInfo("UTC"))
    return moment
