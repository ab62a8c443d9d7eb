"""What people agreed to, and who must be left alone."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from app.api.context import Site
from app.api.v1 import shown
from app.api.v1.leads import ConsentOut
from app.api.v1.pages import Page, Paging
from app.api.v1.principal import Caller
from app.errors import Conflict, NotFound
from app.store import audit, consents, lead_desk, sheets, suppressions
from app.store.connect import Connection
from app.store.consents import NewConsent

router = APIRouter(tags=["consents"])

E164 = Annotated[str, Field(pattern=r"^\+[1-9][0-9]{6,14}$")]


class Given(BaseModel):
    """`wording` is the exact text the person was shown; `evidence` says where the proof lies."""

    model_config = ConfigDict(extra="forbid")

    purpose: Literal["marketing", "informational", "whatsapp", "recording"]
    kind: Literal["oral", "written", "whatsapp"]
    wording: str = Field(min_length=1, max_length=4000)
    evidence: str = Field(min_length=1, max_length=1000)
    given_at: datetime


class Consents(BaseModel):
    items: list[ConsentOut]


class Suppressed(BaseModel):
    model_config = ConfigDict(extra="forbid")

    phone: E164
    reason: str = Field(min_length=1, max_length=200)
    channel_scope: Literal["all", "voice", "whatsapp"] = "all"


class SuppressionOut(BaseModel):
    id: UUID
    phone: str
    channel_scope: str
    reason: str
    created_at: datetime


class Added(BaseModel):
    """False when the number was on the list already."""

    added: bool


@router.get("/leads/{lead_id}/consents", operation_id="consents_list")
async def list_(lead_id: UUID, web: Site, caller: Caller) -> Consents:
    """Newest first, the withdrawn ones among them."""

    def read(db: Connection) -> list[ConsentOut]:
        phone = _phone(db, lead_id)
        return [ConsentOut.of(one) for one in consents.of(db, phone)] if phone else []

    return Consents(items=await web.records.user(caller.claims, read))


@router.post("/leads/{lead_id}/consents", operation_id="consents_create", status_code=201)
async def create(lead_id: UUID, body: Given, web: Site, caller: Caller) -> ConsentOut:
    def write(db: Connection) -> ConsentOut:
        phone = _phone(db, lead_id)
        if phone is None:
            raise Conflict("This lead has no number that a consent could be for.")
        given = NewConsent(
            phone, body.purpose, body.kind, body.wording, body.evidence, body.given_at, channel="dashboard"
        )
        consents.give(db, given)
        audit.write(db, str(caller.user_id), "consent.add", str(lead_id), {"purpose": body.purpose})
        found = consents.current(db, phone, body.purpose)
        assert found is not None
        return ConsentOut.of(found)

    return await web.records.user(caller.claims, write)


@router.get("/suppressions", operation_id="suppressions_list")
async def suppressed(web: Site, caller: Caller, paging: Paging) -> Page[SuppressionOut]:
    """Newest first."""
    after = paging.after(datetime, UUID)
    rows = await web.records.user(caller.claims, lambda db: sheets.suppressions(db, after, paging.fetch))
    return paging.page(
        rows,
        lambda row: SuppressionOut(**{**row, "phone": shown.number(row["phone"], caller)}),
        lambda row: (row["created_at"], row["id"]),
    )


@router.post("/suppressions", operation_id="suppressions_create")
async def suppress(body: Suppressed, web: Site, caller: Caller) -> Added:
    """This number is never called or written to again. Nobody can take that back."""

    def write(db: Connection) -> bool:
        added = suppressions.add(db, body.phone, body.channel_scope, body.reason, f"entered by {caller.user_id}")
        audit.write(db, str(caller.user_id), "suppression.add", body.phone)
        return added

    return Added(added=await web.records.user(caller.claims, write))


def _phone(db: Connection, lead_id: UUID) -> str | None:
    found = lead_desk.one(db, lead_id)
    if found is None:
        raise NotFound("There is no such lead.")
    return found.phone
