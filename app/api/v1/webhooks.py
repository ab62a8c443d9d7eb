"""What other systems are told: addresses, their secrets, and what became of each delivery."""

from __future__ import annotations

import base64
import secrets
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal, TypeAlias
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from app.api import acts
from app.api.context import Site
from app.api.v1.errors import Invalid
from app.api.v1.pages import Page, Paging
from app.api.v1.principal import Caller
from app.errors import BadInput, NotFound
from app.providers.outgoing import taken_apart
from app.store import webhooks
from app.store.connect import Connection
from app.store.webhooks import DeliveryRow, WebhookRow

router = APIRouter(prefix="/webhooks", tags=["webhooks"])

Event: TypeAlias = Literal["call.ended", "lead.scored"]
OVERLAP = timedelta(days=1)


class Webhook(BaseModel):
    """`disabled_why` says why nothing is sent any more."""

    id: UUID
    url: str
    events: list[str]
    created_by: UUID
    created_at: datetime
    disabled_at: datetime | None
    disabled_why: str | None

    @classmethod
    def of(cls, row: WebhookRow) -> Webhook:
        return cls.model_validate(row, from_attributes=True)


class NewWebhook(Webhook):
    secret: str = Field(description="Checks our signatures (Standard Webhooks). Shown now and never again.")


class WebhookRequest(BaseModel):
    model_config = ConfigDict(extra="forbid")

    url: Annotated[str, StringConstraints(min_length=10, max_length=2000, pattern=r"^https://")] = Field(
        description="https, on port 443 or 8443, at a public address."
    )
    events: list[Event] = Field(min_length=1, max_length=20)


class WebhookSecret(BaseModel):
    """Sign checks with both for a day: what is under way was signed with the one before, too."""

    secret: str
    previous_until: datetime


class Delivery(BaseModel):
    """`status` is waiting, delivered or failed; `answered` the HTTP status of the last answer."""

    id: UUID
    event: str
    key: str
    body: dict[str, Any]
    created_at: datetime
    attempts: int
    status: str
    answered: int | None
    error: str | None
    settled_at: datetime | None

    @classmethod
    def of(cls, row: DeliveryRow) -> Delivery:
        return cls.model_validate(row, from_attributes=True)


@router.get("", operation_id="webhooks_list")
async def list_(web: Site, caller: Caller, paging: Paging) -> Page[Webhook]:
    after = paging.after(datetime, UUID)
    rows = await web.records.user(caller.claims, lambda db: webhooks.newest(db, after, paging.fetch))
    return paging.page(rows, Webhook.of, lambda row: (row.created_at, row.id))


@router.post("", operation_id="webhooks_create", status_code=201)
async def create(body: WebhookRequest, web: Site, caller: Caller, response: Response) -> NewWebhook:
    try:
        taken_apart(body.url)
    except BadInput as error:
        raise Invalid(str(error), fields={"body.url": str(error)}) from error
    secret = _secret()
    events: list[str] = sorted(set(body.events))

    def work(db: Connection) -> WebhookRow:
        row = webhooks.make(db, body.url, events, web.hooks.seal(secret), caller.user_id)
        acts.say(str(row.id))
        return row

    row = await web.records.user(caller.claims, work)
    response.headers["Cache-Control"] = "no-store"
    return NewWebhook(**Webhook.of(row).model_dump(), secret=secret)


@router.post("/{webhook_id}/rotate", operation_id="webhooks_rotate")
async def rotate(webhook_id: UUID, web: Site, caller: Caller, response: Response) -> WebhookSecret:
    secret, until = _secret(), web.now() + OVERLAP
    sealed = web.hooks.seal(secret)
    if await web.records.user(caller.claims, lambda db: webhooks.get(db, webhook_id)) is None:
        raise _missing()
    # Sealed secrets are out of reach of every token.
    await web.records.desk(caller.workspace_id, lambda db: webhooks.rotate(db, webhook_id, sealed, until))
    response.headers["Cache-Control"] = "no-store"
    return WebhookSecret(secret=secret, previous_until=until)


@router.delete("/{webhook_id}", operation_id="webhooks_delete", status_code=204)
async def delete(webhook_id: UUID, web: Site, caller: Caller) -> None:
    if not await web.records.user(caller.claims, lambda db: webhooks.delete(db, webhook_id)):
        raise _missing()


@router.post("/{webhook_id}/test", operation_id="webhooks_test", status_code=202)
async def test(webhook_id: UUID, web: Site, caller: Caller) -> None:
    """Sends the event "webhook.test"; what came of it is in its deliveries a moment later."""
    row = await web.records.user(caller.claims, lambda db: webhooks.get(db, webhook_id))
    if row is None:
        raise _missing()
    now = web.now().isoformat()
    told = {"asked_at": now}
    # Jobs are the workers' own: nobody with a token writes them.
    await web.records.desk(caller.workspace_id, lambda db: webhooks.tell(db, webhooks.TEST, now, told, only=webhook_id))


@router.get("/{webhook_id}/deliveries", operation_id="webhooks_deliveries")
async def deliveries(webhook_id: UUID, web: Site, caller: Caller, paging: Paging) -> Page[Delivery]:
    """Newest first."""
    after = paging.after(datetime, UUID)

    def work(db: Connection) -> tuple[DeliveryRow, ...]:
        if webhooks.get(db, webhook_id) is None:
            raise _missing()
        return webhooks.deliveries(db, webhook_id, after, paging.fetch)

    rows = await web.records.user(caller.claims, work)
    return paging.page(rows, Delivery.of, lambda row: (row.created_at, row.id))


def _secret() -> str:
    return "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()


def _missing() -> NotFound:
    return NotFound("There is no such webhook.")
