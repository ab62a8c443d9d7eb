"""A call as the carrier's API knows it: its states, and its JSON.

    queued -> initiated -> ringing -> in-progress -> completed
      |           |           |
      +-----------+-----------+--> busy, no-answer, failed, canceled

`initiated` exists in callbacks only; the API still says `queued`. An inbound call begins at `ringing`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from app.errors import CarrierFault
from app.exchange.account import API_VERSION, rfc2822


class Status(StrEnum):
    QUEUED = "queued"
    INITIATED = "initiated"
    RINGING = "ringing"
    IN_PROGRESS = "in-progress"
    COMPLETED = "completed"
    BUSY = "busy"
    FAILED = "failed"
    NO_ANSWER = "no-answer"
    CANCELED = "canceled"


TERMINAL = frozenset({Status.COMPLETED, Status.BUSY, Status.FAILED, Status.NO_ANSWER, Status.CANCELED})
_UNANSWERED = TERMINAL - {Status.COMPLETED}
MOVES = {
    Status.QUEUED: {Status.INITIATED} | _UNANSWERED,
    Status.INITIATED: {Status.RINGING, Status.IN_PROGRESS} | _UNANSWERED,
    Status.RINGING: {Status.IN_PROGRESS} | _UNANSWERED,
    Status.IN_PROGRESS: {Status.COMPLETED},
}

# The subscription under which each state is reported.
EVENT_OF = {Status.INITIATED: "initiated", Status.RINGING: "ringing", Status.IN_PROGRESS: "answered"}
EVENTS = ("initiated", "ringing", "answered", "completed")
SIP = {Status.COMPLETED: "200", Status.BUSY: "486", Status.NO_ANSWER: "480", Status.CANCELED: "487"}


@dataclass(slots=True)
class Call:
    """Everything the API tells about a call. `status` changes through `move` only."""

    sid: str
    account_sid: str
    to: str
    from_: str
    direction: str  # inbound | outbound-api | outbound-dial
    created_at: datetime
    status: Status = Status.QUEUED
    parent_sid: str | None = None
    number_sid: str | None = None
    answered_by: str | None = None
    forwarded_from: str | None = None
    caller_name: str | None = None
    queue_ms: int = 0
    started_at: datetime | None = None
    ended_at: datetime | None = None
    updated_at: datetime | None = None
    history: list[tuple[Status, datetime]] = field(default_factory=list)

    def move(self, status: Status, at: datetime) -> None:
        """Raises CarrierFault 21220 for a move the states do not allow; a terminal state is final."""
        if status not in MOVES.get(self.status, ()):
            raise CarrierFault(21220, f"a call that is {self.status} cannot become {status}")
        self.status, self.updated_at = status, at
        self.history.append((status, at))
        if status is Status.IN_PROGRESS:
            self.started_at = at
        if status in TERMINAL:
            self.started_at = self.started_at or at
            self.ended_at = at

    @property
    def over(self) -> bool:
        return self.status in TERMINAL

    @property
    def seconds(self) -> int:
        """From answer to end, rounded; 0 when it was never answered."""
        if self.ended_at is None or self.started_at is None:
            return 0
        return round((self.ended_at - self.started_at).total_seconds())

    @property
    def uri(self) -> str:
        return f"/{API_VERSION}/Accounts/{self.account_sid}/Calls/{self.sid}.json"

    def json(self) -> dict[str, Any]:
        """The REST resource: every number a string or null."""
        below = self.uri.removesuffix(".json")
        return {
            "sid": self.sid,
            "account_sid": self.account_sid,
            "parent_call_sid": self.parent_sid,
            "to": self.to,
            "from": self.from_,
            "to_formatted": formatted(self.to),
            "from_formatted": formatted(self.from_),
            "phone_number_sid": self.number_sid,
            "status": Status.QUEUED if self.status is Status.INITIATED else self.status,
            "start_time": rfc2822(self.started_at),
            "end_time": rfc2822(self.ended_at),
            "duration": str(self.seconds) if self.over else None,
            "price": None,
            "price_unit": "USD",
            "direction": self.direction,
            "answered_by": self.answered_by,
            "api_version": API_VERSION,
            "forwarded_from": self.forwarded_from,
            "group_sid": None,
            "caller_name": self.caller_name,
            "queue_time": str(self.queue_ms),
            "trunk_sid": None,
            "date_created": rfc2822(self.created_at),
            "date_updated": rfc2822(self.updated_at or self.created_at),
            "uri": self.uri,
            "subresource_uris": {
                name: f"{below}/{path}.json"
                for name, path in (
                    ("recordings", "Recordings"),
                    ("notifications", "Notifications"),
                    ("streams", "Streams"),
                    ("transcriptions", "Transcriptions"),
                    ("events", "Events"),
                )
            },
        }

    def form(self) -> tuple[tuple[str, str], ...]:
        """The parameters every webhook about this call carries."""
        fields = [
            ("CallSid", self.sid),
            ("AccountSid", self.account_sid),
            ("ApiVersion", API_VERSION),
            ("From", self.from_),
            ("To", self.to),
            ("Caller", self.from_),
            ("Called", self.to),
            ("CallStatus", str(self.status)),
            ("Direction", self.direction),
        ]
        for side, number in (("From", self.from_), ("To", self.to), ("Caller", self.from_), ("Called", self.to)):
            country = "US" if number.startswith("+1") else ""
            fields += [(f"{side}City", ""), (f"{side}State", ""), (f"{side}Zip", ""), (f"{side}Country", country)]
        optional = (
            ("ParentCallSid", self.parent_sid),
            ("ForwardedFrom", self.forwarded_from),
            ("CallerName", self.caller_name),
            ("AnsweredBy", self.answered_by),
        )
        fields += [(name, value) for name, value in optional if value]
        if self.direction == "inbound" and self.from_.startswith("+1"):
            fields.append(("StirVerstat", "TN-Validation-Passed-A"))
        return tuple(fields)


def formatted(number: str) -> str:
    """North American numbers as `(202) 555-0100`; others as they are."""
    if len(number) == 12 and number.startswith("+1"):
        return f"({number[2:5]}) {number[5:8]}-{number[8:]}"
    return number
