"""Uvicorn, and how it leaves: on SIGTERM no new call is taken, the live ones are held to their end, then it goes.

Uvicorn alone closes every WebSocket at the signal, which would cut people off in mid-sentence; so the signal is ours.
Behind a front (see app/front.py) it does not listen: connections come to it accepted.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from types import FrameType
from typing import Any

import uvicorn
from fastapi import FastAPI

from app import observe
from app.api.context import Web
from app.api.neighbours import CHANNEL, Neighbours
from app.api.pulse import allow_more_files
from app.api.sockets import Sockets
from app.api.wire import MAX_FRAME
from app.main import Hosting, create_app
from app.memory import Memory
from app.rounds import next_round
from app.settings import Settings

log = observe.log(__name__)

GOODBYE_S = 25.0  # at the drain limit: to say goodbye on the calls that are still live
KEEP_ALIVE_S = 75
TICK_S = 0.5  # Uvicorn's own is a tenth, and wakes a process that has nothing to do
TENTHS = 5  # of a second in it, in which Uvicorn counts


class DrainingServer(uvicorn.Server):
    """The first SIGTERM or SIGINT drains. A second SIGINT, from a person at a keyboard, does not wait."""

    def __init__(
        self, config: uvicorn.Config, app: FastAPI, drain_limit_s: float, neighbours: Neighbours | None = None
    ) -> None:
        super().__init__(config)
        self._app, self._neighbours = app, neighbours
        self._limit_s = drain_limit_s
        self._asked = False
        self._began: float | None = None
        self._said_goodbye = False
        self._settled = False
        self._memory = Memory()

    async def main_loop(self) -> None:
        async with asyncio.TaskGroup() as group:
            taking_over = group.create_task(self._take_over(), name="take over")
            counter = 0
            while not await self.on_tick(counter):
                await next_round(TICK_S)
                counter += TENTHS
            taking_over.cancel()

    async def _take_over(self) -> None:
        """What Uvicorn's own listener does, for connections that the parent accepted."""
        if self._neighbours is None:
            return
        loop, config = asyncio.get_running_loop(), self.config
        protocol: Any = config.http_protocol_class
        async for connection in self._neighbours.connections():
            try:
                await loop.connect_accepted_socket(
                    lambda: protocol(config=config, server_state=self.server_state, app_state=self.lifespan.state),
                    connection,
                )
            except OSError as error:  # the client has gone meanwhile
                log.info("a connection was closed on its way", error=str(error))

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        if self._asked and sig == signal.SIGINT:
            self.should_exit = self.force_exit = True
        self._asked = True

    async def on_tick(self, counter: int) -> bool:
        web: Web = self._app.state.web
        if not self._settled and web.conversations.ready:
            self._settled = True
            self._memory.settle()
        self._memory.look(web.board.taken(), web.board.now())
        if self._asked and not self.should_exit:
            self.should_exit = self._drained()
        return await super().on_tick(counter)

    def _drained(self) -> bool:
        web: Web = self._app.state.web
        now = web.board.now()
        if self._began is None:
            self._began = now
            web.board.drain()
            log.info("draining", live=web.board.live(), limit_s=self._limit_s)
        waited = now - self._began
        if web.board.live() == 0:
            log.info("drained", waited_s=round(waited, 1))
            return True
        if waited >= self._limit_s and not self._said_goodbye:
            self._said_goodbye = True
            log.warning("drain limit reached: saying goodbye", live=web.board.live())
            web.board.end_all("drained")
        return waited >= self._limit_s + GOODBYE_S


def serve(
    settings: Settings,
    host: str = "127.0.0.1",
    port: int = 8000,
    *,
    processes: int = 1,
    hosting: Hosting | None = None,
) -> None:
    """Returns once the last call has ended after SIGTERM. Raises BadSetting before anything is started.

    With more than one of `processes`, each is this same command again.
    """
    channel = os.environ.get(CHANNEL)
    neighbours = Neighbours.by(channel) if channel else None
    app = create_app(settings, hosting=hosting, neighbours=neighbours)
    if processes > 1 and neighbours is None:
        from app.front import run

        if code := run(host, port, processes, _named(settings)):
            sys.exit(code)
        return
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        loop="uvloop",
        http="httptools",
        ws=Sockets,
        ws_max_size=MAX_FRAME,
        ws_ping_interval=None,  # what the carrier answers to pings is not documented; its frames show that it lives
        ws_per_message_deflate=False,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=5,
        log_config=None,
        access_log=False,
        server_header=False,
        h11_max_incomplete_event_size=MAX_FRAME,
    )
    allow_more_files()
    server = DrainingServer(config, app, settings.drain_limit_s, neighbours)
    server.run(sockets=[] if neighbours else None)


def _named(settings: Settings) -> dict[str, str]:
    """Services that this process started, for those that start with its environment."""
    urls = {"DATABASE_URL": settings.database_url, "REDIS_URL": settings.redis_url}
    return {name: url.get_secret_value() for name, url in urls.items() if url is not None}
