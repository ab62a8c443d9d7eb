"""The people of the workspace."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel

from app.api.context import Site
from app.api.v1.pages import Page, Paging
from app.api.v1.principal import Caller, Role
from app.store import accounts

router = APIRouter(prefix="/members", tags=["members"])


class Member(BaseModel):
    user_id: UUID
    name: str
    role: Role
    joined_at: datetime

    @classmethod
    def of(cls, row: accounts.Member) -> Member:
        return cls(user_id=row.user_id, name=row.name, role=Role(row.role), joined_at=row.created_at)


@router.get("", operation_id="members_list")
async def list_(web: Site, caller: Caller, paging: Paging) -> Page[Member]:
    """In the order they joined."""
    after = paging.after(datetime, UUID)
    rows = await web.records.user(caller.claims, lambda db: accounts.members(db, after, paging.fetch))
    return paging.page(rows, Member.of, lambda row: (row.created_at, row.user_id))
