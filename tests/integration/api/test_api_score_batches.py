"""All leads scored again over HTTP: begun, watched, and nobody else's."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest

from app.compliance import rules
from app.sales import registry
from app.sales.lead import LeadHistory, Score, Tier
from app.store import score_batches
from workers import jobs, rescore
from workers.jobs import Ref
from workers.model import Judged
from workers.resources import Resources

from .conftest import Api, id_of

pytestmark = pytest.mark.integration


def judge(workspace_id: UUID, entries: tuple[registry.Entry, ...], history: LeadHistory) -> Judged:
    return Judged(Score(0.3, 0.2, 0.4, Tier.WARM, ("because",), f"v-{uuid4()}"))


def test_a_batch_is_begun_watched_and_over(api: Api) -> None:
    begun = api.as_("manager").post("/scores/batches")
    assert begun.status_code == 202
    batch = begun.json()
    assert (batch["leads"], batch["done"], batch["over"]) == (1, 0, False)
    where = begun.headers["location"].removeprefix("/api/v1")
    assert api.as_("viewer").get(where).json() == batch
    database = api.web.records.database
    with database.worker(id_of("a", "workspace")) as db:
        chunks = score_batches.open_chunks(db, UUID(batch["id"]))
    resources = Resources(database, None, judge, rules.load(), lambda: datetime.now(UTC))
    for job, key in chunks:
        jobs.run(rescore.rescore, resources, Ref(job, id_of("a", "workspace"), key))
    found = api.as_("viewer").get(where).json()
    assert (found["leads"], found["done"], found["over"]) == (1, 1, True)


def test_no_such_batch_and_one_of_another_workspace_are_not_found(api: Api) -> None:
    viewer = api.as_("viewer")
    assert viewer.get(f"/scores/batches/{uuid4()}").status_code == 404
    assert viewer.get(f"/scores/batches/{id_of('b', 'batch')}").status_code == 404
    assert viewer.get(f"/scores/batches/{id_of('a', 'batch')}").json()["over"] is True


def test_viewers_begin_none(api: Api) -> None:
    assert api.as_("agent").post("/scores/batches").status_code == 403
