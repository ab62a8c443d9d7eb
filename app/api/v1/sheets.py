"""Plain lists, newest first: outcomes, scores, messages, follow-ups."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel

from app.api.context import Site
from app.api.v1 import shown
from app.api.v1.pages import Page, Paging
from app.api.v1.principal import Caller
from app.store import sheets

router = APIRouter()


class OutcomeOut(BaseModel):
    call_sid: str
    lead_id: UUID | None
    result: str
    reason: str
    facts: dict[str, str]
    appointment: str | None
    follow_up: str | None
    duration_ms: int
    recorded_at: datetime


class ScoreOut(BaseModel):
    lead_id: UUID
    call_sid: str
    probability: float
    lower: float
    upper: float
    tier: str
    reasons: list[str]
    model_version: str
    scored_at: datetime


class MessageOut(BaseModel):
    id: UUID
    direction: str
    lead_id: UUID | None
    call_sid: str | None
    template: str | None
    sender: str
    recipient: str
    text: str
    status: str
    error: str | None
    created_at: datetime
    status_at: datetime


class FollowUp(BaseModel):
    """`message_status` is null while nothing has been sent."""

    call_sid: str
    lead_id: UUID | None
    lead_name: str | None
    template: str
    promised_at: datetime
    message_status: str | None


@router.get("/outcomes", operation_id="outcomes_list", tags=["outcomes"])
async def outcomes(web: Site, caller: Caller, paging: Paging) -> Page[OutcomeOut]:
    after = paging.after(datetime, UUID)
    rows = await web.records.user(caller.claims, lambda db: sheets.outcomes(db, after, paging.fetch))

    def out(row: dict[str, object]) -> OutcomeOut:
        facts = row["facts"] if isinstance(row["facts"], dict) else {}
        return OutcomeOut.model_validate({**row, "facts": {name: str(value) for name, value in facts.items()}})

    return paging.page(rows, out, lambda row: (row["recorded_at"], row["id"]))


@router.get("/scores", operation_id="scores_list", tags=["scores"])
async def scores(web: Site, caller: Caller, paging: Paging) -> Page[ScoreOut]:
    after = paging.after(datetime, UUID)
    rows = await web.records.user(caller.claims, lambda db: sheets.scores(db, after, paging.fetch))
    return paging.page(rows, ScoreOut.model_validate, lambda row: (row["scored_at"], row["id"]))


@router.get("/messages", operation_id="messages_list", tags=["messages"])
async def messages(web: Site, caller: Caller, paging: Paging) -> Page[MessageOut]:
    after = paging.after(datetime, UUID)
    rows = await web.records.user(caller.claims, lambda db: sheets.messages(db, after, paging.fetch))

    def out(row: dict[str, object]) -> MessageOut:
        numbers = {name: shown.number(str(row[name]), caller) for name in ("sender", "recipient")}
        return MessageOut.model_validate({**row, **numbers})

    return paging.page(rows, out, lambda row: (row["created_at"], row["id"]))


@router.get("/follow-ups", operation_id="follow_ups_list", tags=["follow-ups"])
async def follow_ups(web: Site, caller: Caller, paging: Paging) -> Page[FollowUp]:
    """What was promised in calls, and what became of it."""
    after = paging.after(datetime, UUID)
    rows = await web.records.user(caller.claims, lambda db: sheets.follow_ups(db, after, paging.fetch))
    return paging.page(
        rows,
        lambda row: FollowUp.model_validate({**row, "promised_at": row["recorded_at"]}),
        lambda row: (row["recorded_at"], row["id"]),
    )
