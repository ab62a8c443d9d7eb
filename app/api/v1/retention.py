"""What is past its days and goes tonight, and what is held back from that. The days themselves: PATCH /workspace."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from app import retention as deleting
from app.api import acts
from app.api.context import Site
from app.api.v1.principal import Caller
from app.errors import Conflict, NotFound
from app.store import holds, leads, retention, workspace_settings
from app.store.connect import Connection
from app.store.holds import Hold

router = APIRouter(tags=["retention"])


class Due(BaseModel):
    """How much would go now: recordings of this machine, calls whose words are deleted, leads who are forgotten."""

    recordings: int
    calls: int
    leads: int


class Retention(BaseModel):
    recording_days: int
    retention_days: int
    due: Due
    last_at: datetime | None


class HoldWanted(BaseModel):
    """`lead_id` null: everything of the workspace."""

    model_config = ConfigDict(extra="forbid")

    why: str = Field(min_length=1, max_length=500)
    lead_id: UUID | None = None


class HoldOut(BaseModel):
    id: UUID
    lead_id: UUID | None
    lead: str | None
    why: str
    set_by: UUID
    set_at: datetime

    @classmethod
    def of(cls, row: Hold) -> HoldOut:
        return cls.model_validate(row, from_attributes=True)


class Holds(BaseModel):
    items: list[HoldOut]
    next_cursor: None = None


@router.get("/retention", operation_id="retention_get")
async def get(web: Site, caller: Caller) -> Retention:
    def read(db: Connection) -> Retention:
        settings, last = workspace_settings.get(db), retention.last(db)
        return Retention(
            recording_days=settings.recording_days,
            retention_days=settings.retention_days,
            due=Due(**deleting.due(db, web.recordings.folder, web.now())),
            last_at=last[0] if last else None,
        )

    return await web.records.user(caller.claims, read)


@router.get("/holds", operation_id="holds_list")
async def list_(web: Site, caller: Caller) -> Holds:
    """Those in force."""
    return Holds(items=[HoldOut.of(one) for one in await web.records.user(caller.claims, holds.current)])


@router.post("/holds", operation_id="holds_create", status_code=201)
async def create(body: HoldWanted, web: Site, caller: Caller) -> HoldOut:
    """From now on nothing of it is deleted until the hold is lifted."""

    def write(db: Connection) -> Hold:
        if body.lead_id is not None and leads.get(db, body.lead_id) is None:
            raise NotFound("There is no such lead.")
        made = holds.one(db, holds.add(db, body.lead_id, body.why, caller.user_id))
        if made is None:
            raise Conflict("Somebody has lifted it again.")
        return made

    acts.say(str(body.lead_id or ""))
    return HoldOut.of(await web.records.user(caller.claims, write))


@router.delete("/holds/{hold_id}", operation_id="holds_lift", status_code=204)
async def lift(hold_id: UUID, web: Site, caller: Caller) -> None:
    """Who set it and who lifted it stays known."""

    def write(db: Connection) -> None:
        if not holds.lift(db, hold_id, caller.user_id):
            raise NotFound("There is no such hold, or it was lifted.")

    await web.records.user(caller.claims, write)
