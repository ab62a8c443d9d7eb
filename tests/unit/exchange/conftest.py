"""A town: an exchange in memory, an application that answers webhooks from a table, and a media server."""

from __future__ import annotations

import asyncio
import json
from base64 import b64encode
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, TypeVar

import pytest

from app.errors import Disconnected
from app.exchange.account import Account, Number
from app.exchange.edges import Form
from app.exchange.exchange import CallRecord, Exchange
from app.exchange.faults import NONE, Faults
from app.exchange.memory import MemorySockets, MemoryWebhooks, ServerSocket
from app.exchange.office import Config
from app.exchange.personas import Persona, Step, Temper
from app.exchange.phones import Pickup
from app.exchange.sound import murmured
from app.exchange.virtual import STARTED_AT, run

T = TypeVar("T")

OURS, THEIRS, SECOND = "+12025550100", "+12025550111", "+12025550112"
BASE = "https://app.test"

Page = str | int | Callable[[dict[str, str]], Awaitable[str] | str]


@dataclass(frozen=True, slots=True)
class Post:
    """A webhook the application received; `at_s` since the loop began."""

    at_s: float
    path: str
    form: dict[str, str]
    pairs: Form
    headers: Mapping[str, str]


class MediaServer:
    """The application's end of one media stream, with what it received and when."""

    def __init__(self, url: str, headers: Mapping[str, str], socket: ServerSocket) -> None:
        self.url, self.headers, self.socket = url, headers, socket
        self.received: list[tuple[float, dict[str, Any]]] = []
        self.sid = ""

    async def next(self, *events: str) -> dict[str, Any]:
        """The next message, or the next of these kinds. Raises Disconnected."""
        while True:
            message = json.loads(await self.socket.receive_text())
            self.received.append((asyncio.get_running_loop().time() - STARTED_AT, message))
            if message["event"] == "start":
                self.sid = message["streamSid"]
            if not events or message["event"] in events:
                return message

    async def send(self, event: str, **body: Any) -> None:
        await self.socket.send_text(json.dumps({"event": event, "streamSid": self.sid, **body}))

    async def play(self, mulaw: bytes, mark: str = "") -> None:
        await self.send("media", media={"payload": b64encode(mulaw).decode()})
        if mark:
            await self.send("mark", mark={"name": mark})

    async def drain(self) -> None:
        """Reads until the other end closes."""
        try:
            while True:
                await self.next()
        except Disconnected:
            pass

    def of(self, event: str) -> list[tuple[float, dict[str, Any]]]:
        return [(at, message) for at, message in self.received if message["event"] == event]


Attend = Callable[[MediaServer], Awaitable[None]]


async def _refuse(server: MediaServer) -> None:
    server.socket.refuse(403)


@dataclass(slots=True)
class Town:
    """`pages` maps a path to TwiML, to a status, or to a function of the form."""

    OURS: ClassVar[str] = OURS
    THEIRS: ClassVar[str] = THEIRS
    SECOND: ClassVar[str] = SECOND
    BASE: ClassVar[str] = BASE

    pages: Mapping[str, Page]
    attend: Attend = _refuse
    config: Config = field(default_factory=lambda: Config(calls_per_second=100))
    faults: Faults = NONE
    posts: list[Post] = field(default_factory=list)
    servers: list[MediaServer] = field(default_factory=list)

    def play(self, scenario: Callable[[Exchange], Awaitable[T]]) -> T:
        return run(self._play(scenario))

    async def _play(self, scenario: Callable[[Exchange], Awaitable[T]]) -> T:
        async with (
            MemorySockets(self._serve) as sockets,
            Exchange(
                MemoryWebhooks(self._answer),
                sockets,
                account=Account(),
                config=self.config,
                faults=self.faults,
            ) as exchange,
        ):
            exchange.add_number(
                Number(
                    OURS,
                    voice_url=f"{BASE}/voice",
                    status_callback=f"{BASE}/status",
                    message_url=f"{BASE}/whatsapp",
                    whatsapp=True,
                )
            )
            return await scenario(exchange)

    def call(self, *script: Step, faults: Faults = NONE) -> CallRecord:
        """One inbound call by somebody with this script."""
        return self.play(lambda exchange: exchange.dial_in(THEIRS, OURS, a_person(*script), faults))

    def got(self, path: str) -> list[dict[str, str]]:
        return [post.form for post in self.posts if post.path == path]

    async def _answer(self, url: str, form: Form, headers: Mapping[str, str]) -> tuple[int, str]:
        path = url.removeprefix(BASE).partition("?")[0]
        now = asyncio.get_running_loop().time() - STARTED_AT
        self.posts.append(Post(now, path, dict(form), form, headers))
        page = self.pages.get(path, 204)
        if callable(page):
            result = page(dict(form))
            page = result if isinstance(result, str) else await result
        return (page, "") if isinstance(page, int) else (200, page)

    async def _serve(self, url: str, headers: Mapping[str, str], socket: ServerSocket) -> None:
        server = MediaServer(url, headers, socket)
        self.servers.append(server)
        await self.attend(server)


def a_person(*script: Step, pickup: Pickup | None = None) -> Persona:
    temper = Temper(pickup=pickup or Pickup(after_s=1.0))
    return Persona("test the exchange", "murmur", murmured, script, temper)


@pytest.fixture
def town() -> type[Town]:
    return Town


@pytest.fixture
def person() -> Callable[..., Persona]:
    return a_person
