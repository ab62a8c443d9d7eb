"""What tasks work with: one set per process, made when first used, so that nothing open crosses a fork."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from app.compliance import rules
from app.compliance.rules import Rules
from app.ports import Messenger
from app.pricing import table as price_table
from app.providers.outgoing import SignedPost
from app.sales.prices import Prices
from app.secret_key import SecretKey
from app.settings import Settings, load
from app.store.connect import Database
from workers.couriers import Couriers, couriers_of
from workers.model import Judge, Models
from workers.offers import OfferTiers, of_this_process
from workers.readings import ReadsTurns, reader_in
from workers.shelf import StoredShelf

if TYPE_CHECKING:
    from twilio.rest import Client

    from app.providers.carrier_copies import CarrierCopies
    from app.providers.whatsapp import SentMessage


class Post(Messenger, Protocol):
    """A Messenger that can also say what it has accepted, newest first. Raises ProviderDown when it cannot."""

    def sent(self, *, to: str, sender: str, since: datetime) -> tuple[SentMessage, ...]: ...


@dataclass(frozen=True, slots=True)
class Resources:
    """`post` is None while no Twilio account is set: promised messages wait for it. `judge` gives None while the
    shipped model is needed and being made, and raises ModelRefused when there is none that may be used. Without `read`
    nothing tells what a caller's turns are about. `copies` are the carrier's; None without an account there."""

    database: Database
    post: Post | None
    judge: Judge
    rules: Rules
    now: Callable[[], datetime]
    data_dir: Path = Path(".strowger")
    offers: OfferTiers = field(default_factory=of_this_process)
    hooks: SignedPost | None = None
    couriers: Couriers | None = None
    prices: Prices | None = None
    read: ReadsTurns | None = None
    copies: CarrierCopies | None = None


def current() -> Resources:
    """Those of this process; a pool child that inherits its parent's memory still makes its own."""
    return _of_process(os.getpid())


@cache
def _of_process(pid: int) -> Resources:
    return assemble(load())


def assemble(settings: Settings) -> Resources:
    assert settings.database_url is not None  # app.configuration refused to start without
    database = Database.open(settings.database_url.get_secret_value(), max_size=2)
    key = SecretKey.of(settings)
    return Resources(
        database=database,
        post=_post(settings),
        copies=_copies(settings),
        judge=models_of(database, settings.data_dir),
        rules=rules.load(),
        now=lambda: datetime.now(UTC),
        data_dir=settings.data_dir,
        hooks=SignedPost(key),
        couriers=couriers_of(settings, key),
        prices=price_table(settings.prices),
        read=reader_in(settings.data_dir),
    )


def models_of(database: Database, data_dir: Path) -> Models:
    return Models(data_dir, lambda workspace: StoredShelf(database, workspace, data_dir / "models" / "own"))


def _copies(settings: Settings) -> CarrierCopies | None:
    from app.providers.carrier_copies import CarrierCopies

    client = _client(settings)
    return CarrierCopies(client) if client is not None else None


def _client(settings: Settings) -> Client | None:
    from app.providers.twilio_client import connect  # the Twilio SDK takes a second to import

    if settings.twilio_account_sid is None or settings.twilio_auth_token is None:
        return None
    return connect(settings.twilio_account_sid, settings.twilio_auth_token.get_secret_value(), settings.twilio_base_url)


def _post(settings: Settings) -> Post | None:
    from app.providers.whatsapp import WhatsApp

    client = _client(settings)
    if client is None:
        return None
    status_url = f"{settings.public_url}/twilio/message-status" if settings.public_url else None
    return WhatsApp(client, status_url=status_url)
