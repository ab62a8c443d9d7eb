"""Campaigns: whom to call, how fast, what the gate will say, and how it goes."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from typing import Literal
from uuid import UUID

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field, model_validator

from app.api.context import Site, Web
from app.api.v1.etags import must_match, tagged
from app.api.v1.pages import Page, Paging
from app.api.v1.principal import Caller, Principal
from app.compliance.gate import Verdict
from app.compliance.rules import load
from app.errors import Conflict, NotFound
from app.next_calls import Next, Wish, whom_next
from app.sales.campaign import Deed, State, after
from app.sales.ranking import Capacity, Terms
from app.store import audit, campaigns, workspaces
from app.store.campaigns import Campaign, Listed, NewCampaign
from app.store.connect import Connection

router = APIRouter(prefix="/campaigns", tags=["campaigns"])

MOST_LEADS = 10_000
_EVERYBODY = Wish(Terms(500.0, 1.0), Capacity(1e9, MOST_LEADS, 0.0), 0)


class CampaignIn(BaseModel):
    """`tier` and `source` say whom; both null means everybody with a number."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1, max_length=100)
    playbook: str = Field(pattern=r"^[a-z0-9_-]{1,64}$")
    tier: Literal["hot", "warm", "cold"] | None = None
    source: str | None = Field(None, max_length=100)
    calls_per_minute: int = Field(2, ge=1, le=60)
    at_once: int = Field(2, ge=1, le=200, description="No dial while so many of its calls are going on.")
    most_calls: int = Field(100, ge=1, le=100_000)
    voicemail: Literal["hang_up", "leave_message"] | None = Field(None, description="Null: as the playbook says.")
    menu: Literal["hang_up", "press_key"] | None = Field(
        None, description="A menu of keys. Null: as the playbook says."
    )
    menu_key: str | None = Field(None, pattern=r"^[0-9*#]$", description="With `press_key`, and only then.")

    @model_validator(mode="after")
    def _one_key_for_a_menu(self) -> CampaignIn:
        if (self.menu == "press_key") != (self.menu_key is not None):
            raise ValueError("menu_key says which key is pressed: give it with menu press_key, and only then")
        return self


class CampaignChange(BaseModel):
    """What is left out stays as it is. Whom a campaign calls, and with what, does not change: make another one."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field("", min_length=1, max_length=100)
    calls_per_minute: int = Field(2, ge=1, le=60)
    at_once: int = Field(2, ge=1, le=200)
    most_calls: int = Field(100, ge=1, le=100_000)


class CampaignOut(BaseModel):
    """`answered_30_days` are calls that a person answered, `abandoned_30_days` those in which nobody of ours was heard
    within 2 s (C09). `stopped_why`: too many were, and the dialler stopped it; `resume` lets it go on."""

    id: UUID
    name: str
    playbook: str
    tier: str | None
    source: str | None
    state: Literal["draft", "running", "paused", "ended"]
    calls_per_minute: int
    at_once: int
    most_calls: int
    voicemail: Literal["hang_up", "leave_message"] | None
    menu: Literal["hang_up", "press_key"] | None
    menu_key: str | None
    leads: int
    dialled: int
    refused: int
    waiting: int
    answered: int
    booked: int
    answered_30_days: int
    abandoned_30_days: int
    created_at: datetime
    launched_at: datetime | None
    ended_at: datetime | None
    stopped_at: datetime | None
    stopped_why: str | None

    @classmethod
    def of(cls, row: Campaign) -> CampaignOut:
        return cls.model_validate(row, from_attributes=True)


class Refusal(BaseModel):
    rule: str
    reason: str
    leads: int


class Preview(BaseModel):
    """What the gate would say now: `allow` at once, `defer` later, `deny` never. Each dial asks it again."""

    allow: int
    defer: int
    deny: int
    refusals: list[Refusal]


@router.get("", operation_id="campaigns_list")
async def list_(web: Site, caller: Caller, paging: Paging) -> Page[CampaignOut]:
    after_ = paging.after(datetime, UUID)
    rows = await web.records.user(caller.claims, lambda db: campaigns.page(db, after_, paging.fetch))
    return paging.page(rows, CampaignOut.of, lambda row: (row.created_at, row.id))


@router.post("", operation_id="campaigns_create", status_code=201)
async def create(body: CampaignIn, web: Site, caller: Caller) -> CampaignOut:
    """A draft: nobody is called before it is launched."""

    def write(db: Connection) -> Campaign:
        made = campaigns.add(db, NewCampaign(**body.model_dump()), str(caller.user_id))
        return _known(db, made)

    return CampaignOut.of(await web.records.user(caller.claims, write))


@router.get("/{campaign_id}", operation_id="campaigns_get", response_model=CampaignOut)
async def get(campaign_id: UUID, web: Site, caller: Caller, request: Request) -> Response:
    found = await web.records.user(caller.claims, lambda db: _known(db, campaign_id))
    return tagged(request, CampaignOut.of(found))


@router.patch("/{campaign_id}", operation_id="campaigns_change", response_model=CampaignOut)
async def change(campaign_id: UUID, body: CampaignChange, web: Site, caller: Caller, request: Request) -> Response:
    """Also while it runs: the next dial keeps the new pace."""

    def write(db: Connection) -> Campaign:
        campaigns.lock(db, campaign_id)
        now = _known(db, campaign_id)
        must_match(request, CampaignOut.of(now))
        if now.state == State.ENDED:
            raise Conflict("This campaign has ended: make another one.")
        if given := body.model_dump(exclude_unset=True):
            campaigns.change(db, campaign_id, **given)
        return _known(db, campaign_id)

    return tagged(request, CampaignOut.of(await web.records.user(caller.claims, write)))


@router.post("/{campaign_id}/preview", operation_id="campaigns_preview")
async def preview(campaign_id: UUID, web: Site, caller: Caller) -> Preview:
    """Asks the gate about everybody on the list, and reserves nothing."""

    def read(db: Connection) -> Next:
        return _everybody(db, _known(db, campaign_id), web.now())

    found = await web.records.user(caller.claims, read)
    refused = found.ranking.refused
    reasons: Counter[tuple[str, str]] = Counter()
    for prospect in refused:
        first = prospect.decision.findings[0]
        reasons[first.rule, first.reason] += 1
    for _, reason in found.done:
        reasons["-", reason] += 1
    defer = sum(prospect.decision.verdict is Verdict.DEFER for prospect in refused)
    return Preview(
        allow=len(found.ranking.places) + len(found.ranking.waiting),
        defer=defer,
        deny=len(refused) - defer + len(found.done),
        refusals=[Refusal(rule=rule, reason=reason, leads=n) for (rule, reason), n in reasons.most_common(50)],
    )


@router.post("/{campaign_id}/launch", operation_id="campaigns_launch")
async def launch(campaign_id: UUID, web: Site, caller: Caller) -> CampaignOut:
    """The list is made now, best first; whoever must never be called is on it as refused, with the rule."""
    now = web.now()

    def write(db: Connection) -> Campaign:
        campaign = _known(db, campaign_id)
        after(State(campaign.state), Deed.LAUNCH)
        found = _everybody(db, campaign, now)
        places = [*found.ranking.places, *found.ranking.waiting]
        listed = [Listed(place.prospect.lead_id) for place in places]
        for prospect in found.ranking.refused:
            decision = prospect.decision
            listed.append(Listed(prospect.lead_id, decision.until is None, str(decision), decision.until))
        if not any(not one.refused for one in listed):
            raise Conflict("Nobody on this list may ever be called: look at the preview.")
        campaigns.fill(db, campaign_id, listed)
        return _moved(db, campaign, Deed.LAUNCH, caller, now)

    return CampaignOut.of(await web.records.user(caller.claims, write))


@router.post("/{campaign_id}/pause", operation_id="campaigns_pause")
async def pause(campaign_id: UUID, web: Site, caller: Caller) -> CampaignOut:
    """Calls that are going on go on; no new one begins."""
    return await _move(web, caller, campaign_id, Deed.PAUSE)


@router.post("/{campaign_id}/resume", operation_id="campaigns_resume")
async def resume(campaign_id: UUID, web: Site, caller: Caller) -> CampaignOut:
    """Also one that was stopped for abandoned calls: it stops again at the next abandoned call that brings it there."""
    return await _move(web, caller, campaign_id, Deed.RESUME)


@router.post("/{campaign_id}/end", operation_id="campaigns_end")
async def end(campaign_id: UUID, web: Site, caller: Caller) -> CampaignOut:
    """For good."""
    return await _move(web, caller, campaign_id, Deed.END)


async def _move(web: Web, caller: Principal, campaign_id: UUID, deed: Deed) -> CampaignOut:
    def write(db: Connection) -> Campaign:
        return _moved(db, _known(db, campaign_id), deed, caller, web.now())

    return CampaignOut.of(await web.records.user(caller.claims, write))


def _moved(db: Connection, campaign: Campaign, deed: Deed, caller: Principal, now: datetime) -> Campaign:
    was = State(campaign.state)
    if not campaigns.move(db, campaign.id, was, after(was, deed), now):
        raise Conflict("Somebody else has just changed this campaign: look again.")
    stopped = {"stopped": campaign.stopped_why} if campaign.stopped_why else None
    audit.write(db, str(caller.user_id), f"campaign.{deed}", str(campaign.id), stopped)
    return _known(db, campaign.id)


def _everybody(db: Connection, campaign: Campaign, now: datetime) -> Next:
    number = workspaces.number_for(db, campaign.playbook) or workspaces.oldest_number(db)
    if number is None:
        raise Conflict("This workspace has no telephone number to call from.")
    wanted = campaigns.fitting(db, campaign.tier, campaign.source)
    return whom_next(db, number, now, _EVERYBODY, load(), only=wanted)


def _known(db: Connection, campaign_id: UUID) -> Campaign:
    found = campaigns.one(db, campaign_id)
    if found is None:
        raise NotFound("There is no such campaign.")
    return found
