"""Which calls there are, whether there is room for another, and when this process may leave.

A call holds its seat from the ring, so that nobody is accepted and then dropped (P8), until its conversation is over;
one that we place has been promised it before that, under the name of its attempt (C09).
It stays on the board a little longer: after our goodbye the carrier still asks what comes next, and must be answered.
Where several processes share a port, a call's webhooks and its media socket come to any of them: each tells the others
what changes on its board, and shows theirs beside its own. All methods run on the event loop; `clock` is its time in
seconds.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

from app import observe
from app.api.news import (
    AnswerReported,
    AskedToEnd,
    ChangedHands,
    Joined,
    Lost,
    News,
    PassedOn,
    Seated,
    Standing,
    Vacated,
)
from app.api.room import Room
from app.call.setup import CallNews
from app.dialog.events import CarrierReport, Entry, HandedBack, Overheard, TakenOver, Whispered
from app.phone.patch import Patch
from app.store.calls import CallRow

RING_S = 75.0  # a media token lives 60 s; a seat nobody came to is free after that
PROMISED_S = 60.0  # a call is placed, rings for 25 s and is answered: a promised seat is free after that
FAREWELL_S = 5.0  # from the end of the conversation until the carrier has asked what comes next


class Stage(StrEnum):
    RINGING = "ringing"
    TALKING = "talking"
    LEAVING = "leaving"


@dataclass(slots=True)
class _Seat:
    stage: Stage
    since: float
    until: float | None
    end_reason: str | None = None
    end_now: Callable[[str], None] | None = None
    report: Callable[[CallNews], None] | None = None
    patch: Patch | None = None
    place: int | None = None  # of the process that reserved it or talks; None is this one
    over: asyncio.Event = field(default_factory=asyncio.Event)


class Switchboard:
    """`room` is this process's; `tell` reaches the other processes behind the same port; `logged` hears of each entry
    of a call's log as it is made, and must neither wait nor fail."""

    def __init__(
        self,
        room: Room,
        clock: Callable[[], float],
        tell: Callable[[News], None] = lambda news: None,
        logged: Callable[[CallRow, Entry], None] = lambda call, entry: None,
    ) -> None:
        self._room = room
        self._clock = clock
        self._tell = tell
        self.logged = logged
        self.freed: Callable[[str], None] = lambda call_sid: None  # hears of each call that will not come to talk here
        self._calls: dict[str, _Seat] = {}
        self._others: dict[int, Standing] = {}
        self._draining = False

    def now(self) -> float:
        """Seconds on the event loop's clock."""
        return self._clock()

    @property
    def draining(self) -> bool:
        return self._draining

    def drain(self) -> None:
        """No new call from now on. Safe to call from a signal handler."""
        self._draining = True

    def live(self) -> int:
        """Calls that this process must still stay for: everybody's, whose webhooks may come to any."""
        self._sweep()
        return len(self._calls)

    def talking(self) -> tuple[str, ...]:
        """The conversations of this process."""
        return tuple(sid for sid, seat in self._calls.items() if seat.stage is Stage.TALKING and seat.place is None)

    @property
    def capacity(self) -> int:
        """Calls at once that this process has room for."""
        return self._room.capacity

    def standing(self, *, ready: bool) -> Standing:
        return Standing(len(self.talking()), self._has_room(), ready)

    def paced(self, late_ms: float) -> None:
        """The pacer has served all its lines once, the last of them so late."""
        self._room.paced(late_ms, self._clock())

    def why_not(self, call_sid: str) -> str | None:
        """None when this call may have a seat: "draining" or "full" otherwise. A call that has one keeps it."""
        self._sweep()
        if call_sid in self._calls:
            return None
        if self._draining:
            return "draining"
        if self._has_room() or any(other.room for other in self._others.values()):
            return None
        return "full"

    def taken(self) -> int:
        """Seats of this process. Who rings is counted where it was answered, though it may come to talk in another."""
        self._sweep()
        return sum(seat.stage is not Stage.LEAVING and seat.place is None for seat in self._calls.values())

    def _has_room(self) -> bool:
        return self._room.why_not(self.taken()) is None

    def promise(self, attempt: str) -> str | None:
        """Keeps a seat for a call that is about to be placed; else the reason as in `why_not`, and no seat."""
        if reason := self.why_not(attempt):
            return reason
        now = self._clock()
        self._seat(attempt, _Seat(Stage.RINGING, now, now + PROMISED_S))
        return None

    def came(self, attempt: str, call_sid: str) -> None:
        """The call of this attempt is here: it takes the seat that was promised, if it still is."""
        self._sweep()
        if attempt in self._calls:
            self.reserve(call_sid)
            self.gone(attempt)

    def reserve(self, call_sid: str) -> None:
        """The phone rings, or a lost stream is about to be opened again: keep a seat while the carrier connects."""
        seat = self._calls.get(call_sid)
        now = self._clock()
        if seat is None:
            self._seat(call_sid, _Seat(Stage.RINGING, now, now + RING_S))
            observe.CALLS_ADMITTED.inc()
        elif seat.stage is not Stage.TALKING:
            self._seat(call_sid, _Seat(Stage.RINGING, seat.since, now + RING_S, over=seat.over))

    def connected(
        self,
        call_sid: str,
        end_now: Callable[[str], None],
        report: Callable[[CallNews], None] | None = None,
        patch: Patch | None = None,
    ) -> None:
        """The conversation begins. `end_now(reason)` asks it to say goodbye; `report` passes on what the carrier says
        of it and what people of ours do; by `patch` they listen and speak."""
        now = self._clock()
        before = self._calls.get(call_sid)
        if before is not None and before.stage is Stage.RINGING:
            observe.CALL_SETUP_SECONDS.observe(now - before.since)
        self._seat(call_sid, _Seat(Stage.TALKING, now, None, end_now=end_now, report=report, patch=patch))

    def report(self, call_sid: str, report: CarrierReport) -> None:
        """To the conversation, in whichever process it is still going on."""
        seat = self._calls.get(call_sid)
        if seat is None or seat.stage is not Stage.TALKING:
            return
        if seat.report is not None:
            seat.report(report)
        elif seat.place is not None:
            self._tell(AnswerReported(call_sid, report.answered_by))

    def patch(self, call_sid: str) -> Patch | None:
        """None for a call that this process does not hold now."""
        seat = self._calls.get(call_sid)
        return seat.patch if seat is not None and seat.stage is Stage.TALKING else None

    def held_at(self, call_sid: str) -> int | None:
        """The place of the process that this call talks in; None where that is this one, or none behind this port."""
        seat = self._calls.get(call_sid)
        return seat.place if seat is not None and seat.stage is Stage.TALKING else None

    def knows(self, call_sid: str) -> bool:
        """Whether this call rings, talks or leaves in a process behind this port."""
        self._sweep()
        return call_sid in self._calls

    def tell(self, call_sid: str, news: TakenOver | HandedBack | Whispered | Overheard) -> bool:
        """To the conversation, in whichever process it is; what was overheard only where its sound is. False when
        nobody holds it."""
        seat = self._calls.get(call_sid)
        if seat is None or seat.stage is not Stage.TALKING:
            return False
        if seat.report is not None:
            seat.report(news)
            return True
        if seat.place is None or isinstance(news, Overheard):
            return False
        if isinstance(news, Whispered):
            self._tell(PassedOn(call_sid, news.who, news.text))
        else:
            self._tell(ChangedHands(call_sid, news.who, isinstance(news, TakenOver)))
        return True

    def end(self, call_sid: str, reason: str) -> bool:
        """Asks the conversation to say goodbye, in whichever process it is. False when nobody holds it."""
        seat = self._calls.get(call_sid)
        if seat is None or seat.stage is not Stage.TALKING:
            return False
        if seat.end_now is not None:
            seat.end_now(reason)
        elif seat.place is not None:
            self._tell(AskedToEnd(call_sid, reason))
        else:
            return False
        return True

    def left(self, call_sid: str, reason: str) -> None:
        """The conversation is over; `reason` as in `CallEnded`."""
        now = self._clock()
        if before := self._calls.get(call_sid):
            before.over.set()
        self._seat(call_sid, _Seat(Stage.LEAVING, now, now + FAREWELL_S, end_reason=reason))
        observe.CALLS_ENDED.labels(reason).inc()

    def gone(self, call_sid: str) -> None:
        """The carrier says the leg is over, or was told to hang up."""
        self.freed(call_sid)
        seat = self._calls.get(call_sid)
        if seat is not None and seat.stage is not Stage.TALKING:
            del self._calls[call_sid]
            self._tell(Vacated(call_sid))
            self._report()

    def end_reason(self, call_sid: str) -> str | None:
        """How the conversation ended, if it was here and ended just now."""
        seat = self._calls.get(call_sid)
        return seat.end_reason if seat else None

    def is_talking(self, call_sid: str) -> bool:
        seat = self._calls.get(call_sid)
        return seat is not None and seat.stage is Stage.TALKING

    async def wait_over(self, call_sid: str, patience_s: float) -> bool:
        """True once no conversation of this call is going on. The carrier may ask what comes next before ours is
        wound up; one whose line is dead without our knowing is told so, and then waited for once more."""
        for last in (False, True):
            seat = self._calls.get(call_sid)
            if seat is None or seat.stage is not Stage.TALKING:
                return True
            if last:
                self._end_now(call_sid, "media_lost")
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(patience_s):
                    await seat.over.wait()
        return not self.is_talking(call_sid)

    def end_all(self, reason: str) -> None:
        """Every conversation of this process says goodbye now."""
        for call_sid in self.talking():
            self._end_now(call_sid, reason)

    # --- the other processes ---

    def told(self, place: int, news: News) -> None:
        """Something changed in the process at `place`."""
        match news:
            case Seated(call_sid, stage, for_s, end_reason):
                self._seat_elsewhere(call_sid, Stage(stage), for_s, end_reason, place)
            case Vacated(call_sid):
                self.freed(call_sid)
                seat = self._calls.get(call_sid)
                if seat is not None and seat.stage is not Stage.TALKING:
                    del self._calls[call_sid]
            case AskedToEnd() | PassedOn() | ChangedHands():
                self.asked(news)
            case AnswerReported(call_sid, answered_by):
                if self._is_mine(call_sid):
                    self.report(call_sid, CarrierReport(answered_by))
            case Standing():
                self._others[place] = news
            case Joined():
                for call_sid, seat in self._calls.items():
                    if seat.place is None:
                        self._announce(call_sid, seat)
            case Lost():
                self._lose(place)
        self._report()

    def asked(self, news: AskedToEnd | PassedOn | ChangedHands) -> bool:
        """By another process, on this machine or another. False when the conversation is not in this one."""
        if not self._is_mine(news.call_sid):
            return False
        match news:
            case AskedToEnd(call_sid, reason):
                return self.end(call_sid, reason)
            case PassedOn(call_sid, who, text):
                return self.tell(call_sid, Whispered(who, text))
            case ChangedHands(call_sid, who, taken):
                return self.tell(call_sid, TakenOver(who) if taken else HandedBack(who))

    def _seat_elsewhere(
        self, call_sid: str, stage: Stage, for_s: float | None, end_reason: str | None, place: int
    ) -> None:
        now, before = self._clock(), self._calls.get(call_sid)
        over = before.over if before else asyncio.Event()
        until = None if for_s is None else now + for_s
        self._calls[call_sid] = _Seat(stage, now, until, end_reason, place=place, over=over)
        if stage is not Stage.RINGING:
            self.freed(call_sid)
        if stage is Stage.LEAVING:
            over.set()

    def _lose(self, place: int) -> None:
        """The carrier finds those sockets closed and asks us what comes next: as after any lost stream (F21)."""
        self._others.pop(place, None)
        for call_sid, seat in list(self._calls.items()):
            if seat.place == place and seat.stage is Stage.TALKING:
                self._seat_elsewhere(call_sid, Stage.LEAVING, FAREWELL_S, "media_lost", place)

    def _seat(self, call_sid: str, seat: _Seat) -> None:
        self._calls[call_sid] = seat
        self._announce(call_sid, seat)
        self._report()

    def _announce(self, call_sid: str, seat: _Seat) -> None:
        for_s = None if seat.until is None else seat.until - self._clock()
        self._tell(Seated(call_sid, seat.stage.value, for_s, seat.end_reason))

    def _end_now(self, call_sid: str, reason: str) -> None:
        seat = self._calls[call_sid]
        if seat.end_now is not None:
            seat.end_now(reason)
        elif seat.place is not None:
            self._tell(AskedToEnd(call_sid, reason))

    def _is_mine(self, call_sid: str) -> bool:
        seat = self._calls.get(call_sid)
        return seat is not None and seat.place is None

    def _sweep(self) -> None:
        now = self._clock()
        for call_sid in [sid for sid, seat in self._calls.items() if seat.until is not None and seat.until <= now]:
            del self._calls[call_sid]
        self._report()

    def _report(self) -> None:
        mine = [seat for seat in self._calls.values() if seat.place is None]
        observe.CALLS_ACTIVE.set(sum(seat.stage is not Stage.LEAVING for seat in mine))
        observe.DRAIN_REMAINING.set(len(mine) if self._draining else 0)
