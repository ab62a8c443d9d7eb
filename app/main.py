"""Composition root of the web process: settings in, application out. No decisions."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from typing import Any, TypeAlias

from fastapi import FastAPI
from pydantic import SecretStr
from starlette.middleware.cors import CORSMiddleware

from app import observe, playbooks
from app.api import callbacks, health, home, media, messages, problems, seats, voice
from app.api.abroad import Abroad
from app.api.attendant import Attendant
from app.api.context import CarrierSettings, Conversations, Web
from app.api.dashboard import Dashboard
from app.api.dialling import Dialling
from app.api.feed import Feed
from app.api.issuer import Issuer
from app.api.neighbours import Neighbours
from app.api.pulse import Pulse
from app.api.recordings import Recordings
from app.api.records import Records
from app.api.room import Limits, Room
from app.api.shield import Shield
from app.api.switchboard import Switchboard
from app.api.told import tell
from app.api.v1 import router as v1
from app.api.v1.claims import Supabase, Tokens
from app.api.v1.doors import Doors, Remembered
from app.api.v1.idempotency import Once
from app.api.v1.jwks import KeySet
from app.api.v1.limits import Limits as RateLimits
from app.api.v1.schema import described
from app.calling import LazyCarrier
from app.dialog.playbook import parse
from app.dialog.script import Playbook
from app.errors import BadSetting
from app.pricing import table as price_table
from app.providers.circuits import Circuit
from app.providers.counter import Counter
from app.providers.outgoing import Outgoing, SignedPost
from app.providers.shared_circuits import open_now
from app.providers.slack import Slack
from app.providers.web_push import public_key_of
from app.secret_key import SecretKey
from app.settings import EXAMPLES, Settings
from app.shipped import shipped_card
from app.store.connect import Database

CROSS_ORIGIN: dict[str, Any] = {
    "allow_methods": ["GET", "POST", "PUT", "PATCH", "DELETE"],
    "allow_headers": ["Authorization", "Content-Type", "If-Match", "If-None-Match", "Idempotency-Key"],
    "expose_headers": ["ETag", "Retry-After", "RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset"],
    "max_age": 600,
}
# Makes what holds conversations once the event loop runs; replaced in tests that need no speech.
Hosting: TypeAlias = Callable[[Settings, Records, Switchboard], Conversations]


def create_app(settings: Settings, *, hosting: Hosting | None = None, neighbours: Neighbours | None = None) -> FastAPI:
    """Raises BadSetting when a variable without which no call can be answered is missing. `neighbours` are the other
    processes behind the same port, if there are any."""
    observe.configure(settings.log)
    carrier = carrier_settings(settings)
    database_url = _required(settings.database_url, "DATABASE_URL")
    secret_key = SecretKey.of(settings)
    issuer, hooks = Issuer(secret_key), SignedPost(secret_key)
    slack, push_key = Slack(secret_key, Outgoing()), public_key_of(secret_key)
    recordings = Recordings(settings.data_dir / "recordings", secret_key.signing("recordings"))
    prices = price_table(settings.prices)
    ice = tuple(settings.ice_servers.split())

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        clock = asyncio.get_running_loop().time
        records = Records(Database.open(database_url), Database.open(database_url))
        room = Room(Limits(calls=settings.max_calls, lag_ms=settings.max_lag_ms, busy=settings.max_busy))
        feed = Feed(settings.redis_url.get_secret_value() if settings.redis_url else None)
        board = Switchboard(room, clock, neighbours.tell if neighbours else lambda news: None, partial(tell, feed))
        conversations = (hosting or _hosting())(settings, records, board)
        doors = _doors(settings, issuer, clock)
        abroad = Abroad(settings.redis_url.get_secret_value() if settings.redis_url else None, board.asked)
        attendant = Attendant(board, neighbours.trunks if neighbours else None, abroad, ice)
        dialling = Dialling(LazyCarrier(settings), prices)
        app.state.web = Web(
            settings=carrier,
            records=records,
            board=board,
            conversations=conversations,
            now=lambda: datetime.now(UTC),
            doors=doors,
            issuer=issuer,
            hooks=hooks,
            recordings=recordings,
            prices=prices,
            feed=feed,
            dialling=dialling,
            providers=Counter(settings, partial(_book, settings.playbook)),
            circuits=partial(_open_circuits, settings),
            slack=slack,
            push_key=push_key,
            shipped=partial(shipped_card, settings.data_dir),
            ice_servers=ice,
            attendant=attendant,
        )
        try:
            async with AsyncExitStack() as open_:
                await open_.enter_async_context(feed.running())
                await open_.enter_async_context(abroad.running())
                await open_.enter_async_context(conversations)
                await open_.enter_async_context(Pulse(room, lambda: len(board.talking())).beating())
                if neighbours:
                    await open_.enter_async_context(neighbours.trunks.open(attendant.answer))
                    await open_.enter_async_context(neighbours.listening(board, lambda: conversations.ready))
                yield
        finally:
            await doors.limits.close()
            dialling.close()
            records.close()

    return _assembled(settings, lifespan)


def _assembled(settings: Settings, lifespan: Callable[[FastAPI], AbstractAsyncContextManager[None]]) -> FastAPI:
    """Its layers and routes. What they work with is made when the event loop runs."""
    docs = settings.docs
    app = FastAPI(
        title="Strowger",
        summary="Sales calls on the phone: answered, held, scored and followed up.",
        lifespan=lifespan,
        docs_url="/docs" if docs else None,
        redoc_url=None,
        openapi_url="/openapi.json" if docs else None,
    )
    problems.install(app)
    app.add_middleware(Once)
    if settings.origins():
        app.add_middleware(CORSMiddleware, allow_origins=settings.origins(), **CROSS_ORIGIN)
    app.add_middleware(Dashboard)
    app.add_middleware(Shield)
    for part in (home, voice, callbacks, messages, media, seats, health):
        app.include_router(part.router)
    v1.add_to(app)
    if docs:
        drawn = app.openapi
        app.openapi = lambda: described(drawn())  # type: ignore[method-assign]
    return app


async def _open_circuits(settings: Settings) -> tuple[Circuit, ...]:
    """Of all processes, as far as Redis knows."""
    if settings.redis_url is None:
        return ()
    return await asyncio.to_thread(open_now, settings.redis_url.get_secret_value())


def _book(name: str) -> Playbook:
    return parse(playbooks.text_of(name), name)


def _doors(settings: Settings, issuer: Issuer, clock: Callable[[], float]) -> Doors:
    supabase = None
    if settings.supabase_url is not None:
        name = f"{settings.supabase_url}/auth/v1"
        legacy = settings.supabase_jwt_secret
        keys = KeySet(f"{name}/.well-known/jwks.json", clock)
        supabase = Supabase(name, keys, legacy.get_secret_value() if legacy else None)
    redis_url = settings.redis_url.get_secret_value() if settings.redis_url else None
    origins = frozenset(settings.origins())
    return Doors(Tokens(issuer, supabase), RateLimits(redis_url), Remembered(), settings.api_rate, origins)


def carrier_settings(settings: Settings) -> CarrierSettings:
    """Raises BadSetting: without address and token no webhook could be told from a forgery."""
    if settings.public_url is None:
        raise _missing("STROWGER_PUBLIC_URL")
    tokens = tuple(
        token.get_secret_value()
        for token in (settings.twilio_auth_token, settings.twilio_auth_token_secondary)
        if token is not None
    )
    if settings.twilio_auth_token is None:
        raise _missing("TWILIO_AUTH_TOKEN")
    return CarrierSettings(settings.public_url, tokens, settings.twilio_account_sid, settings.overflow_url)


def _hosting() -> Hosting:
    # Speech and models are the heavy part of the start; a test with its own conversations does not pay for them.
    from app.api.studio import host

    return host


def _required(value: SecretStr | None, name: str) -> str:
    if value is None:
        raise _missing(name)
    return value.get_secret_value()


def _missing(name: str) -> BadSetting:
    return BadSetting(f"{name} is not set. Example: {name}={EXAMPLES[name]}")
