"""What hot, warm and cold mean in this workspace, and how many buyers that misses."""

from __future__ import annotations

from datetime import datetime

from fastapi import APIRouter
from pydantic import BaseModel

from app.api.context import Site
from app.api.v1.principal import Caller
from app.sales.misses import Misses
from app.store import tier_cuts
from app.store.tier_cuts import TierCuts

router = APIRouter(prefix="/leads", tags=["leads"])


class Missed(BaseModel):
    """Of `buyers` that the model had not seen, `missed` lay below the cut; of all such buyers no more than `at_most`
    (a share) do, said with `confidence` (exact binomial limit)."""

    buyers: int
    missed: int
    at_most: float
    confidence: float

    @classmethod
    def of(cls, found: Misses) -> Missed:
        return cls(buyers=found.buyers, missed=found.missed, at_most=found.at_most, confidence=found.confidence)


class Cuts(BaseModel):
    """Hot from `hot_from` (above 1: nobody), warm from `warm_from`, for so many `leads` that could be called.
    `cold_buyers` end up cold, `not_hot_buyers` are not called first; `buyers_of` says whose outcomes tell it."""

    hot_from: float
    warm_from: float
    model_version: str
    capacity_per_day: int
    value_usd: float
    call_cost_usd: float
    leads: int
    cut_at: datetime
    buyers_of: str
    cold_buyers: Missed
    not_hot_buyers: Missed

    @classmethod
    def of(cls, found: TierCuts) -> Cuts:
        return cls(
            hot_from=found.hot,
            warm_from=found.warm,
            model_version=found.model_version,
            capacity_per_day=found.capacity_per_day,
            value_usd=found.value_usd,
            call_cost_usd=found.call_cost_usd,
            leads=found.leads,
            cut_at=found.cut_at,
            buyers_of=found.buyers_of,
            cold_buyers=Missed.of(found.missed),
            not_hot_buyers=Missed.of(found.not_hot),
        )


class Tiers(BaseModel):
    """`cuts` is null until the first lead was scored."""

    cuts: Cuts | None


@router.get("/tiers", operation_id="leads_tiers")
async def tiers(web: Site, caller: Caller) -> Tiers:
    """Cut from the probability of a sale for what the team can call in a day, and what a sale and a call are worth."""
    found = await web.records.user(caller.claims, tier_cuts.get)
    return Tiers(cuts=Cuts.of(found) if found else None)
