"""Who did what, to what, and when. Nobody can change it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import AwareDatetime, BaseModel

from app.api.context import Site
from app.api.v1.pages import Page, Paging
from app.api.v1.principal import Caller
from app.store import audit
from app.store.audit import AuditRow, Sought

router = APIRouter(prefix="/audit", tags=["audit"])


class AuditEntry(BaseModel):
    """`actor` is a user's or key's id, or the name of a process; `actor_name` is what they are called, if anything.
    `action` is the operation of the API, or a verb such as "playbook.publish"."""

    id: UUID
    at: datetime
    actor: str
    actor_name: str | None
    action: str
    subject: str
    detail: dict[str, Any]

    @classmethod
    def of(cls, row: AuditRow) -> AuditEntry:
        return cls.model_validate(row, from_attributes=True)


@router.get("", operation_id="audit_list")
async def list_(
    web: Site,
    caller: Caller,
    paging: Paging,
    actor: Annotated[str | None, Query(max_length=100)] = None,
    action: Annotated[str | None, Query(max_length=100)] = None,
    subject: Annotated[str | None, Query(max_length=200)] = None,
    from_: Annotated[AwareDatetime | None, Query(alias="from")] = None,
    to: AwareDatetime | None = None,
) -> Page[AuditEntry]:
    """Newest first."""
    sought = Sought(actor, action, subject, from_, to)
    after = paging.after(datetime, UUID)
    rows = await web.records.user(caller.claims, lambda db: audit.newest(db, sought, after, paging.fetch))
    return paging.page(rows, AuditEntry.of, lambda row: (row.at, row.id))
