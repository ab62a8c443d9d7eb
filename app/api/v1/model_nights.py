"""The nights of a workspace's models: what moved, whether promises were kept, how a duel stands, what was refused.

Written by the workers (workers/night.py); here they are read, and outcomes that were refused are let in by a person.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, ConfigDict

from app.api.context import Site
from app.api.v1.principal import Caller
from app.sales.learning import Night
from app.store import model_nights

router = APIRouter(prefix="/models/nights", tags=["models"])

SHOWN = 30
NightName = Annotated[str, Path(max_length=10, pattern=r"^\d{4}-\d{2}-\d{2}$", description="The day it began.")]
Why = Annotated[str, Query(max_length=300, description="Kept in the audit log.")]


class _Found(BaseModel):
    """As the workers wrote it; what a later version adds is left out."""

    model_config = ConfigDict(extra="ignore")


class ShiftOut(_Found):
    """How far a column, or the score itself, is from where it was: population stability index, Kolmogorov-Smirnov."""

    name: str
    psi: float
    ks: float
    moved: bool


class Promises(_Found):
    """Over `outcomes` that the champion had not seen: what it promised, what came, and the mean gap between."""

    outcomes: int
    promised: float
    seen: float
    calibration_error: float
    low: float
    high: float


class DuelOut(_Found):
    """A challenger is promoted once `evidence` reaches `needed` (a sequential test: one may look at any time)."""

    challenger: str
    outcomes: int
    evidence: float
    needed: float
    verdict: str


class NightOut(BaseModel):
    """`learned` is false where `why` kept the outcomes from being learned from."""

    night: str
    outcomes: int
    positives: int
    learned: bool
    why: str
    champion: str | None
    did: list[str]
    drift: list[ShiftOut]
    kept: Promises | None
    duel: DuelOut | None

    @classmethod
    def of(cls, night: Night) -> NightOut:
        found: Mapping[str, Any] = night.found or {}
        return cls(
            night=night.night,
            outcomes=night.outcomes,
            positives=night.positives,
            learned=night.learned,
            why=night.why,
            champion=found.get("champion"),
            did=list(found.get("did") or ()),
            drift=[ShiftOut.model_validate(one) for one in found.get("drift") or ()],
            kept=Promises.model_validate(kept) if (kept := found.get("kept")) else None,
            duel=DuelOut.model_validate(duel) if (duel := found.get("duel")) else None,
        )


class Nights(BaseModel):
    """The newest thirty, newest first."""

    items: list[NightOut]


class Accepted(BaseModel):
    night: str
    learned: Literal[True] = True


@router.get("", operation_id="models_nights")
async def nights(web: Site, caller: Caller) -> Nights:
    found = await web.records.user(caller.claims, model_nights.all_nights)
    return Nights(items=[NightOut.of(one) for one in found[: -SHOWN - 1 : -1]])


@router.post("/{night}/accept", operation_id="models_accept")
async def accept(night: NightName, web: Site, caller: Caller, why: Why = "looked at in the dashboard") -> Accepted:
    """Somebody has looked: what came in that night may be learned from."""
    await web.records.desk(caller.workspace_id, lambda db: model_nights.accept(db, night, str(caller.user_id), why))
    return Accepted(night=night)
