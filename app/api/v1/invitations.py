"""One-time links that make somebody a member."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import BaseModel, ConfigDict, Field

from app.api import acts
from app.api.context import Site
from app.api.issuer import link, random_token
from app.api.v1.members import not_above
from app.api.v1.pages import Page, Paging
from app.api.v1.principal import Caller, Role
from app.errors import NotFound
from app.store import accounts, members
from app.store.connect import Connection
from app.store.members import InvitationRow

router = APIRouter(prefix="/invitations", tags=["members"])


class Invitation(BaseModel):
    id: UUID
    role: Role
    name: str
    created_by: UUID
    created_at: datetime
    expires_at: datetime
    accepted_at: datetime | None
    accepted_by: UUID | None
    revoked_at: datetime | None

    @classmethod
    def of(cls, row: InvitationRow) -> Invitation:
        return cls.model_validate(row, from_attributes=True)


class NewInvitation(Invitation):
    link: str = Field(description="Shown now and never again. Works once.")


class InvitationRequest(BaseModel):
    model_config = ConfigDict(extra="forbid")

    role: Role
    name: str = Field("", max_length=200)
    lasts_s: int = Field(3 * 86_400, ge=60, le=30 * 86_400)


@router.get("", operation_id="invitations_list")
async def list_(web: Site, caller: Caller, paging: Paging) -> Page[Invitation]:
    """Newest first, with those that were accepted or are over."""
    after = paging.after(datetime, UUID)
    rows = await web.records.user(caller.claims, lambda db: members.invited(db, after, paging.fetch))
    return paging.page(rows, Invitation.of, lambda row: (row.created_at, row.id))


@router.post("", operation_id="invitations_create", status_code=201)
async def create(body: InvitationRequest, web: Site, caller: Caller, response: Response) -> NewInvitation:
    not_above(caller, body.role)
    token, expires_at = random_token(), web.now() + timedelta(seconds=body.lasts_s)

    def work(db: Connection) -> InvitationRow:
        hashed = accounts.hash_of(token)
        made = members.invite(
            db, token_hash=hashed, role=body.role, name=body.name, created_by=caller.user_id, expires_at=expires_at
        )
        acts.say(str(made.id))
        return made

    row = await web.records.user(caller.claims, work)
    response.headers["Cache-Control"] = "no-store"
    return NewInvitation(**Invitation.of(row).model_dump(), link=link(web.settings.public_url, token))


@router.delete("/{invitation_id}", operation_id="invitations_revoke", status_code=204)
async def revoke(invitation_id: UUID, web: Site, caller: Caller) -> None:
    if not await web.records.user(caller.claims, lambda db: members.uninvite(db, invitation_id)):
        raise NotFound("There is no such invitation.")
