"""What a person may ask for: everything that is kept about them, and that it goes (GDPR Art. 15, 17, 20)."""

from __future__ import annotations

import asyncio
import tempfile
from datetime import datetime
from pathlib import Path
from typing import Literal
from uuid import UUID

from fastapi import APIRouter
from fastapi.responses import FileResponse
from pydantic import BaseModel, ConfigDict, Field
from starlette.background import BackgroundTask

from app import dossier
from app.api.context import Site
from app.api.v1.principal import Caller
from app.dossier import Dossier
from app.errors import Conflict, NotFound
from app.store import erasures, leads
from app.store.connect import Connection
from app.store.erasures import Erasure, WaitsFor

router = APIRouter(prefix="/leads", tags=["leads"])


class ErasureWanted(BaseModel):
    model_config = ConfigDict(extra="forbid")

    suppress: bool = Field(True, description="Put the number on the list of those who are never called or written to.")


class ErasureOut(BaseModel):
    """`stuck`: put aside for a person to look at. `removed`: rows by table."""

    state: Literal["none", "waiting", "stuck", "done"]
    waits_for: WaitsFor | None = None
    suppress: bool | None = None
    asked_by: UUID | None = None
    asked_at: datetime | None = None
    done_at: datetime | None = None
    removed: dict[str, int] = {}

    @classmethod
    def of(cls, found: Erasure | None) -> ErasureOut:
        if found is None:
            return cls(state="none")
        return cls(
            state="done" if found.done_at else "stuck" if found.stuck else "waiting",
            waits_for=found.waits_for,
            suppress=found.suppress,
            asked_by=found.asked_by,
            asked_at=found.asked_at,
            done_at=found.done_at,
            removed=found.removed,
        )


@router.get("/{lead_id}/dossier", operation_id="leads_dossier", response_class=FileResponse)
async def get_dossier(lead_id: UUID, web: Site, caller: Caller) -> FileResponse:
    """A zip with everything that is kept about this person: rows as JSON, the sound of their calls. That somebody asked
    for it is kept."""

    def read(db: Connection) -> Dossier:
        _known(db, lead_id)
        return dossier.read(db, lead_id, web.now())

    found = await web.records.desk(caller.workspace_id, read)
    path = await asyncio.to_thread(_written, found, web.recordings.folder)
    return FileResponse(
        path,
        media_type="application/zip",
        filename=f"dossier-{lead_id}.zip",
        headers={"Cache-Control": "private, no-store"},
        background=BackgroundTask(path.unlink, missing_ok=True),
    )


@router.post("/{lead_id}/erasure", operation_id="leads_erase", status_code=202)
async def erase(lead_id: UUID, body: ErasureWanted, web: Site, caller: Caller) -> ErasureOut:
    """Deletes everything about this person but what law wants kept. Cannot be undone; waits for a call that goes on.
    What a legal hold keeps is not deleted."""

    def write(db: Connection) -> Erasure | None:
        _known(db, lead_id)
        if erasures.lead_held(db, lead_id):
            raise Conflict("A legal hold keeps what is known of this person: lift it first.")
        before = erasures.latest(db, lead_id)
        if before is not None and before.done_at is None:
            raise Conflict("This person is being erased already.")
        erasures.ask(db, lead_id, body.suppress, caller.user_id)
        return erasures.latest(db, lead_id)

    return ErasureOut.of(await web.records.user(caller.claims, write))


@router.get("/{lead_id}/erasure", operation_id="leads_erasure")
async def get_erasure(lead_id: UUID, web: Site, caller: Caller) -> ErasureOut:
    """How far the last one is, if somebody asked for one."""

    def read(db: Connection) -> Erasure | None:
        _known(db, lead_id)
        return erasures.latest(db, lead_id)

    return ErasureOut.of(await web.records.user(caller.claims, read))


def _known(db: Connection, lead_id: UUID) -> None:
    if leads.get(db, lead_id) is None:
        raise NotFound("There is no such lead.")


def _written(found: Dossier, folder: Path) -> Path:
    """A file of its own, which goes when it was sent."""
    with tempfile.NamedTemporaryFile(suffix=".zip", delete=False) as file:
        dossier.write(file, found, folder)
    return Path(file.name)
