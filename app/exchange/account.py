"""The account that owns the exchange's numbers, and the exchange's wall clock and identifiers."""

from __future__ import annotations

import asyncio
import hmac
import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

API_VERSION = "2010-04-01"


@dataclass(frozen=True, slots=True)
class Number:
    """One of the account's numbers and where its calls and messages are answered."""

    e164: str
    voice_url: str = ""
    voice_method: str = "POST"
    voice_fallback_url: str = ""
    status_callback: str = ""
    status_callback_events: tuple[str, ...] = ("completed",)
    message_url: str = ""
    whatsapp: bool = False


@dataclass(frozen=True, slots=True)
class Account:
    """`token` signs webhooks and opens the API. `keys` are further API keys with their secrets."""

    sid: str = "AC" + "0" * 31 + "1"
    token: str = "0123456789abcdef0123456789abcdef"  # noqa: S105  opens nothing but this exchange
    keys: Mapping[str, str] = field(default_factory=dict)

    def admits(self, user: str, password: str) -> bool:
        secret = self.token if user == self.sid else self.keys.get(user, "")
        return bool(secret) and hmac.compare_digest(secret.encode(), password.encode())


class Clock:
    """The date and time of day at the exchange: where it was opened, plus the time of the event loop since."""

    def __init__(self, opened_at: datetime) -> None:
        self._opened_at = opened_at.astimezone(UTC)
        self._zero = asyncio.get_running_loop().time()

    def now(self) -> datetime:
        return self._opened_at + timedelta(seconds=asyncio.get_running_loop().time() - self._zero)


def rfc2822(moment: datetime | None) -> str | None:
    """As the carrier writes dates: `Fri, 20 Nov 2026 10:00:00 +0000`."""
    return None if moment is None else format_datetime(moment.replace(microsecond=0))


def iso(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


class Sids:
    """Identifiers: two letters and 32 hex digits, the same ones for the same seed."""

    def __init__(self, seed: int | None = None) -> None:
        self._random = random.Random(seed)

    def new(self, prefix: str) -> str:
        return f"{prefix}{self._random.getrandbits(128):032x}"
