"""Telephone numbers of the workspace, and which playbook answers on each."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from app.api.context import Site
from app.api.v1.principal import Caller
from app.errors import NotFound
from app.store import audit, numbers
from app.store.connect import Connection
from app.store.numbers import PhoneNumber

router = APIRouter(prefix="/numbers", tags=["numbers"])

E164 = Annotated[str, Field(pattern=r"^\+[1-9][0-9]{6,14}$")]
PlaybookName = Annotated[str, Field(pattern=r"^[a-z0-9_-]{1,64}$")]


class NumberOut(BaseModel):
    id: UUID
    e164: str
    playbook: str
    whatsapp: bool

    @classmethod
    def of(cls, row: PhoneNumber) -> NumberOut:
        return cls(id=row.id, e164=row.e164, playbook=row.playbook, whatsapp=row.whatsapp)


class Numbers(BaseModel):
    items: list[NumberOut]
    next_cursor: None = None


class NewNumber(BaseModel):
    model_config = ConfigDict(extra="forbid")

    e164: E164
    playbook: PlaybookName
    whatsapp: bool = False


class NumberChange(BaseModel):
    model_config = ConfigDict(extra="forbid")

    playbook: PlaybookName | None = None
    whatsapp: bool | None = None


@router.get("", operation_id="numbers_list")
async def list_(web: Site, caller: Caller) -> Numbers:
    """All of them: a workspace has few."""
    found = await web.records.user(caller.claims, numbers.all_of)
    return Numbers(items=[NumberOut.of(one) for one in found])


@router.post("", operation_id="numbers_create", status_code=201)
async def create(body: NewNumber, web: Site, caller: Caller) -> NumberOut:
    def write(db: Connection) -> PhoneNumber:
        made = numbers.add(db, body.e164, body.playbook, whatsapp=body.whatsapp)
        audit.write(db, str(caller.user_id), "number.add", body.e164)
        return made

    return NumberOut.of(await web.records.user(caller.claims, write))


@router.patch("/{number_id}", operation_id="numbers_change")
async def change(number_id: UUID, body: NumberChange, web: Site, caller: Caller) -> NumberOut:
    def write(db: Connection) -> PhoneNumber:
        changed = numbers.change(db, number_id, body.playbook, body.whatsapp)
        if changed is None:
            raise NotFound("There is no such number.")
        audit.write(db, str(caller.user_id), "number.change", changed.e164)
        return changed

    return NumberOut.of(await web.records.user(caller.claims, write))


@router.delete("/{number_id}", operation_id="numbers_remove", status_code=204)
async def remove(number_id: UUID, web: Site, caller: Caller) -> None:
    """Calls to it are answered by nobody from then on."""

    def write(db: Connection) -> None:
        e164 = numbers.remove(db, number_id)
        if e164 is None:
            raise NotFound("There is no such number.")
        audit.write(db, str(caller.user_id), "number.remove", e164)

    await web.records.user(caller.claims, write)
