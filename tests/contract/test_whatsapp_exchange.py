"""The Messenger against our own exchange, as in the demo: a playbook's message as an approved template."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from importlib import resources

import pytest

from app.dialog.playbook import parse
from app.exchange.account import Account, Number
from app.exchange.server import serving
from app.providers.twilio_client import connect
from app.providers.whatsapp import WhatsApp
from app.sales.outcome import Outcome, Result
from workers.letters import approved_text, compose, template_name

pytestmark = pytest.mark.realtime

ACCOUNT = Account()
OURS, THEIRS = "+12025550100", "+12025550111"


def test_C51_a_follow_up_reads_the_same_through_template_and_variables_and_is_found_again() -> None:
    book = parse(
        resources.files("app.playbooks").joinpath("northlight_solar.yaml").read_text(encoding="utf-8"),
        "northlight_solar",
    )
    outcome = Outcome("CA1", Result.BOOKED, "finished", {"monthly_bill": "200"}, "2026-11-24T10:00")
    letter = compose(book, "appointment_summary", outcome)
    assert letter is not None
    assert letter.template == template_name(book.name, "appointment_summary")

    async def main() -> None:
        async with asyncio.timeout(120), serving(port=0, account=ACCOUNT) as exchange:
            exchange.add_number(Number(OURS, whatsapp=True))
            template = approved_text(book.message("appointment_summary").text)
            exchange.messages.add_template(letter.template, template, book.language)
            whatsapp = WhatsApp(connect(ACCOUNT.sid, ACCOUNT.token, exchange.office.config.base_url))
            sid = await asyncio.to_thread(
                whatsapp.send,
                to=THEIRS,
                sender=OURS,
                text=letter.text,
                template=letter.template,
                variables=letter.variables,
                reference="1",
            )
            since = datetime.now(UTC) - timedelta(minutes=1)
            (found,) = await asyncio.to_thread(whatsapp.sent, to=THEIRS, sender=OURS, since=since)
            assert (found.sid, found.text) == (sid, letter.text)

    asyncio.run(main())
