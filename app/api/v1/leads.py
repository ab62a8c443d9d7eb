"""Leads: the board, whom to call next, one record with every touch, notes, tags, a person's word on the tier, lists."""

from __future__ import annotations

import csv
import io
import tempfile
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from app.api.context import Site
from app.api.v1 import shown
from app.api.v1.errors import Invalid
from app.api.v1.etags import must_match, tagged
from app.api.v1.pages import Page, Paging
from app.api.v1.principal import Caller, Principal
from app.compliance.gate import Consent as ConsentOnFile
from app.compliance.number import normalise, place
from app.errors import Conflict, NotFound
from app.lead_list import AT_ONCE, harmless
from app.lead_list import read as read_list
from app.sales.lead import Tier
from app.store import audit, consents, lead_desk, lead_lists, overrides
from app.store import leads as known_leads
from app.store.connect import Connection
from app.store.lead_desk import Filter, LeadView, Order
from app.store.lead_lists import Taken

router = APIRouter(prefix="/leads", tags=["leads"])

_FACTS_OUT = ("state", "time_zone")


class LeadItem(BaseModel):
    """`tier` is what counts: a person's choice (`tier_by` person) before the model's."""

    id: UUID
    name: str | None
    phone: str | None
    source: str
    tier: Tier | None
    tier_by: Literal["model", "person"] | None
    score: float | None
    lower: float | None
    upper: float | None
    reasons: list[str]
    tags: list[str]
    facts: dict[str, str]
    last_result: str | None
    calls: int
    suppressed: bool
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, row: LeadView, caller: Principal) -> LeadItem:
        return cls(**_fields(row, caller))


class ConsentOut(BaseModel):
    purpose: str
    kind: str
    wording: str
    evidence: str
    given_at: datetime
    revoked_at: datetime | None

    @classmethod
    def of(cls, one: ConsentOnFile) -> ConsentOut:
        return cls(
            purpose=one.purpose,
            kind=one.kind,
            wording=one.wording,
            evidence=one.evidence,
            given_at=one.given_at,
            revoked_at=one.revoked_at,
        )


class LeadDetail(LeadItem):
    model_version: str | None
    consents: list[ConsentOut]


class NewLead(BaseModel):
    model_config = ConfigDict(extra="forbid")

    phone: str = Field(max_length=40, description="With country code, such as +12025550111.")
    name: str | None = Field(None, max_length=200)
    source: str = Field("dashboard", min_length=1, max_length=100)


class LeadChange(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: str | None = Field(None, max_length=200)
    tags: list[Annotated[str, Field(min_length=1, max_length=40)]] | None = Field(None, max_length=20)


class Touch(BaseModel):
    at: datetime
    kind: Literal["call", "message", "note", "decision", "tier"]
    title: str
    text: str
    call_sid: str | None
    by: str | None


class NewNote(BaseModel):
    model_config = ConfigDict(extra="forbid")

    text: str = Field(min_length=1, max_length=4000)


class NoteOut(BaseModel):
    id: UUID
    text: str
    written_at: datetime


class Chosen(BaseModel):
    """Give one of them: how soon to act, or which of the playbook's packages fits."""

    model_config = ConfigDict(extra="forbid")

    priority: Tier | None = None
    offer: str | None = Field(None, min_length=1, max_length=100)
    why: str = Field("", max_length=300)


class RowRefused(BaseModel):
    row: int
    why: str


class ImportResult(BaseModel):
    """`written` would be written when `dry_run`. `merged` rows named a number that an earlier row had."""

    read: int
    written: int
    merged: int
    refused: list[RowRefused]
    ignored: list[str]
    dry_run: bool


@router.get("", operation_id="leads_list")
async def list_(
    web: Site,
    caller: Caller,
    paging: Paging,
    tier: Annotated[Tier | None, Query()] = None,
    tag: Annotated[str | None, Query(max_length=40)] = None,
    source: Annotated[str | None, Query(max_length=100)] = None,
    q: Annotated[str | None, Query(max_length=100, description="Part of a name or number, or a tag.")] = None,
    order: Annotated[Order, Query()] = "news",
) -> Page[LeadItem]:
    """Those with news first; or, by chance, the likeliest to buy of the 1,000 with the newest news."""
    wanted = Filter(tier, *((one or "").replace("\x00", "") or None for one in (tag, source, q)))
    after = paging.after(datetime if order == "news" else float, UUID)
    rows = await web.records.user(caller.claims, lambda db: lead_desk.page(db, wanted, after, paging.fetch, order))
    return paging.page(rows, lambda row: LeadItem.of(row, caller), lambda row: lead_desk.key(row, order))


@router.post("", operation_id="leads_create", status_code=201)
async def create(body: NewLead, web: Site, caller: Caller) -> LeadItem:
    phone = normalise(body.phone.replace("\x00", ""))
    if phone is None or place(phone) is None:
        raise Invalid("This is not a telephone number that can exist.", fields={"phone": "with country code"})

    def make(db: Connection) -> LeadView:
        if known_leads.by_phone(db, phone) is not None:
            raise Conflict("There is a lead with this number already.")
        made = known_leads.find_or_create(db, phone, body.source, body.name)
        return _known(db, made.id)

    return LeadItem.of(await web.records.user(caller.claims, make), caller)


@router.post("/import", operation_id="leads_import")
async def import_(
    request: Request,
    web: Site,
    caller: Caller,
    dry_run: Annotated[bool, Query()] = False,
    country: Annotated[str, Query(min_length=2, max_length=2)] = "US",
    source: Annotated[str, Query(min_length=1, max_length=100)] = "import",
) -> ImportResult:
    """A CSV as the body. Rows that cannot be used are named and left out; the others are taken, all or none."""
    body = await request.body()

    def take(db: Connection) -> ImportResult:
        with tempfile.NamedTemporaryFile(suffix=".csv") as file:
            file.write(body)
            file.flush()
            found = read_list(Path(file.name), country=country, source=source)
        if not dry_run:
            taken = Taken()
            for first in range(0, len(found.leads), AT_ONCE):
                taken += lead_lists.take(db, found.leads[first : first + AT_ONCE])
            audit.write(db, str(caller.user_id), "leads.import", "dashboard", {"new": taken.new})
        refused = [RowRefused(row=fault.line, why=fault.reason) for fault in found.faults]
        rows = len(found.leads) + found.merged + len(refused)
        return ImportResult(
            read=rows,
            written=len(found.leads),
            merged=found.merged,
            refused=refused,
            ignored=list(found.ignored),
            dry_run=dry_run,
        )

    return await web.records.user(caller.claims, take)


@router.get("/export", operation_id="leads_export", response_class=Response)
async def export(web: Site, caller: Caller) -> Response:
    """All leads as a CSV that a spreadsheet may open and that can be imported again (T23)."""

    def write(db: Connection) -> str:
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(["lead_id", "phone", "name", "source", "tier", *_FACTS_OUT])
        for row in lead_lists.everyone(db):
            cells = [row.id, row.phone, row.name, row.source, row.tier, *(row.facts.get(name) for name in _FACTS_OUT)]
            writer.writerow([harmless(cell) for cell in cells])
        audit.write(db, str(caller.user_id), "leads.export", "all")
        return out.getvalue()

    text = await web.records.user(caller.claims, write)
    headers = {"Content-Disposition": 'attachment; filename="leads.csv"', "Cache-Control": "no-store"}
    return Response(text, media_type="text/csv", headers=headers)


@router.get("/{lead_id}", operation_id="leads_get", response_model=LeadDetail)
async def get(lead_id: UUID, web: Site, caller: Caller, request: Request) -> Response:
    def read(db: Connection) -> LeadDetail:
        return _detail(db, lead_id, caller)

    return tagged(request, await web.records.user(caller.claims, read))


@router.patch("/{lead_id}", operation_id="leads_change", response_model=LeadDetail)
async def change(lead_id: UUID, body: LeadChange, web: Site, caller: Caller, request: Request) -> Response:
    """What is left out stays as it is."""

    def write(db: Connection) -> LeadDetail:
        must_match(request, _detail(db, lead_id, caller))
        lead_desk.rename(db, lead_id, body.name, body.tags)
        return _detail(db, lead_id, caller)

    return tagged(request, await web.records.user(caller.claims, write))


@router.get("/{lead_id}/touches", operation_id="leads_touches")
async def touches(lead_id: UUID, web: Site, caller: Caller) -> Page[Touch]:
    """Calls, messages, notes, refusals of the gate and changes of the tier, newest first; the last hundred."""

    def read(db: Connection) -> list[Touch]:
        found = lead_desk.touches(db, lead_id)
        if not found:
            _known(db, lead_id)
        return [Touch.model_validate(one, from_attributes=True) for one in found]

    return Page(items=await web.records.user(caller.claims, read), next_cursor=None)


@router.post("/{lead_id}/notes", operation_id="leads_note", status_code=201)
async def note(lead_id: UUID, body: NewNote, web: Site, caller: Caller) -> NoteOut:
    """Plain text; shown as text wherever it shows."""

    def write(db: Connection) -> NoteOut:
        _known(db, lead_id)
        written = lead_desk.note(db, lead_id, body.text, caller.user_id)
        return NoteOut.model_validate(written, from_attributes=True)

    return await web.records.user(caller.claims, write)


@router.put("/{lead_id}/tier", operation_id="leads_choose_tier")
async def choose_tier(lead_id: UUID, body: Chosen, web: Site, caller: Caller) -> LeadItem:
    """A person knows better than the model: this counts from now on, and the model is taught with it."""

    def write(db: Connection) -> LeadView:
        _known(db, lead_id)
        if (body.priority is None) == (body.offer is None):
            raise Invalid("Say either the priority or the offer.", fields={"priority": "one of the two"})
        kind: overrides.Kind = "priority" if body.priority else "offer"
        overrides.choose(db, lead_id, kind, body.priority or body.offer, who=str(caller.user_id), why=body.why)
        if body.priority:
            known_leads.set_tier(db, lead_id, body.priority)
        return _known(db, lead_id)

    return LeadItem.of(await web.records.user(caller.claims, write), caller)


@router.delete("/{lead_id}/tier", operation_id="leads_unchoose_tier")
async def unchoose_tier(lead_id: UUID, web: Site, caller: Caller) -> LeadItem:
    """What the model says counts again."""

    def write(db: Connection) -> LeadView:
        _known(db, lead_id)
        for kind in ("priority", "offer"):
            if overrides.current(db, lead_id, kind) is not None:
                overrides.choose(db, lead_id, kind, None, who=str(caller.user_id))
        return _known(db, lead_id)

    return LeadItem.of(await web.records.user(caller.claims, write), caller)


def _known(db: Connection, lead_id: UUID) -> LeadView:
    found = lead_desk.one(db, lead_id)
    if found is None:
        raise NotFound("There is no such lead.")
    return found


def _detail(db: Connection, lead_id: UUID, caller: Principal) -> LeadDetail:
    row = _known(db, lead_id)
    given = consents.of(db, row.phone) if row.phone else ()
    return LeadDetail(
        **_fields(row, caller), model_version=row.model_version, consents=[ConsentOut.of(one) for one in given]
    )


def _fields(row: LeadView, caller: Principal) -> dict[str, Any]:
    by = None if row.tier is None else "person" if row.chosen_tier else "model"
    return {
        "id": row.id,
        "name": row.name,
        "phone": shown.number(row.phone, caller) if row.phone else None,
        "source": row.source,
        "tier": row.tier,
        "tier_by": by,
        "score": row.probability,
        "lower": row.lower,
        "upper": row.upper,
        "reasons": list(row.reasons or ()),
        "tags": list(row.tags),
        "facts": {name: str(value) for name, value in row.facts.items()},
        "last_result": row.last_result,
        "calls": row.calls,
        "suppressed": row.suppressed,
        "created_at": row.created_at,
        "updated_at": row.updated_at,
    }
