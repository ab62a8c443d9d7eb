"""What the routes share, made once by the composition root and found again through the application's state."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Protocol, Self, TypeAlias, cast

from fastapi import Depends
from starlette.requests import HTTPConnection

from app.api.attendant import Attendant
from app.api.dialling import Dialling
from app.api.feed import Feed
from app.api.issuer import Issuer
from app.api.recordings import Recordings
from app.api.records import Records
from app.api.switchboard import Switchboard
from app.api.v1.doors import Doors
from app.call.bridge import Socket
from app.providers.circuits import Circuit
from app.providers.counter import Counter
from app.providers.outgoing import SignedPost
from app.providers.slack import Slack
from app.sales.prices import Prices
from app.shipped import ShippedCard
from app.store.calls import CallRow


@dataclass(frozen=True, slots=True)
class CarrierSettings:
    """`public_url` is what the carrier was told; `tokens` sign its webhooks (two while being rotated; media
    tokens are made with the first); an `account_sid` of None takes any account; calls beyond our room go to the machine
    at `overflow_url`, if there is one."""

    public_url: str
    tokens: tuple[str, ...]
    account_sid: str | None = None
    overflow_url: str | None = None


class Conversations(Protocol):
    """Holds calls' conversations over media sockets. A context manager around everything they share."""

    @property
    def ready(self) -> bool:
        """False while what a call needs is still being loaded."""
        ...

    async def __aenter__(self) -> Self: ...

    async def __aexit__(self, *exc: object) -> None: ...

    def expect(self, playbook: str, call: CallRow) -> None:
        """This call, with this playbook (its text), is about to be connected. Never waits, never fails."""
        ...

    async def hold(self, wire: Socket, call: CallRow, token: str) -> str:
        """Returns the end reason once the conversation is over and its log durable; a lost socket is "media_lost"."""
        ...


@dataclass(frozen=True, slots=True)
class Web:
    settings: CarrierSettings
    records: Records
    board: Switchboard
    conversations: Conversations
    now: Callable[[], datetime]
    doors: Doors
    issuer: Issuer
    hooks: SignedPost
    recordings: Recordings
    prices: Prices
    feed: Feed
    dialling: Dialling
    providers: Counter
    circuits: Callable[[], Awaitable[tuple[Circuit, ...]]]
    slack: Slack
    push_key: str
    shipped: Callable[[], ShippedCard | None]
    attendant: Attendant
    ice_servers: tuple[str, ...] = ()

    def url(self, path: str) -> str:
        return self.settings.public_url + path


def web_of(connection: HTTPConnection) -> Web:
    return cast(Web, connection.app.state.web)


# What a handler asks for: `async def get(web: Site, caller: Caller) -> ...`
Site: TypeAlias = Annotated[Web, Depends(web_of)]
