"""Models: which there are, how good each was and on what, what has moved since, and which one's scores show."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import BaseModel

from app.api.context import Site
from app.api.v1.etags import tagged
from app.api.v1.principal import Caller, Principal
from app.sales.registry import Entry
from app.store import alerts, models
from app.store.connect import Connection

router = APIRouter(prefix="/models", tags=["models"])

FROM_HERE = "from the dashboard"
Version = Annotated[str, Path(max_length=100)]


class ModelItem(BaseModel):
    version: str
    target: str
    stage: Literal["candidate", "shadow", "champion", "retired"]
    trained_on: str
    rows: int
    positives: int
    created_at: datetime
    metrics: dict[str, float]

    @classmethod
    def of(cls, entry: Entry) -> ModelItem:
        return cls(**_fields(entry))


class AlertOut(BaseModel):
    kind: str
    subject: str
    sentence: str
    opened_at: datetime
    times: int


class Models(BaseModel):
    """Newest first. Where none is champion, the model that ships with Strowger scores, and says so."""

    items: list[ModelItem]
    alerts: list[AlertOut]


class Bin(BaseModel):
    """Of `rows` leads that were given about `predicted`, so many (`observed`, a share) became customers."""

    predicted: float
    observed: float
    rows: int


class Lift(BaseModel):
    """Calling the best `share` of leads first finds `lift` times as many customers as calling at random."""

    share: float
    lift: float


class ModelDetail(ModelItem):
    card: str
    calibration: list[Bin]
    lift: list[Lift]


Why = Annotated[str, Query(max_length=300, description="Kept in the audit log.")]


class Serving(BaseModel):
    """The champion now; null: the shipped model."""

    champion: str | None


@router.get("", operation_id="models_list")
async def list_(web: Site, caller: Caller) -> Models:
    def read(db: Connection) -> Models:
        found = [ModelItem.of(entry) for entry in models.entries(db)]
        noticed = [AlertOut.model_validate(one, from_attributes=True) for one in alerts.open_ones(db)]
        return Models(items=found, alerts=noticed)

    return await web.records.user(caller.claims, read)


@router.get("/{version}", operation_id="models_get", response_model=ModelDetail)
async def get(version: Version, web: Site, caller: Caller, request: Request) -> Response:
    entry = await web.records.user(caller.claims, lambda db: models.get(db, version))
    metrics = entry.metrics
    detail = ModelDetail(
        **_fields(entry),
        card=entry.card,
        calibration=[Bin(**one) for one in _points(metrics, "calibration", ("predicted", "observed", "rows"))],
        lift=[
            Lift(share=share, lift=float(metrics[name]))
            for share, name in ((0.1, "lift_10"), (0.2, "lift_20"), (0.3, "lift_30"))
            if isinstance(metrics.get(name), int | float)
        ],
    )
    return tagged(request, detail)


@router.post("/{version}/promote", operation_id="models_promote")
async def promote(version: Version, web: Site, caller: Caller, why: Why = FROM_HERE) -> Serving:
    """Its scores show from the next call on; every lead is scored again."""
    await _move(web, caller, lambda registry: registry.promote(version, str(caller.user_id), why))
    return Serving(champion=version)


@router.post("/{version}/rollback", operation_id="models_rollback")
async def rollback(version: Version, web: Site, caller: Caller, why: Why = FROM_HERE) -> Serving:
    """Back to the champion before this one."""
    back = await _move(web, caller, lambda registry: registry.rollback(str(caller.user_id), why))
    return Serving(champion=back.version if back else None)


@router.post("/{version}/retire", operation_id="models_retire")
async def retire(version: Version, web: Site, caller: Caller, why: Why = FROM_HERE) -> Serving:
    await _move(web, caller, lambda registry: registry.retire(version, str(caller.user_id), why))
    found = await web.records.user(caller.claims, models.champion)
    return Serving(champion=found.version if found else None)


async def _move(web: Site, caller: Principal, step: Callable[[models.StoredRegistry], Any]) -> Any:
    """Models change under the worker's role, once the door has let an admin in: members may only read them."""

    def work(db: Connection) -> Any:
        @contextmanager
        def here() -> Any:
            yield db

        transaction: Callable[[], AbstractContextManager[Connection]] = here
        return step(models.StoredRegistry(transaction))

    return await web.records.desk(caller.workspace_id, work)


def _points(metrics: Mapping[str, Any], name: str, fields: tuple[str, ...]) -> list[dict[str, Any]]:
    found = metrics.get(name)
    if not isinstance(found, list):
        return []
    return [dict(one) for one in found if isinstance(one, Mapping) and set(fields) <= set(one)]


def _fields(entry: Entry) -> dict[str, Any]:
    return {
        "version": entry.version,
        "target": entry.target,
        "stage": entry.stage.value,
        "trained_on": entry.lineage.trained_on,
        "rows": entry.lineage.rows,
        "positives": entry.lineage.positives,
        "created_at": entry.created_at,
        "metrics": {
            name: float(value)
            for name, value in entry.metrics.items()
            if isinstance(value, int | float) and not isinstance(value, bool)
        },
    }
