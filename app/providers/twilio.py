"""The Carrier port over Twilio: place a call, end a call, and two look-ups. Blocking: call it from a thread.

Only app/calling.py places calls, and only after the gate; a test of the import graph keeps it so.
Source: Call and IncomingPhoneNumber resources and error list of the Twilio documentation.
"""

from __future__ import annotations

from datetime import datetime
from urllib.parse import quote

from twilio.rest import Client

from app.errors import BadSetting, ProviderError, ProviderUncertain
from app.providers.twilio_client import harmless_requests, requests_that_matter

RING_S = 25
LEAST_RING_S = 15  # C09: nobody's phone stops ringing before (47 CFR 64.1200(a)(6), 16 CFR 310.4(b)(4)(ii))
EVENTS = ["initiated", "ringing", "answered", "completed"]
ALREADY_OVER = frozenset({21220, 20404})
# Asks Twilio to repeat a callback that failed; a fragment is neither sent nor signed.
RETRY = "#rc=4&rp=ct,rt,5xx"


class TwilioCarrier:
    """`public_url` is where Twilio reaches us; `limit_s` (seconds) ends any call, whatever happens to us. With
    `detects_machines` Twilio's own detector listens as well, beside the call and never before it (it costs extra).
    Raises BadSetting when phones should ring for less than 15 s."""

    def __init__(
        self,
        client: Client,
        *,
        public_url: str,
        limit_s: int = 1800,
        ring_s: int = RING_S,
        detects_machines: bool = False,
    ) -> None:
        if ring_s < LEAST_RING_S:
            raise BadSetting(f"STROWGER_RING_S is {ring_s}: a phone must ring for at least {LEAST_RING_S} s.")
        self._ring_s = ring_s
        self._detects_machines = detects_machines
        self._client = client
        self._public_url = public_url
        self._limit_s = limit_s

    def place(self, *, to: str, sender: str, reference: str) -> str:
        """The call's sid. `reference` is the reserved attempt: it comes back with every webhook of this call."""
        query = f"?attempt={quote(reference, safe='')}"
        detector: dict[str, str] = {}
        if self._detects_machines:
            detector = {
                "machine_detection": "Enable",
                "async_amd": "true",
                "async_amd_status_callback": f"{self._public_url}/twilio/amd{query}{RETRY}",
            }
        with requests_that_matter():
            call = self._client.calls.create(
                to=to,
                from_=sender,
                url=f"{self._public_url}/twilio/voice{query}",
                status_callback=f"{self._public_url}/twilio/status{query}{RETRY}",
                status_callback_event=EVENTS,
                timeout=self._ring_s,
                time_limit=self._limit_s,
                **detector,
            )
        if not call.sid:
            raise ProviderUncertain("the call was accepted without an id")
        return str(call.sid)

    def hang_up(self, call_sid: str) -> None:
        """A call that is already over is what was asked for."""
        try:
            with requests_that_matter():
                self._client.calls(call_sid).update(status="completed")
        except ProviderError as error:
            if error.provider_code not in ALREADY_OVER:
                raise

    def placed(self, *, to: str, sender: str, since: datetime) -> tuple[str, ...]:
        """The calls from `sender` to this person since then, newest first: what became of an unanswered `place`."""
        with harmless_requests():
            found = self._client.calls.list(to=to, from_=sender, start_time_after=since, limit=20)
        return tuple(str(call.sid) for call in found if call.sid)

    def voice_url(self, number: str) -> str | None:
        """What Twilio calls when `number` rings; None when the account has no such number."""
        with harmless_requests():
            found = self._client.incoming_phone_numbers.list(phone_number=number, limit=1)
        return str(found[0].voice_url or "") if found else None
