"""The workspace: its name, and what it has set for itself."""

from __future__ import annotations

from datetime import datetime, time
from decimal import Decimal
from typing import Annotated, Literal
from uuid import UUID
from zoneinfo import ZoneInfo, available_timezones

from fastapi import APIRouter, Request, Response
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from app.api.context import Site
from app.api.v1.etags import must_match, tagged
from app.api.v1.principal import Caller
from app.store import tier_cuts, workspace_settings
from app.store.connect import Connection
from app.store.workspace_settings import WorkspaceSettings

router = APIRouter(prefix="/workspace", tags=["workspace"])

_MONEY = ("value_usd", "call_cost_usd")


def _zone(name: str) -> str:
    if name not in available_timezones():
        raise ValueError("not a time zone: an IANA name such as Europe/Madrid is needed")
    return ZoneInfo(name).key


class QuietHours(BaseModel):
    """Wall-clock times in the time zone of the workspace; over midnight when `to` is the earlier one."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    from_: time = Field(alias="from")
    to: time


class Workspace(BaseModel):
    id: UUID
    name: str
    time_zone: str
    locale: str
    retention_days: int
    recording_days: int
    quiet_hours: QuietHours | None
    capacity_per_day: int
    value_usd: float
    call_cost_usd: float
    created_at: datetime

    @classmethod
    def of(cls, row: WorkspaceSettings) -> Workspace:
        quiet = None
        if row.quiet_from is not None and row.quiet_to is not None:
            quiet = QuietHours.model_validate({"from": row.quiet_from, "to": row.quiet_to})
        return cls(
            id=row.id,
            name=row.name,
            time_zone=row.time_zone,
            locale=row.locale,
            retention_days=row.retention_days,
            recording_days=row.recording_days,
            quiet_hours=quiet,
            capacity_per_day=row.capacity_per_day,
            value_usd=float(row.value_usd),
            call_cost_usd=float(row.call_cost_usd),
            created_at=row.created_at,
        )


class WorkspaceChange(BaseModel):
    """What is left out stays as it is; `quiet_hours: null` means there are none."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field("", min_length=1, max_length=200)
    time_zone: Annotated[str, AfterValidator(_zone)] = Field("", max_length=64)
    locale: Literal["en", "es"] = "en"
    retention_days: int = Field(180, ge=1, le=3650)
    recording_days: int = Field(30, ge=1, le=3650)
    quiet_hours: QuietHours | None = None
    capacity_per_day: int = Field(40, ge=1, le=100_000)
    value_usd: float = Field(0, ge=0, le=1e9, allow_inf_nan=False)
    call_cost_usd: float = Field(5, ge=0, le=1e6, allow_inf_nan=False)


@router.get("", operation_id="workspace_get", response_model=Workspace)
async def get(web: Site, caller: Caller, request: Request) -> Response:
    return tagged(request, Workspace.of(await web.records.user(caller.claims, workspace_settings.get)))


@router.patch("", operation_id="workspace_update", response_model=Workspace)
async def update(body: WorkspaceChange, web: Site, caller: Caller, request: Request) -> Response:
    """Tiers are cut anew for the capacity and money that are set."""

    def work(db: Connection) -> WorkspaceSettings:
        now = workspace_settings.get(db, locked=True)
        must_match(request, Workspace.of(now))
        workspace_settings.put(db, _changed(now, body))
        return workspace_settings.get(db)

    changed = Workspace.of(await web.records.user(caller.claims, work))
    await web.records.desk(caller.workspace_id, tier_cuts.recut)
    return tagged(request, changed)


def _changed(now: WorkspaceSettings, change: WorkspaceChange) -> dict[str, object]:
    given = change.model_dump(exclude_unset=True)
    quiet = (now.quiet_from, now.quiet_to)
    if "quiet_hours" in given:
        hours = change.quiet_hours
        quiet = (hours.from_, hours.to) if hours else (None, None)
    values: dict[str, object] = {
        name: given.get(name, getattr(now, name))
        for name in ("name", "time_zone", "locale", "retention_days", "recording_days", "capacity_per_day", *_MONEY)
    }
    values |= {name: Decimal(str(values[name])) for name in _MONEY}
    return values | {"quiet_from": quiet[0], "quiet_to": quiet[1]}
