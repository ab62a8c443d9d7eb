"""One outgoing call, asked for by a person or a program and decided by the gate."""

from __future__ import annotations

from typing import Self
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field, model_validator

from app.api import acts
from app.api.context import Site
from app.api.v1.principal import Caller
from app.errors import Conflict, NotFound
from app.store import leads, workspaces
from app.store.connect import Connection

router = APIRouter(prefix="/calls", tags=["calls"])


class CallWanted(BaseModel):
    """Whom to call: a number with country code, or a lead. `playbook`: what to speak by; else what answers on the
    workspace's oldest number."""

    model_config = ConfigDict(extra="forbid")

    to: str | None = Field(None, min_length=3, max_length=40)
    lead_id: UUID | None = None
    playbook: str | None = Field(None, pattern=r"^[a-z0-9_-]{1,64}$")

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.to is None) == (self.lead_id is None):
            raise ValueError("say `to` or `lead_id`, and not both")
        return self


class CallPlaced(BaseModel):
    """The carrier has taken it; it may still be busy, or nobody there. Follow it at /calls/{sid}."""

    sid: str
    sender: str


@router.post("", operation_id="calls_create", status_code=201)
async def create(body: CallWanted, web: Site, caller: Caller) -> CallPlaced:
    """Asks the gate, and dials when it says yes. Where it does not: 409 with the rules that objected, nothing is
    dialled, and the refusal is kept. Send an Idempotency-Key, so that a lost answer never dials twice."""

    def read(db: Connection) -> tuple[str, str]:
        number = workspaces.oldest_number(db)
        if number is None:
            raise Conflict("This workspace has no telephone number to call from.")
        return number.e164, body.to or _phone(db, body.lead_id)

    ours, to = await web.records.user(caller.claims, read)
    acts.say(str(body.lead_id) if body.lead_id else None, {"playbook": body.playbook} if body.playbook else None)
    placed = await web.dialling.place(web.records.database, to, body.playbook, ours=ours)
    return CallPlaced(sid=placed.call_sid, sender=placed.sender)


def _phone(db: Connection, lead_id: UUID | None) -> str:
    lead = leads.get(db, lead_id) if lead_id else None
    if lead is None:
        raise NotFound("There is no such lead.")
    if not lead.phone:
        raise Conflict("This lead has no telephone number.")
    return lead.phone
