"""What every REST route needs: parameters, pages, errors, and the exchange itself."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any
from urllib.parse import urlencode

from fastapi import Request
from fastapi.responses import JSONResponse

from app.errors import CarrierFault
from app.exchange.exchange import Exchange


class Form:
    """Form parameters: a name may repeat, and an absent one is an empty text."""

    def __init__(self, pairs: Sequence[tuple[str, str]]) -> None:
        self._pairs = pairs

    def __getitem__(self, name: str) -> str:
        return next((value for key, value in self._pairs if key == name), "")

    def __contains__(self, name: str) -> bool:
        return any(key == name for key, _ in self._pairs)

    def all(self, name: str) -> tuple[str, ...]:
        return tuple(value for key, value in self._pairs if key == name)

    def flag(self, name: str) -> bool:
        return self[name].lower() == "true"

    def number(self, name: str, usual: float, low: float = 0, high: float = math.inf) -> float:
        """Raises CarrierFault 20001 for what is not a number in range."""
        text = self[name]
        if not text:
            return usual
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not low <= value <= high:
            raise CarrierFault(20001, f"{name} must be a number from {low:g} to {high:g}")
        return value


@dataclass(frozen=True, slots=True)
class Period:
    """`Name=DAY`, `Name<=...` and `Name>=...`, which arrive as the parameters `Name`, `Name<` and `Name>`."""

    on: date | None
    until: datetime | None
    since: datetime | None

    @classmethod
    def of(cls, form: Form, name: str) -> Period:
        """Raises CarrierFault 20001 for what is not a date."""
        day, until, since = (parse_time(form[key]) if key in form else None for key in (name, f"{name}<", f"{name}>"))
        return cls(day.date() if day else None, until, since)

    def holds(self, moment: datetime | None) -> bool:
        """What has not happened lies in no period but the unlimited one."""
        if moment is None:
            return self == Period(None, None, None)
        return (
            (self.on is None or moment.date() == self.on)
            and (self.until is None or moment <= self.until)
            and (self.since is None or moment >= self.since)
        )


def parse_time(text: str) -> datetime:
    """Raises CarrierFault 20001."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise CarrierFault(20001, f"not a date: {text}") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


async def form_of(request: Request) -> Form:
    """The body's parameters, or the query's for a GET."""
    if request.method == "GET":
        return Form(list(request.query_params.multi_items()))
    async with request.form() as form:
        return Form([(name, value) for name, value in form.multi_items() if isinstance(value, str)])


def fault_response(fault: CarrierFault) -> JSONResponse:
    body = {
        "code": fault.number,
        "message": str(fault),
        "more_info": f"https://www.twilio.com/docs/errors/{fault.number}",
        "status": fault.status,
    }
    headers = {"WWW-Authenticate": 'Basic realm="Twilio API"'} if fault.status == 401 else {}
    return JSONResponse(body, fault.status, headers)


def not_found(path: str) -> CarrierFault:
    return CarrierFault(20404, f"The requested resource {path} was not found", 404)


def page(request: Request, key: str, rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """One page of a list: `PageSize` up to 1000, 50 by default, `Page` from 0."""
    form = Form(list(request.query_params.multi_items()))
    size, number = int(form.number("PageSize", 50, 1)), int(form.number("Page", 0))
    size = min(size, 1000)
    shown = list(rows[number * size : (number + 1) * size])
    keep = [(name, value) for name, value in request.query_params.multi_items() if name not in {"Page", "PageSize"}]

    def at(index: int) -> str:
        return f"{request.url.path}?{urlencode([*keep, ('PageSize', size), ('Page', index)])}"

    return {
        key: shown,
        "page": number,
        "page_size": size,
        "start": number * size,
        "end": number * size + max(len(shown) - 1, 0),
        "uri": at(number),
        "first_page_uri": at(0),
        "previous_page_uri": at(number - 1) if number else None,
        "next_page_uri": at(number + 1) if len(rows) > (number + 1) * size else None,
    }


async def exchange_of(request: Request) -> Exchange:
    exchange: Exchange = request.app.state.exchange
    return exchange
