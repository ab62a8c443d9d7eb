"""How much may go out, where to, and how much of it is used up (T06)."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from decimal import Decimal
from typing import Annotated

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from app.api.context import Site
from app.api.v1.etags import must_match, tagged
from app.api.v1.principal import Caller
from app.compliance.limits import Limits
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


class LimitsOut(LimitsIn):
    @classmethod
    def of(cls, row: Limits) -> LimitsOut:
        return cls(**{**asdict(row), "spend_per_day_usd": float(row.spend_per_day_usd), "reach": list(row.reach)})


class LimitsUsed(BaseModel):
    """Attempts of the last minute and hour and of the day, messages of the day, and what its calls have cost: those
    going on as estimated. The day is one of the workspace's time zone."""

    minute: int
    hour: int
    day: int
    messages: int
    spent_usd: float
    day_ends: datetime


@router.get("", operation_id="limits_get", response_model=LimitsOut)
async def get(web: Site, caller: Caller, request: Request) -> Response:
    return tagged(request, LimitsOut.of(await web.records.user(caller.claims, limits.get)))


@router.put("", operation_id="limits_update", response_model=LimitsOut)
async def update(body: LimitsIn, web: Site, caller: Caller, request: Request) -> Response:
    """In force with the next call and message."""

    def write(db: Connection) -> LimitsOut:
        must_match(request, LimitsOut.of(limits.get(db, locked=True)))
        given = body.model_dump()
        spend = Decimal(str(given.pop("spend_per_day_usd"))).quantize(Decimal("0.01"))
        limits.put(db, Limits(**{**given, "reach": tuple(body.reach)}, spend_per_day_usd=spend))
        return LimitsOut.of(limits.get(db))

    return tagged(request, await web.records.user(caller.claims, write))


@router.get("/used", operation_id="limits_used")
async def used(web: Site, caller: Caller) -> LimitsUsed:
    """How much of them went out."""
    now = web.now()
    found = await web.records.user(caller.claims, lambda db: limits.used(db, web.prices, now))
    return LimitsUsed(
        minute=found.minute,
        hour=found.hour,
        day=found.day,
        messages=found.messages,
        spent_usd=round(float(found.spent_usd), 4),
        day_ends=found.day_ends,
    )
