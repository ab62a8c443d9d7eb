"""WhatsApp messages through Twilio: the Messenger port, plus looking up what became of an unanswered request.

Twilio has no idempotency key, so the three outcomes of a request are kept apart (errors.py): surely not accepted, final
no, and unknown. Anything that breaks after the request may have left this machine is unknown.
Sources: twilio.com/docs/messaging/api/message-resource, /docs/content, /docs/api/errors.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import quote

import requests
import urllib3.exceptions
from twilio.base.exceptions import TwilioException, TwilioRestException, TwilioServiceException
from twilio.base.values import unset
from twilio.http.http_client import TwilioHttpClient
from twilio.rest import Client

from app.errors import ProviderDown, ProviderError, ProviderRefused, ProviderUncertain

TIMEOUT_S = 10.0
LONGEST_TEXT = 1600  # characters; error 21617 beyond
TEMPLATES_FRESH_S = 600.0
LOOK_BACK = 50  # messages per person and sender; we send at most a few in the time an answer may be missing

RATE_LIMITED = frozenset({63018, 20429, 14107})
NOT_LET_IN = frozenset(
    {401, 403, 404, 429}
)  # wrong key, suspended or unknown account, too fast: an operator can mend it


@dataclass(frozen=True, slots=True)
class SentMessage:
    """A message as the provider lists it."""

    sid: str
    text: str
    created_at: datetime
    status: str
    error_code: int | None = None


def connect(account_sid: str, auth_token: str, base_url: str | None = None, timeout_s: float = TIMEOUT_S) -> Client:
    """A client that makes one attempt per request. `base_url` replaces Twilio's own addresses.

    No connection is kept open: a request on one that the other side has just closed would end in "unknown".
    """
    client = Client(account_sid, auth_token, http_client=TwilioHttpClient(timeout=timeout_s, pool_connections=False))
    if base_url:
        client.api.base_url = base_url
        client.content.base_url = base_url
    return client


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
        with _requests_that_matter():
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
        with _harmless_requests():
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
        with _harmless_requests():
            listed = self._client.content.v1.content_and_approvals.list()
        return {
            one.friendly_name: one.sid
            for one in listed
            if one.sid and one.friendly_name and (one.approval_requests or {}).get("status") == "approved"
        }


@contextmanager
def _requests_that_matter() -> Iterator[None]:
    """Sorts the failures of a request that sends something. Nothing of the provider's wording is kept: it repeats
    phone numbers, and these errors are logged."""
    try:
        yield
    except (TwilioRestException, TwilioServiceException) as error:
        raise _judged(error.status, error.code) from None
    except requests.RequestException as error:
        if _never_left(error):
            raise ProviderDown("no connection to Twilio") from None
        raise ProviderUncertain(f"Twilio did not answer ({type(error).__name__})") from None
    except (TwilioException, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ProviderUncertain(f"Twilio's answer could not be read ({type(error).__name__})") from None


@contextmanager
def _harmless_requests() -> Iterator[None]:
    """The same for a request that only reads: an unknown end is as good as none, it may be asked again."""
    try:
        with _requests_that_matter():
            yield
    except ProviderUncertain as error:
        raise ProviderDown(str(error), provider_code=error.provider_code) from None


def _judged(status: int, code: object) -> ProviderError:
    number = _number(code)
    said = f"Twilio answered {status}" + (f", error {number}" if number not in (None, status) else "")
    if status in NOT_LET_IN or number in RATE_LIMITED:
        return ProviderDown(said, provider_code=number)
    if status >= 500 or status == 408:  # it may have accepted the message and then failed
        return ProviderUncertain(said, provider_code=number)
    return ProviderRefused(said, provider_code=number)


def _never_left(error: requests.RequestException) -> bool:
    """Whether the connection was never made, so that nothing can have been accepted."""
    if isinstance(error, requests.ConnectTimeout | requests.exceptions.ProxyError):
        return True
    cause = error.args[0] if error.args else None
    reason = getattr(cause, "reason", cause)
    return isinstance(reason, urllib3.exceptions.NewConnectionError | urllib3.exceptions.ConnectTimeoutError)


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
