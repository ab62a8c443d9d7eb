"""Conference rooms: who is in them, who hears whom, and what is told about it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from app.errors import CarrierFault
from app.exchange.account import API_VERSION, Sids, rfc2822
from app.exchange.edges import Form
from app.exchange.sound import QUIET, mix
from app.exchange.verbs import DialConference


class Voice(Protocol):
    """A leg, as far as a room cares."""

    said: bytes

    def hearing(self, source: Callable[[], bytes]) -> AbstractContextManager[None]: ...


Tell = Callable[[str, Form], None]


@dataclass(eq=False, slots=True)
class Member:
    """`done` is set with the reason when the member has to leave. A member on hold neither speaks nor hears."""

    call_sid: str
    voice: Voice
    terms: DialConference
    joined_at: datetime
    done: asyncio.Future[str]
    label: str = ""
    muted: bool = False
    hold: bool = False
    coaching: bool = False
    coached: str = ""


@dataclass(eq=False, slots=True)
class Room:
    """One conference, from the first to the last member. It is silent until a member with start_on_enter comes."""

    sid: str
    account_sid: str
    name: str
    created_at: datetime
    tell: Tell
    now: Callable[[], datetime]
    members: list[Member] = field(default_factory=list)
    status: str = "init"  # init | in-progress | completed
    ended_by: str = ""
    _url: str = ""
    _events: tuple[str, ...] = ()
    _sequence: int = 0

    def join(self, member: Member) -> None:
        """Raises CarrierFault 16025 when the label is taken."""
        if member.label and any(other.label == member.label for other in self.members):
            raise CarrierFault(16025, f"a participant labelled {member.label!r} is already in the conference")
        if not self._url and member.terms.status_callback:
            self._url, self._events = member.terms.status_callback, member.terms.status_callback_events
        self.members.append(member)
        self.report("participant-join", member)
        if self.status == "init" and member.terms.start_on_enter:
            self.status = "in-progress"
            self.report("conference-start")

    def leave(self, member: Member) -> None:
        self.members.remove(member)
        reason = member.done.result() if member.done.done() else "participant_hung_up"
        self.report("participant-leave", member, (("ReasonParticipantLeft", reason),))
        if member.terms.end_on_exit:
            self.ended_by = self.ended_by or member.call_sid
            self.dismiss("moderator_ended_conference")
        if not self.members:
            self.status = "completed"
            why = "participant-with-end-conference-on-exit-left" if self.ended_by else "last-participant-left"
            self.ended_by = self.ended_by or member.call_sid
            ended = (("CallSidEndingConference", self.ended_by), ("ReasonConferenceEnded", why))
            self.report("conference-end", None, ended)

    def dismiss(self, reason: str) -> None:
        """Everybody has to leave."""
        for member in self.members:
            if not member.done.done():
                member.done.set_result(reason)

    def heard_by(self, listener: Member) -> bytes:
        """What one member hears in these 20 ms: everybody else, except a coach, whom only the coached hears."""
        if self.status != "in-progress" or listener.hold:
            return QUIET
        return mix(
            other.voice.said
            for other in self.members
            if other is not listener
            and not other.muted
            and not other.hold
            and (not other.coaching or other.coached == listener.call_sid)
        )

    def change(self, member: Member, *, muted: bool | None = None, hold: bool | None = None) -> None:
        if muted is not None and muted != member.muted:
            member.muted = muted
            self.report("participant-mute" if muted else "participant-unmute", member)
        if hold is not None and hold != member.hold:
            member.hold = hold
            self.report("participant-hold" if hold else "participant-unhold", member)

    def report(self, event: str, member: Member | None = None, extra: Form = ()) -> None:
        subject = event.rpartition("-")[2].removeprefix("un")  # unmute is told to those who asked for mute
        if not self._url or subject not in self._events:
            return
        form: Form = (
            ("ConferenceSid", self.sid),
            ("FriendlyName", self.name),
            ("AccountSid", self.account_sid),
            ("SequenceNumber", str(self._sequence)),
            ("Timestamp", rfc2822(self.now()) or ""),
            ("StatusCallbackEvent", event),
        )
        if member is not None:
            form += (
                ("CallSid", member.call_sid),
                ("ParticipantLabel", member.label),
                ("Muted", _word(member.muted)),
                ("Hold", _word(member.hold)),
                ("Coaching", _word(member.coaching)),
                ("StartConferenceOnEnter", _word(member.terms.start_on_enter)),
                ("EndConferenceOnExit", _word(member.terms.end_on_exit)),
            )
        self._sequence += 1
        self.tell(self._url, form + extra)

    @property
    def uri(self) -> str:
        return f"/{API_VERSION}/Accounts/{self.account_sid}/Conferences/{self.sid}"

    def json(self) -> dict[str, Any]:
        return {
            "sid": self.sid,
            "account_sid": self.account_sid,
            "friendly_name": self.name,
            "status": self.status,
            "region": "us1",
            "api_version": API_VERSION,
            "date_created": rfc2822(self.created_at),
            "date_updated": rfc2822(self.created_at),
            "reason_conference_ended": None,
            "call_sid_ending_conference": self.ended_by or None,
            "uri": f"{self.uri}.json",
            "subresource_uris": {"participants": f"{self.uri}/Participants.json"},
        }

    def participant_json(self, member: Member) -> dict[str, Any]:
        return {
            "account_sid": self.account_sid,
            "call_sid": member.call_sid,
            "conference_sid": self.sid,
            "label": member.label or None,
            "muted": member.muted,
            "hold": member.hold,
            "coaching": member.coaching,
            "call_sid_to_coach": member.coached or None,
            "start_conference_on_enter": member.terms.start_on_enter,
            "end_conference_on_exit": member.terms.end_on_exit,
            "status": "connected",
            "queue_time": "0",
            "date_created": rfc2822(member.joined_at),
            "date_updated": rfc2822(member.joined_at),
            "uri": f"{self.uri}/Participants/{member.call_sid}.json",
        }


def _word(flag: bool) -> str:
    return "true" if flag else "false"


class Rooms:
    """A friendly name is unique among conferences that go on; a name used again later is another conference."""

    def __init__(self, account_sid: str, sids: Sids, tell: Tell, now: Callable[[], datetime]) -> None:
        self._account_sid, self._sids, self._tell, self._now = account_sid, sids, tell, now
        self.all: list[Room] = []

    def open(self, name: str) -> Room:
        room = self.find(name)
        if room is None:
            room = Room(self._sids.new("CF"), self._account_sid, name, self._now(), self._tell, self._now)
            self.all.append(room)
        return room

    def find(self, name_or_sid: str) -> Room | None:
        for room in self.all:
            if room.sid == name_or_sid or (room.name == name_or_sid and room.status != "completed"):
                return room
        return None
