"""The public keys of an issuer, fetched when they are needed and kept for a while."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import httpx
import jwt

from app import observe
from app.errors import ProviderDown

log = observe.log(__name__)

FRESH_S = 600.0  # a key that was withdrawn is believed no longer than this
STALE_S = 86_400.0  # while the issuer cannot be reached
AGAIN_S = 30.0  # between two fetches, whatever key ids people send
TIMEOUT_S = 3.0
MOST_BYTES = 64 * 1024


class KeySet:
    """`url` is configured, never taken from a token. Raises ProviderDown while no keys are known at all."""

    def __init__(
        self, url: str, clock: Callable[[], float], *, transport: httpx.AsyncBaseTransport | None = None
    ) -> None:
        self._url, self._clock, self._transport = url, clock, transport
        self._keys: dict[str, jwt.PyJWK] = {}
        self._fetched_at = self._tried_at = float("-inf")
        self._one_at_a_time = asyncio.Lock()

    async def key(self, kid: str) -> jwt.PyJWK | None:
        """None for a key id the issuer does not have."""
        now = self._clock()
        if kid not in self._keys or now - self._fetched_at > FRESH_S:
            async with self._one_at_a_time:
                if self._clock() - self._tried_at > AGAIN_S:
                    await self._fetch()
        if self._clock() - self._fetched_at > STALE_S:
            raise ProviderDown("the keys of the sign-in service cannot be fetched")
        return self._keys.get(kid)

    async def _fetch(self) -> None:
        self._tried_at = self._clock()
        try:
            async with (
                httpx.AsyncClient(
                    timeout=TIMEOUT_S, follow_redirects=False, transport=self._transport, trust_env=False
                ) as client,
                client.stream("GET", self._url) as answer,
            ):
                answer.raise_for_status()
                body = b""
                async for piece in answer.aiter_bytes():
                    body += piece
                    if len(body) > MOST_BYTES:
                        raise ValueError("too long")
            found = json.loads(body)["keys"]
            self._keys = {key["kid"]: jwt.PyJWK(key) for key in found if _for_signatures(key)}
            self._fetched_at = self._clock()
        except (httpx.HTTPError, ValueError, KeyError, TypeError, jwt.PyJWTError) as error:
            log.warning("signing keys not fetched", error=type(error).__name__)


def _for_signatures(key: Any) -> bool:
    return isinstance(key, dict) and isinstance(key.get("kid"), str) and key.get("use", "sig") == "sig"
