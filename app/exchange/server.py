"""The exchange in real time on a port: the REST API outside, calls and phones inside.

async with serving(port=9101, routes={"https://calls.test": "http://127.0.0.1:8000"}) as exchange:
    ended = await exchange.dial_in("+12025550111", "+12025550100", phone)
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime

import uvicorn

from app.errors import ServiceNotStarted
from app.exchange.account import Account
from app.exchange.exchange import Exchange
from app.exchange.network import HttpWebhooks, NetworkSockets, Routes
from app.exchange.office import Config
from app.exchange.rest import api

PORT = 9101


class LoopServer(uvicorn.Server):
    """Leaves signals to whoever runs the event loop."""

    @contextlib.contextmanager
    def capture_signals(self):  # type: ignore[no-untyped-def]
        yield


@asynccontextmanager
async def serving(
    *,
    host: str = "127.0.0.1",
    port: int = PORT,
    account: Account | None = None,
    config: Config | None = None,
    routes: Mapping[str, str] | None = None,
) -> AsyncIterator[Exchange]:
    """An exchange that is reachable while the block runs; `port` 0 takes a free one, found in `config.base_url`.

    Raises ServiceNotStarted when the port is taken.
    """
    try:
        listener = socket.create_server((host, port))
    except OSError as error:
        raise ServiceNotStarted(f"the exchange cannot listen on {host}:{port}: {error.strerror}") from None
    base_url = f"http://{host}:{listener.getsockname()[1]}"
    ways = Routes(routes)
    webhooks = HttpWebhooks(ways)
    try:
        async with Exchange(
            webhooks,
            NetworkSockets(ways),
            account=account,
            config=replace(config or Config(), base_url=base_url, seed=None),
            opened_at=datetime.now(UTC),
        ) as exchange:
            settings = uvicorn.Config(api(exchange), log_level="warning", access_log=False, lifespan="off")
            server = LoopServer(settings)
            async with asyncio.TaskGroup() as group:
                group.create_task(server.serve([listener]), name="exchange API")
                try:
                    yield exchange
                finally:
                    server.should_exit = True
    finally:
        listener.close()
        await webhooks.close()


async def serve(
    *,
    port: int = PORT,
    account: Account | None = None,
    config: Config | None = None,
    routes: Mapping[str, str] | None = None,
) -> None:
    """Runs until cancelled."""
    async with serving(port=port, account=account, config=config, routes=routes):
        await asyncio.Event().wait()
