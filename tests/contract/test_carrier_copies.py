"""Erasing at the carrier: the official SDK and our own exchange, which keeps recordings as the carrier does."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from typing import Any

import pytest

from app.errors import ProviderDown
from app.exchange.account import Account, Number
from app.exchange.exchange import Exchange
from app.exchange.recording import Recording
from app.exchange.server import serving
from app.providers.carrier_copies import CarrierCopies
from app.providers.twilio_client import connect

pytestmark = pytest.mark.realtime

ACCOUNT = Account()
OURS, THEIRS = "+12025550100", "+12025550111"
ADA, BEN = "CA" + "a" * 32, "CA" + "b" * 32


def scene(play: Callable[[CarrierCopies, Exchange], Coroutine[Any, Any, None]]) -> None:
    async def main() -> None:
        async with asyncio.timeout(60), serving(port=0, account=ACCOUNT) as exchange:
            exchange.add_number(Number(OURS, whatsapp=True))
            for number, call in enumerate((ADA, ADA, BEN)):
                sid = f"RE{number:032d}"
                kept = Recording(sid, ACCOUNT.sid, call, "OutboundAPI", datetime.now(UTC), "completed", (b"\xff" * 80,))
                exchange.office.recordings[sid] = kept
            client = connect(ACCOUNT.sid, ACCOUNT.token, exchange.office.config.base_url)
            await play(CarrierCopies(client), exchange)

    asyncio.run(main())


def test_C43_all_recordings_of_a_call_go_and_of_no_other() -> None:
    async def play(copies: CarrierCopies, exchange: Exchange) -> None:
        assert await asyncio.to_thread(copies.forget_call, ADA) == 2
        assert [one.call_sid for one in exchange.office.recordings.values()] == [BEN]
        assert await asyncio.to_thread(copies.forget_call, ADA) == 0, "asked again, it comes to the same"

    scene(play)


def test_C43_a_message_goes_and_one_that_is_gone_is_no_fault() -> None:
    async def play(copies: CarrierCopies, exchange: Exchange) -> None:
        client = connect(ACCOUNT.sid, ACCOUNT.token, exchange.office.config.base_url)
        made = await asyncio.to_thread(
            client.messages.create, to=f"whatsapp:{THEIRS}", from_=f"whatsapp:{OURS}", body="Thanks"
        )
        assert made.sid in exchange.messages.all
        assert await asyncio.to_thread(copies.forget_message, made.sid) == 1
        assert made.sid not in exchange.messages.all
        assert await asyncio.to_thread(copies.forget_message, made.sid) == 0

    scene(play)


def test_C43_a_carrier_that_is_away_or_does_not_let_us_in_is_not_taken_for_one_that_deleted() -> None:
    async def play(copies: CarrierCopies, exchange: Exchange) -> None:
        wrong = CarrierCopies(connect(ACCOUNT.sid, "not the token", exchange.office.config.base_url))
        away = CarrierCopies(connect(ACCOUNT.sid, ACCOUNT.token, "http://127.0.0.1:9"))
        for one in (wrong, away):
            with pytest.raises(ProviderDown):
                await asyncio.to_thread(one.forget_call, ADA)
            with pytest.raises(ProviderDown):
                await asyncio.to_thread(one.forget_message, "SM" + "a" * 32)
        assert len(exchange.office.recordings) == 3

    scene(play)
