"""WhatsApp messages through Twilio: the Messenger port, plus looking up what became of an unanswered request.

Twilio has no idempotency key, so the three outcomes of a request are kept apart (errors.py): surely not accepted, final
no, and unknown. Anything that breaks after the request may have left this machine is unknown.
Sources: twilio.com/docs/messaging/api/message-resource, /docs/content, /docs/api/errors.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import quote

from twilio.base.values import unset
from twilio.rest import Client

from app.errors import ProviderDown, ProviderRefused, ProviderUncertain
from app.providers.twilio_client import harmless_requests, requests_that_matter

LONGEST_TEXT = 1600  # characters; error 21617 beyond
TEMPLATES_FRESH_S = 600.0
LOOK_BACK = 50  # messages per person and sender; we send at most a few in the time an answer may be missing


@dataclass(frozen=True, slots=True)
class SentMessage:
    """A message as the provider lists it."""

    sid: str
    text: str
    created_at: datetime
    status: str
    error_code: int | None = None


class WhatsApp:
    """The Messenger port. Make one per process: `Client` is not shared across a fork.

    `status_url` receives delivery reports; the reference of the message is added to it as `?reference=`.
    """

    def __init__(
        self, client: Client, *, status_url: str | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._client = client
        self._status_url = status_url
        self._clock = clock
        self._templates: dict[str, str] = {}
        self._templates_until = float("-inf")

    def send(
        self,
        *,
        to: str,
        sender: str,
        text: str,
        template: str | None,
        reference: str,
        variables: tuple[str, ...] = (),
    ) -> str:
        if template is None and len(text) > LONGEST_TEXT:
            raise ProviderRefused(f"a message has at most {LONGEST_TEXT} characters, this one {len(text)}")
        content = self._content_sid(template) if template is not None else None
        with requests_that_matter():
            message = self._client.messages.create(
                to=_address(to),
                from_=_address(sender),
                status_callback=f"{self._status_url}?reference={quote(reference)}" if self._status_url else unset,
                body=text if content is None else unset,
                content_sid=content or unset,
                content_variables=_numbered(variables) if content and variables else unset,
            )
        if not message.sid:
            raise ProviderUncertain("the message was accepted without an id")
        return str(message.sid)

    def sent(self, *, to: str, sender: str, since: datetime) -> tuple[SentMessage, ...]:
        """What the provider accepted for this person from this sender since then, newest first.

        Filtered here, not there: the provider filters on the time of sending, which a queued message has not got yet.
        """
        with harmless_requests():
            found = self._client.messages.list(to=_address(to), from_=_address(sender), limit=LOOK_BACK)
        return tuple(
            SentMessage(one.sid, one.body or "", created, str(one.status), _number(one.error_code))
            for one in found
            if one.sid and (created := _utc(one.date_created)) >= since
        )

    def _content_sid(self, name: str) -> str:
        if name not in self._templates or self._clock() >= self._templates_until:
            self._templates = self._approved()
            self._templates_until = self._clock() + TEMPLATES_FRESH_S
        try:
            return self._templates[name]
        except KeyError:
            self._templates_until = float("-inf")  # it may be approved any minute: look again next time
            raise ProviderDown(f"no approved WhatsApp template is named {name!r}") from None

    def _approved(self) -> dict[str, str]:
        with harmless_requests():
            listed = self._client.content.v1.content_and_approvals.list()
        return {
            one.friendly_name: one.sid
            for one in listed
            if one.sid and one.friendly_name and (one.approval_requests or {}).get("status") == "approved"
        }


def _address(number: str) -> str:
    return number if number.startswith("whatsapp:") else f"whatsapp:{number}"


def _numbered(variables: tuple[str, ...]) -> str:
    """Placeholders count from 1; a value may hold neither line breaks nor runs of spaces, nor be empty."""
    values = (re.sub(r"\s+", " ", value).strip() or "-" for value in variables)
    return json.dumps({str(place): value for place, value in enumerate(values, start=1)}, ensure_ascii=False)


def _number(code: object) -> int | None:
    return int(code) if isinstance(code, int | str) and str(code).isdigit() else None


def _utc(at: datetime | None) -> datetime:
    if at is None:
        return datetime.max.replace(tzinfo=UTC)
    return at if at.tzinfo else at.replace(tzinfo=UTC)
