"""What people are told at once: the rules, where it goes, what was told, and browsers that allow it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal, TypeAlias
from uuid import UUID, uuid4

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from app.api import acts
from app.api.context import Site
from app.api.v1.errors import Invalid
from app.api.v1.etags import must_match, tagged
from app.api.v1.pages import Page, Paging
from app.api.v1.principal import Caller, Principal, Role
from app.errors import BadInput, NotFound
from app.providers.outgoing import taken_apart
from app.providers.web_push import Subscription
from app.sales.notice_words import path_of, words
from app.sales.notices import Channel, Kind, Notice, Rule, targets
from app.store import notification_rules, notifications, workspace_settings
from app.store.connect import Connection
from app.store.notifications import NotificationRow, Telling

router = APIRouter(prefix="/notifications", tags=["notifications"])

Email: TypeAlias = Annotated[
    str, StringConstraints(max_length=254, pattern=r"^[A-Za-z0-9._%+'-]{1,64}@[A-Za-z0-9.-]{1,180}\.[A-Za-z]{2,24}$")
]
ChannelName = Literal["push", "email", "slack"]
KindName = Literal["hot_lead", "call_back", "provider_down", "budget", "drift", "campaign_stopped", "limit"]


class NotificationRule(BaseModel):
    """`threshold` is a probability for hot_lead and USD a month for budget; the others have none. `urgent`: told in
    the quiet hours of the workspace, too. Every notification is in the list, whatever its channels."""

    model_config = ConfigDict(extra="forbid")

    kind: KindName
    enabled: bool
    channels: list[ChannelName] = Field(max_length=3)
    threshold: float | None = Field(None, ge=0.0001, le=1_000_000, allow_inf_nan=False)
    urgent: bool = False

    @classmethod
    def of(cls, rule: Rule) -> NotificationRule:
        channels = [channel.value for channel in Channel if channel in rule.channels]
        told = {"kind": rule.kind.value, "enabled": rule.on, "channels": channels, "threshold": rule.threshold}
        return cls.model_validate(told | {"urgent": rule.urgent})

    def rule(self) -> Rule:
        channels = frozenset(Channel(one) for one in self.channels)
        return Rule(Kind(self.kind), self.enabled, channels, self.threshold, self.urgent)


class NotificationSettings(BaseModel):
    """`slack_host` is where the chat's webhook is; its address is never shown again. `push_key` is what a browser is
    asked to allow messages from (VAPID). Quiet hours are those of the workspace."""

    rules: list[NotificationRule]
    emails: list[str]
    slack_host: str | None
    push_key: str


class NotificationSettingsChange(BaseModel):
    """What is left out stays as it is; `slack_url: null` takes the chat away."""

    model_config = ConfigDict(extra="forbid")

    rules: list[NotificationRule] = Field(default_factory=list, max_length=len(Kind))
    emails: list[Email] = Field(default_factory=list, max_length=20)
    slack_url: Annotated[str, StringConstraints(min_length=10, max_length=1000, pattern=r"^https://")] | None = Field(
        None, description="An incoming webhook as Slack has them: https, at a public address."
    )


class Told(BaseModel):
    """`status` is waiting, held (until the quiet hours end), delivered or failed. `address` is empty for a browser
    and for the chat."""

    channel: str
    address: str
    status: str
    attempts: int
    error: str | None
    held_until: datetime | None
    settled_at: datetime | None

    @classmethod
    def of(cls, row: Telling, caller: Principal) -> Told:
        shown = row.address if row.channel == "email" and caller.role.covers(Role.AGENT) else ""
        return cls.model_validate({**_fields(row), "address": shown})


class Notification(BaseModel):
    """`title` and `text` are in the language of the workspace; `about` holds the figures, for whoever says it in
    another. `path` is where to look in the dashboard."""

    id: UUID
    kind: str
    title: str
    text: str
    path: str
    about: dict[str, str]
    person: str | None
    call_sid: str | None
    lead_id: UUID | None
    raised_at: datetime
    told: list[Told]


class PushKeys(BaseModel):
    model_config = ConfigDict(extra="forbid")

    p256dh: str = Field(min_length=1, max_length=200)
    auth: str = Field(min_length=1, max_length=100)


class PushSubscription(BaseModel):
    """As a browser's PushSubscription.toJSON() has it."""

    model_config = ConfigDict(extra="forbid")

    endpoint: Annotated[str, StringConstraints(min_length=10, max_length=2000, pattern=r"^https://")]
    keys: PushKeys
    expiration_time: float | None = Field(None, alias="expirationTime")


class Subscribed(BaseModel):
    id: UUID


class NotificationTest(BaseModel):
    model_config = ConfigDict(extra="forbid")

    channel: ChannelName


@router.get("", operation_id="notifications_list")
async def list_(web: Site, caller: Caller, paging: Paging) -> Page[Notification]:
    """Newest first."""
    after = paging.after(datetime, UUID)

    def work(db: Connection) -> tuple[tuple[NotificationRow, ...], str]:
        return notifications.newest(db, after, paging.fetch), workspace_settings.get(db).locale

    rows, locale = await web.records.user(caller.claims, work)
    return paging.page(rows, lambda row: _shown(row, locale, caller), lambda row: (row.raised_at, row.id))


@router.get("/rules", operation_id="notifications_rules", response_model=NotificationSettings)
async def rules(web: Site, caller: Caller, request: Request) -> Response:
    found = await web.records.user(caller.claims, lambda db: _settings(db, web.push_key))
    return tagged(request, found)


@router.put("/rules", operation_id="notifications_set_rules", response_model=NotificationSettings)
async def set_rules(body: NotificationSettingsChange, web: Site, caller: Caller, request: Request) -> Response:
    given = body.model_fields_set
    sealed, host = _sealed(web, body.slack_url)
    _check(body.rules)

    def work(db: Connection) -> NotificationSettings:
        must_match(request, _settings(db, web.push_key))
        notification_rules.set_rules(db, [one.rule() for one in body.rules], caller.user_id)
        if given & {"emails", "slack_url"}:
            emails = body.emails if "emails" in given else notification_rules.addresses(db).emails
            notification_rules.set_emails(db, list(dict.fromkeys(emails)), caller.user_id)
        if "slack_url" in given:
            notification_rules.set_slack(db, sealed, host)
        return _settings(db, web.push_key)

    return tagged(request, await web.records.user(caller.claims, work))


@router.post("/subscriptions", operation_id="notifications_subscribe", status_code=201)
async def subscribe(body: PushSubscription, web: Site, caller: Caller) -> Subscribed:
    """This browser, of whoever asks. Said again it is the same subscription."""
    try:
        taken_apart(body.endpoint)
        Subscription(body.endpoint, body.keys.p256dh, body.keys.auth, web.push_key).check()
    except BadInput as error:
        raise Invalid(str(error), fields={"body.endpoint": str(error)}) from error
    keys = (body.keys.p256dh, body.keys.auth)

    def work(db: Connection) -> UUID:
        return notification_rules.subscribe(db, caller.user_id, body.endpoint, keys, web.push_key)

    # Nobody's token reads or writes them: an endpoint is a way to a person.
    found = await web.records.desk(caller.workspace_id, work)
    acts.say(str(found))
    return Subscribed(id=found)


@router.delete("/subscriptions/{subscription_id}", operation_id="notifications_unsubscribe", status_code=204)
async def unsubscribe(subscription_id: UUID, web: Site, caller: Caller) -> None:
    """One of your own browsers."""

    def work(db: Connection) -> bool:
        return notification_rules.unsubscribe(db, caller.user_id, subscription_id)

    if not await web.records.desk(caller.workspace_id, work):
        raise NotFound("There is no such subscription of yours.")


@router.post("/test", operation_id="notifications_test", status_code=202)
async def test(body: NotificationTest, web: Site, caller: Caller) -> None:
    """Tells the workspace's addresses of this channel, or your own browsers, in quiet hours too; what came of it is in
    the list a moment later."""
    channel = Channel(body.channel)
    notice = Notice("test", body.channel, str(uuid4()), urgent=True)

    def work(db: Connection) -> bool:
        addresses = notification_rules.addresses(db)
        to = targets(
            Rule(Kind.DRIFT, channels=frozenset({channel})),
            addresses.emails,
            slack=addresses.slack_host is not None,
            browsers=notification_rules.browsers(db, caller.user_id),
        )
        return bool(to) and notifications.raise_(db, notice, to, web.now()) is not None

    # News and jobs are the workers' own: nobody with a token writes them.
    if not await web.records.desk(caller.workspace_id, work):
        raise Invalid("There is no address for this channel yet.", fields={"body.channel": "has no address"})


def _settings(db: Connection, push_key: str) -> NotificationSettings:
    addresses = notification_rules.addresses(db)
    return NotificationSettings(
        rules=[NotificationRule.of(rule) for rule in notification_rules.rules(db)],
        emails=list(addresses.emails),
        slack_host=addresses.slack_host,
        push_key=push_key,
    )


def _sealed(web: Site, url: str | None) -> tuple[str | None, str | None]:
    if url is None:
        return None, None
    try:
        return web.slack.seal(url)
    except BadInput as error:
        raise Invalid(str(error), fields={"body.slack_url": str(error)}) from error


def _check(wanted: list[NotificationRule]) -> None:
    if len({one.kind for one in wanted}) < len(wanted):
        raise Invalid("A rule is named twice.", fields={"body.rules": "each kind once"})
    for one in wanted:
        if one.kind == "hot_lead" and (one.threshold is None or one.threshold > 1):
            raise Invalid("A probability is between 0 and 1.", fields={"body.rules": "hot_lead: a threshold up to 1"})
        if one.kind == "budget" and one.enabled and one.threshold is None:
            raise Invalid("A budget needs its USD a month.", fields={"body.rules": "budget: a threshold"})


def _shown(row: NotificationRow, locale: str, caller: Principal) -> Notification:
    person = _person(row)
    lead = str(row.lead_id) if row.lead_id else None
    said = words(row.kind, row.about, locale, who=person, call_sid=row.call_sid, lead_id=lead)
    return Notification(
        id=row.id,
        kind=row.kind,
        title=said.title,
        text=said.text,
        path=path_of(row.kind, row.call_sid, lead),
        about=row.about,
        person=person,
        call_sid=row.call_sid,
        lead_id=row.lead_id,
        raised_at=row.raised_at,
        told=[Told.of(one, caller) for one in row.tellings],
    )


def _person(row: NotificationRow) -> str | None:
    return row.name or (f"•••• {row.phone[-4:]}" if row.phone else None)


def _fields(row: Telling) -> dict[str, Any]:
    return {name: getattr(row, name) for name in Told.model_fields}
