"""Signed webhooks: how often they are tried, in which order they come, and what is done when none works.

A URL may carry its own connection rules in the fragment, which is neither sent nor signed:
`https://h/p#rc=2&rp=ct,rt,5xx&ct=2000&rt=8000&tt=15000`. Without them one retry follows a failure to connect, and
nothing else. Source: Twilio, "Webhooks connection overrides".
"""

from __future__ import annotations

import asyncio
import random
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from urllib.parse import parse_qsl, urldefrag, urlencode, urlsplit

from app.errors import CarrierFault
from app.exchange.account import Account
from app.exchange.edges import Form, Reply, Request, Webhooks
from app.exchange.faults import Faults
from app.telephony.signature import sign

_READABLE = {"text/xml", "application/xml", "text/html"}


@dataclass(frozen=True, slots=True)
class Rules:
    """Times in milliseconds; `on` holds any of 4xx, 5xx, ct (connect), rt (read)."""

    connect_ms: int = 5_000
    read_ms: int = 15_000
    total_ms: int = 15_000
    retries: int = 1
    on: frozenset[str] = frozenset({"ct"})

    def repeats(self, reply: Reply) -> bool:
        kind = reply.failure or {4: "4xx", 5: "5xx"}.get(reply.status // 100, "")
        return kind in self.on


def rules_of(url: str, usual: Rules | None = None) -> tuple[str, Rules]:
    """The URL without its fragment, and the rules in it; a number out of range is moved to the nearest allowed."""
    bare, fragment = urldefrag(url)
    rules = usual or Rules()
    for key, value in parse_qsl(fragment):
        number = int(value) if value.isdigit() else -1
        match key:
            case "ct" if number >= 0:
                rules = replace(rules, connect_ms=min(max(number, 100), 10_000))
            case "rt" if number >= 0:
                rules = replace(rules, read_ms=min(max(number, 100), 15_000))
            case "tt" if number >= 0:
                rules = replace(rules, total_ms=min(max(number, 100), 15_000))
            case "rc" if number >= 0:
                rules = replace(rules, retries=min(number, 5))
            case "rp":
                wanted = set(value.split(","))
                rules = replace(rules, on=frozenset({"4xx", "5xx", "ct", "rt"} if "all" in wanted else wanted))
    return bare, rules


class Courier:
    """Carries webhooks for one account."""

    def __init__(self, account: Account, webhooks: Webhooks, token: Callable[[], str]) -> None:
        self._account = account
        self._webhooks = webhooks
        self._token = token  # makes idempotency tokens

    async def send(self, url: str, form: Form, method: str = "POST", *, token: str | None = None) -> Reply:
        """The last reply. A retry carries the same idempotency token, so does a duplicate that gives `token`."""
        bare, rules = rules_of(url)
        if method == "GET" and form:
            bare, form = _with_query(bare, form), ()
        request = Request(
            bare,
            form,
            self._headers(bare, form, token or self._token()),
            method,
            rules.connect_ms / 1000,
            rules.read_ms / 1000,
        )
        reply = Reply(failure="rt")
        try:
            async with asyncio.timeout(rules.total_ms / 1000):
                for _ in range(1 + rules.retries):
                    reply = await self._webhooks.send(request)
                    if not rules.repeats(reply):
                        break
        except TimeoutError:
            pass
        return reply

    async def document(self, url: str, form: Form, method: str = "POST", fallback: str = "") -> tuple[str, str]:
        """The TwiML text and the URL it came from. Raises CarrierFault 11200, 11205 or 12300 when there is none."""
        try:
            return await self._document(url, form, method), url
        except CarrierFault as fault:
            if not fallback:
                raise
            why = (("ErrorCode", str(fault.number)), ("ErrorUrl", urldefrag(url).url))
            return await self._document(fallback, form + why, "POST"), fallback

    async def fetch(self, url: str) -> Reply:
        """A file, for <Play>."""
        return await self.send(url, (), "GET")

    async def _document(self, url: str, form: Form, method: str) -> str:
        if urlsplit(url).scheme not in {"http", "https"}:
            raise CarrierFault(11100, f"not a URL that can be fetched: {url!r}")
        reply = await self.send(url, form, method)
        if reply.failure == "ct":
            raise CarrierFault(11205, f"no connection to {url}")
        if reply.failure or reply.status // 100 != 2:
            raise CarrierFault(11200, f"{url} answered {reply.status or 'nothing'}")
        if reply.body and reply.kind not in _READABLE:
            raise CarrierFault(12300, f"{url} answered with {reply.kind or 'no content type'}")
        return reply.text

    def _headers(self, url: str, form: Form, token: str) -> Mapping[str, str]:
        return {
            "User-Agent": "TwilioProxy/1.1",
            "Content-Type": "application/x-www-form-urlencoded; charset=UTF-8",
            "X-Twilio-Signature": sign(self._account.token, url, form),
            "I-Twilio-Idempotency-Token": token,
            "X-Home-Region": "us1",
            "Accept": "*/*",
        }


def _with_query(url: str, form: Form) -> str:
    return url + ("&" if urlsplit(url).query else "?") + urlencode(form)


class Notices:
    """The callbacks of one call: to each URL in order, unless faults say that they come late, twice or reordered.

    Runs in the call's own task group, which therefore ends only when the last of them is delivered.
    """

    def __init__(self, courier: Courier, group: asyncio.TaskGroup, faults: Faults, dice: random.Random) -> None:
        self._courier, self._group = courier, group
        self._faults, self._dice = faults, dice
        self._turns: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._sent = 0

    def post(self, url: str, form: Form, method: str = "POST") -> None:
        if not url:
            return
        self._sent += 1
        token = f"{self._dice.getrandbits(128):032x}"
        for copy in range(1 + self._faults.duplicate_callbacks):
            delay_s = self._dice.uniform(0, self._faults.late_callbacks_ms) / 1000
            self._group.create_task(
                self._deliver(url, form, method, token, delay_s), name=f"callback {self._sent}.{copy}"
            )

    async def _deliver(self, url: str, form: Form, method: str, token: str, delay_s: float) -> None:
        if delay_s:
            await asyncio.sleep(delay_s)
            await self._courier.send(url, form, method, token=token)
            return
        async with self._turns[url]:
            await self._courier.send(url, form, method, token=token)
