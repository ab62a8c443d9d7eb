"""One-time tickets: what a browser shows once, instead of a token in an address (T15)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Literal

from fastapi import APIRouter, Response
from pydantic import BaseModel, ConfigDict, Field

from app.api.context import Site, Web
from app.api.issuer import random_token
from app.api.v1.errors import NotSignedIn
from app.api.v1.principal import Caller, Principal
from app.errors import NotFound
from app.store import accounts, calls
from app.store.accounts import NewTicket

router = APIRouter(tags=["session"])

LASTS = timedelta(seconds=30)


class TicketRequest(BaseModel):
    model_config = ConfigDict(extra="forbid")

    purpose: Literal["feed", "listen", "phone"]
    call_sid: str | None = Field(None, max_length=64, pattern=r"^[A-Za-z0-9_-]+$")


class Ticket(BaseModel):
    ticket: str
    expires_at: datetime


@router.post("/tickets", operation_id="tickets_create", status_code=201)
async def create(body: TicketRequest, web: Site, caller: Caller, response: Response) -> Ticket:
    """Opens one socket, within 30 s. A call that is named must be one of your workspace."""
    now, token = web.now(), random_token()
    if body.call_sid is not None:
        sid = body.call_sid
        call = await web.records.user(caller.claims, lambda db: calls.get(db, sid))
        if call is None:
            raise NotFound(f"There is no call {sid}.")
        if body.purpose == "listen":
            web.attendant.look(call)  # a browser is told nothing of why a socket was refused
    ticket = NewTicket(token, caller.workspace_id, caller.user_id, body.purpose, now, LASTS, body.call_sid)
    await web.records.desk(caller.workspace_id, lambda db: accounts.issue_ticket(db, ticket))
    response.headers["Cache-Control"] = "no-store"
    return Ticket(ticket=token, expires_at=now + LASTS)


async def redeem(web: Web, token: str, purpose: str) -> tuple[Principal, str | None]:
    """Who holds it, and the call it is for. Raises NotSignedIn."""
    now = web.now()
    admitted = await web.records.door(lambda db: accounts.redeem_ticket(db, token, purpose, now))
    if admitted is None:
        raise NotSignedIn("This ticket is unknown, too old or was used.")
    return Principal.of(admitted.user_id, admitted.workspace_id, admitted.role), admitted.call_sid
