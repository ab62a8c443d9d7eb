"""Models: which there are, how good each was and on what, what has moved since, and which one's scores show."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import BaseModel

from app.api.context import Site
from app.api.v1.etags import tagged
from app.api.v1.principal import Caller, Principal
from app.sales.registry import TARGET, Entry
from app.shipped import ShippedCard
from app.store import alerts, models
from app.store.connect import Connection

router = APIRouter(prefix="/models", tags=["models"])

FROM_HERE = "from the dashboard"
Version = Annotated[str, Path(max_length=100)]
Target = Annotated[str, Query(pattern="^[a-z0-9_]{1,64}$", description="What the models foretell: converted, churned.")]


class Figure(BaseModel):
    """`low` to `high` holds 95 % of its bootstrap resamples, where it was resampled."""

    value: float
    low: float | None = None
    high: float | None = None


class ModelItem(BaseModel):
    version: str
    target: str
    stage: Literal["candidate", "shadow", "champion", "retired"]
    trained_on: str
    rows: int
    positives: int
    created_at: datetime
    metrics: dict[str, Figure]

    @classmethod
    def of(cls, entry: Entry) -> ModelItem:
        return cls(**_fields(entry))


class AlertOut(BaseModel):
    kind: str
    subject: str
    sentence: str
    opened_at: datetime
    times: int


class Bin(BaseModel):
    """Of `rows` leads that were given about `predicted`, so many (`observed`, a share) became customers."""

    predicted: float
    observed: float
    rows: int


class Lift(BaseModel):
    """Calling the best `share` of leads first finds `lift` times as many customers as calling at random."""

    share: float
    lift: float


class Measured(BaseModel):
    """On rows the model had not seen; `card` is Markdown."""

    card: str
    calibration: list[Bin]
    lift: list[Lift]


class ModelDetail(ModelItem, Measured):
    pass


class Shipped(Measured):
    """The model that ships with Strowger."""

    version: str
    trained_on: str
    rows: int
    positives: int
    created_at: datetime
    metrics: dict[str, Figure]


class Models(BaseModel):
    """Of one target, newest first. Where none is champion of sales, the model that ships with Strowger scores, and says
    so: `shipped`, null for other targets and where this process has not got its card."""

    items: list[ModelItem]
    alerts: list[AlertOut]
    shipped: Shipped | None


Why = Annotated[str, Query(max_length=300, description="Kept in the audit log.")]


class Serving(BaseModel):
    """The champion now; null: the shipped model."""

    champion: str | None


@router.get("", operation_id="models_list")
async def list_(web: Site, caller: Caller, target: Target = TARGET) -> Models:
    card = await asyncio.to_thread(web.shipped) if target == TARGET else None

    def read(db: Connection) -> Models:
        found = [ModelItem.of(entry) for entry in models.entries(db, target)]
        noticed = [AlertOut.model_validate(one, from_attributes=True) for one in alerts.open_ones(db)]
        return Models(items=found, alerts=noticed, shipped=_shipped(card) if card else None)

    return await web.records.user(caller.claims, read)


@router.get("/{version}", operation_id="models_get", response_model=ModelDetail)
async def get(version: Version, web: Site, caller: Caller, request: Request, target: Target = TARGET) -> Response:
    entry = await web.records.user(caller.claims, lambda db: models.get(db, version, target))
    return tagged(request, ModelDetail(**_fields(entry), **_measured(entry.card, entry.metrics)))


@router.post("/{version}/promote", operation_id="models_promote")
async def promote(
    version: Version, web: Site, caller: Caller, why: Why = FROM_HERE, target: Target = TARGET
) -> Serving:
    """Its scores show from the next call on; every lead is scored again."""
    await _move(web, caller, lambda registry: registry.promote(version, str(caller.user_id), why, target))
    return Serving(champion=version)


@router.post("/{version}/rollback", operation_id="models_rollback")
async def rollback(
    version: Version, web: Site, caller: Caller, why: Why = FROM_HERE, target: Target = TARGET
) -> Serving:
    """Back to the champion before this one."""
    back = await _move(web, caller, lambda registry: registry.rollback(str(caller.user_id), why, target))
    return Serving(champion=back.version if back else None)


@router.post("/{version}/retire", operation_id="models_retire")
async def retire(version: Version, web: Site, caller: Caller, why: Why = FROM_HERE, target: Target = TARGET) -> Serving:
    await _move(web, caller, lambda registry: registry.retire(version, str(caller.user_id), why, target))
    found = await web.records.user(caller.claims, lambda db: models.champion(db, target))
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


def _shipped(card: ShippedCard) -> Shipped:
    measured = _measured(card.text, {**card.metrics, "calibration": card.curve})
    return Shipped(
        version=card.version,
        trained_on=card.trained_on,
        rows=card.rows,
        positives=card.positives,
        created_at=datetime.fromtimestamp(card.made_at, UTC),
        metrics=_figures(card.metrics),
        **measured,
    )


def _measured(card: str, metrics: Mapping[str, Any]) -> dict[str, Any]:
    figures = _figures(metrics)
    curve = metrics.get("calibration")
    lifts = ((share, figures.get(f"lift_{share:.0f}")) for share in (10, 20, 30))
    return {
        "card": card,
        "calibration": [Bin.model_validate(one) for one in curve] if isinstance(curve, Sequence) else [],
        "lift": [Lift(share=share / 100, lift=found.value) for share, found in lifts if found],
    }


def _figures(metrics: Mapping[str, Any]) -> dict[str, Figure]:
    """Those that are numbers, with their ranges or without."""
    found = {}
    for name, value in metrics.items():
        parts = value if isinstance(value, Mapping) else {"value": value}
        numbers = {
            key: float(part)
            for key in Figure.model_fields
            if isinstance(part := parts.get(key), int | float) and not isinstance(part, bool) and math.isfinite(part)
        }
        if "value" in numbers:
            found[name] = Figure(**numbers)
    return found


def _fields(entry: Entry) -> dict[str, Any]:
    return {
        "version": entry.version,
        "target": entry.target,
        "stage": entry.stage.value,
        "trained_on": entry.lineage.trained_on,
        "rows": entry.lineage.rows,
        "positives": entry.lineage.positives,
        "created_at": entry.created_at,
        "metrics": _figures(entry.metrics),
    }
