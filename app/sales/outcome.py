"""How a call ended, as one value derived from its log."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Result(StrEnum):
    """What the call achieved, best first where several hold: an opt-out beats everything."""

    OPTED_OUT = "opted_out"
    BOOKED = "booked"
    HUMAN_REQUESTED = "human_requested"
    QUALIFIED = "qualified"
    CONVERSED = "conversed"
    SILENT = "silent"
    ABANDONED = "abandoned"
    PROVIDER_OUTAGE = "provider_outage"
    MEDIA_LOST = "media_lost"


@dataclass(frozen=True, slots=True)
class Outcome:
    """`facts` are the learned ones; `follow_up` is the promised template or None; times in milliseconds."""

    call_sid: str
    result: Result
    reason: str
    facts: Mapping[str, str] = field(default_factory=dict)
    appointment: str | None = None
    follow_up: str | None = None
    whatsapp_consent: str | None = None
    turns: int = 0
    interruptions: int = 0
    duration_ms: int = 0
    reply_p50_ms: int | None = None
    reply_p95_ms: int | None = None
