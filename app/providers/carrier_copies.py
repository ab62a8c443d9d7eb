"""What the carrier keeps of a person, deleted there: recordings of a call, the text of a message (C43).

Source: twilio.com/docs/voice/api/recording (delete), /docs/messaging/api/message-resource (delete).
"""

from __future__ import annotations

from collections.abc import Callable

from twilio.base.exceptions import TwilioRestException
from twilio.rest import Client

from app.providers.twilio_client import harmless_requests

GONE = 404


class CarrierCopies:
    """Each deletion may be asked for again: what is gone stays gone. Make one per process."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def forget_call(self, call_sid: str) -> int:
        """How many recordings of the call went. Raises ProviderDown, ProviderRefused."""
        with harmless_requests():
            found = [one.sid for one in self._client.recordings.list(call_sid=call_sid) if one.sid]
        return sum(self._gone(self._client.recordings(sid).delete) for sid in found)

    def forget_message(self, sid: str) -> int:
        """0 when the carrier did not have it any more. Raises ProviderDown, ProviderRefused."""
        return int(self._gone(self._client.messages(sid).delete))

    def _gone(self, delete: Callable[[], object]) -> bool:
        with harmless_requests():
            try:
                delete()
            except TwilioRestException as error:
                if error.status != GONE:
                    raise
                return False
        return True
