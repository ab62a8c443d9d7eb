"""Who am I, where, and what may I do?"""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel

from app.api.context import Site
from app.api.v1.principal import Caller, Role
from app.errors import NotFound
from app.store import accounts

router = APIRouter(tags=["session"])


class Me(BaseModel):
    """`key` is true for a program with an API key; `scopes` are its own and empty for a person, who needs none."""

    user_id: UUID
    name: str
    role: Role
    workspace_id: UUID
    workspace: str
    key: bool
    scopes: list[str]


@router.get("/me", operation_id="me_get")
async def me(web: Site, caller: Caller) -> Me:
    found = await web.records.user(caller.claims, lambda db: accounts.me(db, caller.user_id))
    if found is None:
        raise NotFound("Your workspace is gone.")
    return Me(
        user_id=caller.user_id,
        name=found.name,
        role=caller.role,
        workspace_id=found.workspace_id,
        workspace=found.workspace,
        key=caller.key_id is not None,
        scopes=sorted(caller.scopes),
    )
