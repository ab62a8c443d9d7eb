"""All leads scored again by the model that serves now: begin it, and see how far it is."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Response
from pydantic import BaseModel

from app.api.context import Site
from app.api.v1.principal import Caller
from app.errors import NotFound
from app.store import score_batches
from app.store.connect import Connection
from app.store.score_batches import Progress

router = APIRouter(prefix="/scores/batches", tags=["scores"])


class ScoreBatch(BaseModel):
    """Of `leads` so many are `done`; `put_aside` ones could not be scored and wait for a person. `over`: nothing is
    being worked on any more."""

    id: UUID
    leads: int
    done: int
    put_aside: int
    over: bool

    @classmethod
    def of(cls, batch: UUID, found: Progress) -> ScoreBatch:
        return cls(id=batch, leads=found.leads, done=found.done, put_aside=found.put_aside, over=found.over)


@router.post("", operation_id="score_batches_start", status_code=202)
async def start(web: Site, caller: Caller, response: Response) -> ScoreBatch:
    """Every lead that was talked to, from the log of its latest call; the tier, the package that suits and the
    workspace's cuts follow. The workers do it in chunks."""

    def begin(db: Connection) -> ScoreBatch:
        batch = score_batches.start(db)
        return ScoreBatch.of(batch, score_batches.progress(db, batch))

    begun = await web.records.desk(caller.workspace_id, begin)
    response.headers["Location"] = f"/api/v1/scores/batches/{begun.id}"
    return begun


@router.get("/{batch_id}", operation_id="score_batches_get")
async def get(batch_id: Annotated[UUID, Path()], web: Site, caller: Caller) -> ScoreBatch:
    def read(db: Connection) -> ScoreBatch:
        if not score_batches.exists(db, batch_id):
            raise NotFound("There is no such batch.")
        return ScoreBatch.of(batch_id, score_batches.progress(db, batch_id))

    return await web.records.desk(caller.workspace_id, read)
