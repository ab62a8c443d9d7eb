"""The people of the workspace."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from app.api import acts
from app.api.context import Site
from app.api.v1.errors import NotAllowed
from app.api.v1.etags import must_match, tagged
from app.api.v1.pages import Page, Paging
from app.api.v1.principal import Caller, Principal, Role
from app.errors import Conflict, NotFound
from app.store import accounts, members
from app.store.connect import Connection

router = APIRouter(prefix="/members", tags=["members"])


class Member(BaseModel):
    user_id: UUID
    name: str
    role: Role
    joined_at: datetime

    @classmethod
    def of(cls, row: accounts.Member) -> Member:
        return cls(user_id=row.user_id, name=row.name, role=Role(row.role), joined_at=row.created_at)


class NewMember(BaseModel):
    model_config = ConfigDict(extra="forbid")

    user_id: UUID = Field(description="`sub` of their tokens.")
    role: Role
    name: str = Field("", max_length=200)


class MemberChange(BaseModel):
    """What is left out stays as it is."""

    model_config = ConfigDict(extra="forbid")

    role: Role | None = None
    name: str | None = Field(None, max_length=200)


@router.get("", operation_id="members_list")
async def list_(web: Site, caller: Caller, paging: Paging) -> Page[Member]:
    """In the order they joined."""
    after = paging.after(datetime, UUID)
    rows = await web.records.user(caller.claims, lambda db: accounts.members(db, after, paging.fetch))
    return paging.page(rows, Member.of, lambda row: (row.created_at, row.user_id))


@router.post("", operation_id="members_create", status_code=201)
async def create(body: NewMember, web: Site, caller: Caller) -> Member:
    """Somebody whose id the sign-in service knows already. Anybody else is invited (POST /invitations)."""
    not_above(caller, body.role)

    def work(db: Connection) -> accounts.Member:
        if not members.add(db, body.user_id, body.role, body.name):
            raise Conflict("They are a member already.")
        return _existing(accounts.member(db, body.user_id))

    acts.say(str(body.user_id))
    return Member.of(await web.records.user(caller.claims, work))


@router.patch("/{user_id}", operation_id="members_update", response_model=Member)
async def update(user_id: UUID, body: MemberChange, web: Site, caller: Caller, request: Request) -> Response:
    if body.role is not None:
        not_above(caller, body.role)

    def work(db: Connection) -> Member:
        found, owners = members.locked(db, user_id)
        now = _existing(found)
        must_match(request, Member.of(now))
        not_above(caller, Role(now.role))
        _keep_an_owner(now, owners, stays=body.role in (None, Role.OWNER))
        members.change(db, user_id, body.role or now.role, now.name if body.name is None else body.name)
        return Member.of(_existing(accounts.member(db, user_id)))

    changed = await web.records.user(caller.claims, work)
    web.doors.remembered.forget(user_id)
    return tagged(request, changed)


@router.delete("/{user_id}", operation_id="members_remove", status_code=204)
async def remove(user_id: UUID, web: Site, caller: Caller) -> None:
    """Their tokens end within seconds; what they did stays."""

    def work(db: Connection) -> None:
        found, owners = members.locked(db, user_id)
        now = _existing(found)
        not_above(caller, Role(now.role))
        _keep_an_owner(now, owners, stays=False)
        acts.write_now(db)
        members.remove(db, user_id)

    await web.records.user(caller.claims, work)
    web.doors.remembered.forget(user_id)


def not_above(caller: Principal, role: Role) -> None:
    """Nobody hands out, changes or takes away a role above their own; the database says so too."""
    if not caller.role.covers(role):
        raise NotAllowed(f"Your role is {caller.role}: you cannot give or take {role}.")


def _keep_an_owner(member: accounts.Member, owners: int, *, stays: bool) -> None:
    if member.role == Role.OWNER and owners == 1 and not stays:
        raise Conflict("A workspace needs an owner: make somebody else one first.")


def _existing(row: accounts.Member | None) -> accounts.Member:
    if row is None:
        raise NotFound("There is no such member.")
    return row
