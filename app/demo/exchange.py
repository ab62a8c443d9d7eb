"""The local exchange as the demo and `strowger up` use it: one business number, its message templates, its service."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

from app.dialog.playbook import parse
from app.exchange.account import Account, Number
from app.exchange.exchange import Exchange
from app.exchange.office import Config
from app.exchange.server import serving
from app.local import NUMBER, Machine
from workers.letters import approved_text, template_name


@asynccontextmanager
async def exchange_for(machine: Machine, playbook_name: str, playbook: str) -> AsyncIterator[Exchange]:
    """An exchange whose number rings at the machine's service."""
    port = urlsplit(machine.exchange_url).port or 0
    account = Account(machine.account.sid, machine.account.token)
    config = Config(plain_sockets=True)  # there is no certificate for a loopback address
    async with serving(port=port, account=account, config=config) as exchange:
        service = machine.service_url
        exchange.add_number(
            Number(
                NUMBER,
                voice_url=f"{service}/twilio/voice",
                status_callback=f"{service}/twilio/status",
                status_callback_events=("initiated", "ringing", "answered", "completed"),
                message_url=f"{service}/twilio/whatsapp",
                whatsapp=True,
            )
        )
        book = parse(playbook, playbook_name)
        for message in book.messages:
            name = template_name(book.name, message.name)
            exchange.messages.add_template(name, approved_text(message.text), book.language)
        yield exchange
