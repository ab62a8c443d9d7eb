"""The Seats port over HTTP: asks the serving processes for a seat. Blocking: call it from a thread."""

from __future__ import annotations

from uuid import UUID

import httpx

from app.errors import Busy, ProviderDown
from app.telephony.signature import sign

TIMEOUT_S = 2.0
FORM = {"content-type": "application/x-www-form-urlencoded"}


class ServedSeats:
    """`public_url` is what the carrier calls as well: who keeps the seat is who will answer. `reached_at` is the way
    there from inside, where it is another one; what is signed stays the public address."""

    def __init__(self, public_url: str, token: str, reached_at: str | None = None) -> None:
        self._public_url, self._token, self._reached_at = public_url, token, reached_at or public_url

    def keep(self, attempt: UUID) -> None:
        """Raises Busy when there is none, ProviderDown when nobody says."""
        answer = self._post(f"/internal/seats/{attempt}")
        if answer.status_code == 503:
            raise Busy("there is no seat for another call now")
        if answer.status_code != 204:
            raise ProviderDown(f"the service answered {answer.status_code} when asked for a seat")

    def free(self, attempt: UUID) -> None:
        """A service that cannot be reached frees the seat by itself, a little later."""
        try:
            self._post(f"/internal/seats/{attempt}/free")
        except ProviderDown:
            return

    def _post(self, path: str) -> httpx.Response:
        headers = {**FORM, "x-twilio-signature": sign(self._token, self._public_url + path)}
        try:
            return httpx.post(self._reached_at + path, headers=headers, timeout=TIMEOUT_S)
        except httpx.HTTPError as error:
            raise ProviderDown(f"the service at {self._reached_at} was not reached: {type(error).__name__}") from error
