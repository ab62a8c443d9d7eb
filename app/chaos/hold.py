"""Calls over real sockets: the bridge behind a uvicorn on this machine, the exchange and its phones in front of it."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket

from app.api.wire import MAX_FRAME, Wire
from app.call.bridge import Admission, EndNow, bridge
from app.call.pacer import Pacer
from app.call.setup import CallSetup
from app.chaos.caller import Caller
from app.chaos.world import CallWorld, World
from app.dialog.events import CallBegan
from app.exchange.account import Number
from app.exchange.exchange import CallRecord, Exchange
from app.exchange.network import HttpWebhooks, NetworkSockets
from app.exchange.office import Config
from app.exchange.server import LoopServer
from app.telephony.media_stream import Started


@dataclass(slots=True)
class _Side:
    """Our side of one call."""

    admit: Callable[[Started], Admission]
    reason: str = "error"  # until we know better
    over: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass(frozen=True, slots=True)
class Held:
    """A call that is over."""

    seed: int
    record: CallRecord
    world: CallWorld
    caller: Caller
    reason: str


class Lines:
    """The exchange and the server. Each call has a business number of its own."""

    def __init__(self, exchange: Exchange, url: str, sides: list[_Side]) -> None:
        self._exchange, self._url, self._sides = exchange, url, sides

    async def hold(self, seed: int, world: World, call: CallWorld, caller: Caller) -> Held:
        place = len(self._sides)
        business = f"+1202555{place % 10000:04d}"

        def admit(started: Started) -> Admission:
            began = CallBegan(started.call_sid, "inbound", "", "", world.book.name, 1, "", "", "")
            return Admission(CallSetup(began, str, world.stand_ins), call.parts(), call.journal)

        side = _Side(admit)
        self._sides.append(side)
        self._exchange.add_number(Number(business, voice_url=f"{self._url}/voice/{place}"))
        record = await self._exchange.dial_in(f"+1303555{place % 10000:04d}", business, caller)
        await side.over.wait()  # the caller has gone; our side may have last words to take in
        return Held(seed, record, call, caller, side.reason)


@asynccontextmanager
async def lines() -> AsyncIterator[Lines]:
    pacer, sides = Pacer(), list[_Side]()

    async def voice(request: Request) -> Response:
        stream = f"ws://{request.url.netloc}/media/{request.path_params['place']}"
        body = f'<Response><Connect><Stream url="{stream}"/></Connect><Hangup/></Response>'
        return Response(body, media_type="text/xml")

    async def media(wire: WebSocket) -> None:
        await wire.accept()
        side: _Side = sides[wire.path_params["place"]]

        async def admit(started: Started, end_now: EndNow) -> Admission:
            return side.admit(started)

        try:
            side.reason = str(await bridge(Wire(wire), admit, pacer))
        finally:
            side.over.set()

    routes = [Route("/voice/{place:int}", voice, methods=["POST"]), WebSocketRoute("/media/{place:int}", media)]
    with socket.create_server(("127.0.0.1", 0)) as listener:
        config = uvicorn.Config(
            Starlette(routes=routes),
            ws="websockets-sansio",
            ws_max_size=MAX_FRAME,
            ws_ping_interval=None,
            ws_per_message_deflate=False,
            lifespan="off",
            log_config=None,
            access_log=False,
        )
        server, webhooks = LoopServer(config), HttpWebhooks()
        async with asyncio.TaskGroup() as group:
            group.create_task(server.serve([listener]), name="media server")
            try:
                async with Exchange(webhooks, NetworkSockets(), config=Config(plain_sockets=True)) as exchange:
                    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
                    yield Lines(exchange, url, sides)
            finally:
                await webhooks.close()
                server.should_exit = True
