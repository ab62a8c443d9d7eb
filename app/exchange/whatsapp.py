"""Messages: sent through the API, delivered to simulated people, and written by them.

WhatsApp takes free text only within 24 hours of the person's last message; outside of that an approved template. The
API accepts a message that breaks this and reports it later: a status callback with 63016.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from app.errors import CarrierFault
from app.exchange.account import API_VERSION
from app.exchange.callbacks import Notices
from app.exchange.content import Template
from app.exchange.edges import Form
from app.exchange.messages import Message
from app.exchange.numbers import check_sender, check_text_recipient
from app.exchange.office import Office
from app.exchange.twiml import parse
from app.exchange.verbs import Message as Reply

WINDOW = timedelta(hours=24)
LONGEST = 1600


@dataclass(frozen=True, slots=True)
class Delays:
    """Seconds from one state to the next. `read_s` None: delivered, but never opened."""

    sent_s: float = 0.2
    delivered_s: float = 0.5
    read_s: float | None = 1.5


@dataclass(frozen=True, slots=True)
class Draft:
    """A message as asked for through the API."""

    to: str
    from_: str
    body: str = ""
    media: tuple[str, ...] = ()
    content_sid: str = ""
    content_variables: str = ""
    status_callback: str = ""
    service_sid: str | None = None
    send_at: datetime | None = None


class Messages:
    """`undeliverable` maps a recipient to the error number its messages end with."""

    def __init__(self, office: Office, run: Callable[[Coroutine[Any, Any, None], str], None], notices: Notices) -> None:
        self._office, self._run, self._notices = office, run, notices
        self._last_inbound: dict[tuple[str, str], datetime] = {}
        self.delays = Delays()
        self.all: dict[str, Message] = {}
        self.templates: dict[str, Template] = {}
        self.undeliverable: dict[str, int] = {}

    # out

    def create(self, draft: Draft, direction: str = "outbound-api") -> Message:
        """Raises CarrierFault for what the API refuses at once."""
        check_sender(self._office, draft.from_, draft.to)
        check_text_recipient(draft.to)
        body = self._body(draft)
        prefix = "MM" if draft.media else "SM"
        now = self._office.clock.now()
        message = Message(
            self._office.sids.new(prefix), self._office.account.sid, draft.from_, draft.to, body, direction, now
        )
        message.media, message.service_sid = draft.media, draft.service_sid
        message.content_sid, message.status_callback = draft.content_sid or None, draft.status_callback
        self.all[message.sid] = message
        if draft.send_at is not None:
            message.status = "scheduled"
        self._run(self._deliver(message, draft), f"message {message.sid}")
        return message

    def _body(self, draft: Draft) -> str:
        if draft.content_sid:
            template = self.templates.get(draft.content_sid)
            if template is None:
                raise CarrierFault(21655, "The ContentSid is Invalid")
            return template.filled(draft.content_variables)
        if not draft.body and not draft.media:
            raise CarrierFault(21602, "Message body is required.")
        if len(draft.body) > LONGEST:
            raise CarrierFault(21617, f"The concatenated message body exceeds the {LONGEST} character limit")
        return draft.body

    async def _deliver(self, message: Message, draft: Draft) -> None:
        if draft.send_at is not None:
            wait = (draft.send_at - self._office.clock.now()).total_seconds()
            await asyncio.sleep(max(wait, 0))
            if message.status == "canceled":
                return
            self._move(message, "queued")
        self._notices.post(message.status_callback, message.status_form())
        await asyncio.sleep(self.delays.sent_s)
        error = self._verdict(message)
        if error is not None:
            message.error_code = error
            self._move(message, "undelivered")
            self._notices.post(message.status_callback, message.status_form())
            return
        steps = (("sent", self.delays.delivered_s), ("delivered", self.delays.read_s), ("read", 0.0))
        for status, pause in steps:
            if message.channel == "sms" and status == "read":
                return
            self._move(message, status)
            self._notices.post(message.status_callback, message.status_form())
            if pause is None:
                return
            await asyncio.sleep(pause)

    def _verdict(self, message: Message) -> int | None:
        """The error number it fails with."""
        if message.to in self.undeliverable:
            return self.undeliverable[message.to]
        if message.channel != "whatsapp" or self.window_open(message.from_, message.to):
            return None
        template = self.templates.get(message.content_sid or "")
        if template is None or not template.approved:
            return 63016
        if template.approval["category"] == "MARKETING" and message.to.startswith("whatsapp:+1"):
            return 63049  # marketing templates are not delivered to numbers in the United States
        return None

    def window_open(self, sender: str, user: str) -> bool:
        last = self._last_inbound.get((sender, user))
        return last is not None and self._office.clock.now() - last <= WINDOW

    def _move(self, message: Message, status: str) -> None:
        message.status, message.updated_at = status, self._office.clock.now()
        if status == "sent":
            message.sent_at = message.updated_at

    # in

    async def receive(self, from_: str, to: str, body: str, *, button: str = "", profile: str = "") -> Message:
        """A person writes to one of our numbers: opens the window, and posts the signed webhook.

        `button` is the payload of a quick reply whose title is `body`. Returns when the webhook has been answered; a
        <Message> in the answer is sent back. Raises CarrierFault 21211 when the number is not ours.
        """
        number = self._office.numbers.get(to.removeprefix("whatsapp:"))
        if number is None:
            raise CarrierFault(21211, f"{to} is not a number of this exchange")
        now = self._office.clock.now()
        sid = self._office.sids.new("SM")
        message = Message(sid, self._office.account.sid, from_, to, body, "inbound", now, "received")
        self.all[sid] = message
        self._last_inbound[(to, from_)] = now
        if number.message_url:
            await self._announce(message, number.message_url, button, profile)
        return message

    async def _announce(self, message: Message, url: str, button: str, profile: str) -> None:
        try:
            text, _ = await self._office.courier.document(url, _inbound_form(message, button, profile))
            replies = [verb.body for verb in parse(text).verbs if isinstance(verb, Reply)] if text.strip() else []
        except CarrierFault as fault:
            self._office.alert(fault.number, str(fault), message.sid)
            return
        for body in replies:
            self.create(Draft(message.from_, message.to, body), "outbound-reply")

    # templates

    def add_template(self, name: str, text: str, language: str = "en", variables: dict[str, str] | None = None) -> str:
        """A template of plain text, approved as a utility; returns its content SID.

        `name` is its friendly name; the name it is approved under is made of it, since Meta takes only a-z, 0-9 and _.
        """
        sid = self._office.sids.new("HX")
        template = Template(
            sid,
            self._office.account.sid,
            name,
            language,
            variables or {},
            {"twilio/text": {"body": text}},
            self._office.clock.now(),
        )
        template.submit(re.sub(r"[^a-z0-9]+", "_", name.lower()), "UTILITY")
        self.templates[sid] = template
        return sid


def _inbound_form(message: Message, button: str, profile: str) -> Form:
    form: Form = (
        ("MessageSid", message.sid),
        ("SmsMessageSid", message.sid),
        ("SmsSid", message.sid),
        ("AccountSid", message.account_sid),
        ("ApiVersion", API_VERSION),
        ("From", message.from_),
        ("To", message.to),
        ("Body", message.body),
        ("NumMedia", str(len(message.media))),
        ("NumSegments", "1"),
        ("SmsStatus", "received"),
    )
    if not message.from_.startswith("whatsapp:"):
        return form
    wa_id = message.from_.removeprefix("whatsapp:+")
    context = {"type": "whatsapp", "data": {"context": {"ProfileName": profile, "WaId": wa_id}}}
    form += (
        ("ProfileName", profile),
        ("WaId", wa_id),
        ("MessageType", "button" if button else "text"),
        ("ChannelMetadata", json.dumps(context, separators=(",", ":"))),
    )
    if button:
        form += (("ButtonText", message.body), ("ButtonPayload", button))
    return form
