"""Whom to call next, and why: the same ranking as `strowger next`."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel

from app.api.context import Site
from app.api.v1 import shown
from app.api.v1.principal import Caller, Principal
from app.compliance.rules import load
from app.errors import NotFound
from app.next_calls import Next, Wish, deferred, reasons, whom_next, zone_of
from app.sales.ranking import Capacity, Prospect, Terms
from app.store import workspaces
from app.store.connect import Connection

router = APIRouter(prefix="/leads", tags=["leads"])


class NextLead(BaseModel):
    """One call of the list. `explored`: picked to learn from, not for its worth. `best_hour` is local to the lead."""

    lead_id: UUID
    name: str | None
    phone: str
    source: str
    p_answer: float
    p_convert: float
    value_usd: float
    usd_per_minute: float
    best_hour: str | None
    explored: bool
    why: list[str]


class LaterLead(BaseModel):
    """May not be called now but from `from_at` on, as far as is known now; `local` is that time of theirs."""

    lead_id: UUID
    name: str | None
    phone: str
    source: str
    p_convert: float
    from_at: datetime
    local: str
    why: str


class NextLeads(BaseModel):
    """`later` are those whom waiting makes callable, soonest first. `left_out` may not be called at all, or need not
    be; the gate says why when one is called."""

    items: list[NextLead]
    later: list[LaterLead]
    left_out: int


@router.get("/next", operation_id="leads_next")
async def next_(
    web: Site,
    caller: Caller,
    limit: Annotated[int, Query(ge=1, le=200)] = 25,
    minutes: Annotated[float, Query(gt=0, le=10_000)] = 480.0,
    value_usd: Annotated[float, Query(gt=0, le=1e9)] = 500.0,
    cost_usd: Annotated[float, Query(ge=0, le=1e6)] = 1.0,
    explore: Annotated[float, Query(ge=0, le=0.5)] = 0.1,
) -> NextLeads:
    """By expected profit per minute of calling, of those who may be called now."""
    now = web.now()
    wish = Wish(Terms(value_usd, cost_usd), Capacity(minutes, limit, explore), now.date().toordinal())

    def read(db: Connection) -> Next:
        number = workspaces.oldest_number(db)
        if number is None:
            raise NotFound("This workspace has no telephone number to call from.")
        return whom_next(db, number, now, wish, load())

    found = await web.records.user(caller.claims, read)
    items = []
    for place in found.ranking.places:
        known, best = found.leads[place.prospect.lead_id], found.best[place.prospect.lead_id]
        items.append(
            NextLead(
                lead_id=known.id,
                name=known.name,
                phone=shown.number(known.phone, caller),
                source=known.source,
                p_answer=round(place.prospect.answer.mean, 4),
                p_convert=round(place.prospect.sale, 4),
                value_usd=value_usd,
                usd_per_minute=round(place.rate, 4),
                best_hour=f"{best.local:%a %H:%M}" if best.at > found.now else None,
                explored=place.explores,
                why=reasons(place, found),
            )
        )
    later = [_later(one, found, caller) for one in deferred(found)]
    left_out = len(found.ranking.refused) - len(later) + len(found.ranking.waiting) + len(found.done)
    return NextLeads(items=items, later=later[:limit], left_out=left_out)


def _later(prospect: Prospect, found: Next, caller: Principal) -> LaterLead:
    known, until = found.leads[prospect.lead_id], prospect.decision.until
    assert until is not None
    return LaterLead(
        lead_id=known.id,
        name=known.name,
        phone=shown.number(known.phone, caller),
        source=known.source,
        p_convert=round(prospect.sale, 4),
        from_at=until,
        local=f"{until.astimezone(zone_of(known)):%a %H:%M}",
        why=str(prospect.decision),
    )
