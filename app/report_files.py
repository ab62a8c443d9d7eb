"""A report as rows, and as a file for a spreadsheet: what people download and what is sent to them is the same."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.lead_list import harmless
from app.sales.prices import Prices
from app.store import reports
from app.store.connect import Connection
from app.store.reports import Span

KINDS = {"csv": "text/csv", "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"}


@dataclass(frozen=True, slots=True)
class File:
    name: str
    kind: str
    body: bytes


def rows_of(db: Connection, report: str, span: Span, prices: Prices) -> list[dict[str, Any]]:
    """With what the telephone line cost where there are minutes; providers' own prices are on each call."""
    per_minute = prices.find("carrier", "twilio", "inbound", "started_minute")
    found = []
    for row in reports.rows(db, report, span):
        minutes = row.get("minutes")
        cost = None if minutes is None or per_minute is None else float(per_minute.of(int(minutes * 60_000)) or 0)
        found.append({**row, **({"cost_usd": cost} if "minutes" in row else {})})
    return found


def file_of(report: str, rows: Sequence[Mapping[str, Any]], format_: str) -> File:
    """No cell of it is a formula, whatever people called things (T23). `format_` is one of KINDS."""
    header = list(rows[0]) if rows else ["name", "calls"]
    table = [header, *([_cell(row.get(column)) for column in header] for row in rows)]
    body = _csv(table) if format_ == "csv" else _workbook(report, table)
    return File(f"{report}.{format_}", KINDS[format_], body)


def _csv(table: Sequence[Sequence[Any]]) -> bytes:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(table)
    return out.getvalue().encode()


def _workbook(name: str, table: Sequence[Sequence[Any]]) -> bytes:
    from openpyxl import Workbook

    book = Workbook(write_only=True)
    sheet = book.create_sheet(name)
    for row in table:
        sheet.append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _cell(value: Any) -> Any:
    return harmless(value) if isinstance(value, str) else value
