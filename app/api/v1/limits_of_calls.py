"""How much may go out, where to, and how much of it is used up (T06)."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Annotated

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from app.api.context import Site, Web
from app.api.v1.etags import must_match, tagged
from app.api.v1.principal import Caller
from app.compliance.limits import Limits, Used
from app.store import limits
from app.store.connect import Connection

router = APIRouter(prefix="/limits", tags=["limits"])

Prefix = Annotated[str, StringConstraints(pattern=r"^\+[1-9][0-9]{0,6}$")]


class LimitsIn(BaseModel):
    """All of them together. 0 lets nothing out. `reach`: what a number must begin with to be called or written to."""

    model_config = ConfigDict(extra="forbid")

    calls_per_minute: int = Field(ge=0, le=600)
    calls_per_hour: int = Field(ge=0, le=36_000)
    calls_per_day: int = Field(ge=0, le=100_000)
    messages_per_day: int = Field(ge=0, le=100_000)
    spend_per_day_usd: float = Field(ge=0, le=1e9, allow_inf_nan=False)
    reach: list[Prefix] = Field(max_length=100)


class UsedOut(BaseModel):
    """Attempts of the last minute and hour and of the day, messages of the day, and what its calls have cost: those
    going on as estimated. The day is one of the workspace's time zone."""

    minute: int
    hour: int
    day: int
    messages: int
    spent_usd: float
    day_ends: datetime


class LimitsOut(LimitsIn):
    used: UsedOut

    @classmethod
    def of(cls, row: Limits, used: Used) -> LimitsOut:
        return cls(
            calls_per_minute=row.calls_per_minute,
            calls_per_hour=row.calls_per_hour,
            calls_per_day=row.calls_per_day,
            messages_per_day=row.messages_per_day,
            spend_per_day_usd=float(row.spend_per_day_usd),
            reach=list(row.reach),
            used=UsedOut(
                minute=used.minute,
                hour=used.hour,
                day=used.day,
                messages=used.messages,
                spent_usd=round(float(used.spent_usd), 4),
                day_ends=used.day_ends,
            ),
        )


@router.get("", operation_id="limits_get", response_model=LimitsOut)
async def get(web: Site, caller: Caller, request: Request) -> Response:
    return tagged(request, await web.records.user(caller.claims, lambda db: _read(db, web)))


@router.put("", operation_id="limits_update", response_model=LimitsOut)
async def update(body: LimitsIn, web: Site, caller: Caller, request: Request) -> Response:
    """In force with the next call and message."""

    def write(db: Connection) -> LimitsOut:
        must_match(request, _read(db, web))
        given = body.model_dump()
        spend = Decimal(str(given.pop("spend_per_day_usd"))).quantize(Decimal("0.01"))
        limits.put(db, Limits(**{**given, "reach": tuple(body.reach)}, spend_per_day_usd=spend))
        return _read(db, web)

    return tagged(request, await web.records.user(caller.claims, write))


def _read(db: Connection, web: Web) -> LimitsOut:
    return LimitsOut.of(limits.get(db), limits.used(db, web.prices, web.now()))
