"""What we handed to the carrier and how much of it the caller has heard. No clock: times are arguments, milliseconds.

The carrier plays what it is given, in order, at real time, and echoes a mark when its playing reaches it. We stay a
bounded lead ahead: enough that a late tick is not heard, little enough that silence comes at once and the ledger is
exact. Every piece is followed by a mark named

    g{generation}-{utterance}-{offset_ms}

`clear` begins a new generation: the carrier then echoes the marks of what it threw away, and those prove nothing.

The volume changes in the middle of a word: what the carrier has and the ear has not is taken back and sent again,
softer, from where the ear will be when the carrier hears of it. Held back altogether it waits, and goes on from there.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

from app.ports import Played, Volume
from app.telephony.mulaw import BYTES_PER_MS, FRAME_BYTES, FRAME_MS, SILENCE
from app.telephony.volume import gain, played_at

PIECE_MS = 100
LEAD_MS = 200  # after a tick the lead is between this and this plus one piece
LOW_DB = -24.0  # beside the caller's own voice as good as silence; still one line of speech when it comes back
LOST_MARK_MS = 2000  # a mark this late after its time will not come: then the clock is believed
BEHIND_MS = 4000  # a carrier so far behind gets no more: what waits here can be taken back at once (F17)
GIVEN_UP_MS = 15_000  # unless its marks have stopped for good, and the sound perhaps has not
_REMEMBERED = 8  # changes of volume that may still be on their way to the ear

_GAINS = {Volume.FULL: 1.0, Volume.LOW: gain(LOW_DB), Volume.HELD: 0.0}


@dataclass(frozen=True, slots=True)
class Piece:
    """`at_ms` is when the carrier should begin with it, as our clock sees it."""

    mulaw: bytes
    at_ms: float = 0.0


@dataclass(frozen=True, slots=True)
class Mark:
    name: str


@dataclass(slots=True)
class _Utterance:
    number: int
    audio: bytearray = field(default_factory=bytearray)
    sent: int = 0  # bytes
    ended: bool = False
    planned_ms: float = 0.0  # when its first audio should begin at the carrier, as our clock sees it
    began_ms: float | None = None
    heard_ms: int = 0
    ear_ms: int = 0  # where the ear was at `ear_at_ms`: a mark said so, or we sent it there
    ear_at_ms: float = 0.0
    gap_ms: float = 0.0

    @property
    def waiting(self) -> int:
        return len(self.audio) - self.sent

    @property
    def audio_ms(self) -> int:
        return len(self.audio) // BYTES_PER_MS

    def reached_ms(self, now_ms: float) -> int:
        """Where the ear is, by the clock since it was last known; never beyond what was sent."""
        if self.began_ms is None:
            return 0
        return min(self.ear_ms + max(0, int(now_ms - self.ear_at_ms)), self.sent // BYTES_PER_MS)

    def go_on_from(self, ms: int, now_ms: float) -> None:
        """In whole frames: the carrier plays nothing else."""
        self.sent = min(ms // FRAME_MS * FRAME_BYTES, len(self.audio))
        self.ear_ms, self.ear_at_ms = self.sent // BYTES_PER_MS, now_ms

    def played(self) -> Played:
        return Played(self.number, min(self.heard_ms, self.audio_ms), self.audio_ms, round(self.gap_ms))


class Playout:
    """One call's outgoing audio. Utterances are played in the order of their first audio."""

    def __init__(self) -> None:
        self._generation = 1
        self._queue: deque[_Utterance] = deque()
        self._dry_ms = 0.0  # when the carrier has played all it has
        self._done: dict[int, Played] = {}
        self._began: dict[int, float] = {}
        self._volume = Volume.FULL
        self._gains: deque[tuple[float, float]] = deque([(0.0, 1.0)])  # from when, by plan, the ear hears which gain
        # Marks on their way, and when by plan they are reached; a carrier that sends none back fills no memory.
        self._plan: deque[tuple[str, float]] = deque(maxlen=64)
        self._trip_ms: float | None = None  # to the carrier and back, as the fastest mark had it

    @property
    def idle(self) -> bool:
        """Nothing to send and nothing to hear of."""
        return not self._queue

    @property
    def known(self) -> int:
        """Grows with everything that becomes known: that an utterance was begun, that it was played."""
        return len(self._began) + len(self._done)

    def play(self, number: int, mulaw: bytes) -> None:
        """Audio for an utterance that was cut or has ended is dropped."""
        if number in self._done or not mulaw:
            return
        utterance = self._find(number)
        if utterance is None:
            utterance = _Utterance(number)
            self._queue.append(utterance)
        if not utterance.ended:
            utterance.audio += mulaw

    def end(self, number: int) -> None:
        utterance = self._find(number)
        if utterance is None:
            self._done.setdefault(number, Played(number, 0, 0))
        elif not utterance.ended:
            utterance.ended = True
            utterance.audio += bytes([SILENCE]) * (-len(utterance.audio) % FRAME_BYTES)
            self._settle(utterance)

    def due(self, now_ms: float) -> Iterator[Piece | Mark]:
        """What to hand to the carrier now."""
        if self._volume is Volume.HELD or self._behind(now_ms):
            return
        for utterance in tuple(self._queue):
            while utterance.waiting and (size := self._size(utterance, self._dry_ms - now_ms)):
                if utterance.sent == 0 or self._dry_ms <= now_ms:
                    if utterance.sent:
                        utterance.gap_ms += now_ms - self._dry_ms
                    yield self._mark(utterance, max(self._dry_ms, now_ms))
                begins_ms = max(self._dry_ms, now_ms)
                if utterance.sent == 0:
                    utterance.planned_ms = begins_ms
                sound = bytes(utterance.audio[utterance.sent : utterance.sent + size])
                yield Piece(self._at_volume(sound, begins_ms), begins_ms)
                utterance.sent += size
                self._dry_ms = begins_ms + size / BYTES_PER_MS
                yield self._mark(utterance, self._dry_ms)
            if utterance.waiting:
                return
        self._believe_the_clock(now_ms)

    def marked(self, name: str, now_ms: float) -> None:
        """The carrier echoed a mark."""
        generation, _, place = name.partition("-")
        number, _, offset = place.partition("-")
        if generation != f"g{self._generation}" or not (number.isdigit() and offset.isdigit()):
            return
        utterance = self._find(int(number))
        if utterance is None:
            return
        offset_ms = int(offset)
        if utterance.began_ms is None:
            utterance.began_ms = now_ms - offset_ms
            self._began[utterance.number] = utterance.began_ms
        if offset_ms >= utterance.ear_ms:
            utterance.ear_ms, utterance.ear_at_ms = offset_ms, now_ms
            utterance.heard_ms = max(utterance.heard_ms, offset_ms)
        self._time_trip(name, now_ms)
        self._settle(utterance)

    def turn(self, volume: Volume, now_ms: float) -> bool:
        """True when the carrier must first forget what it has. What it has of a soft voice may play out when the voice
        is raised again: that is not worth another seam."""
        was, self._volume = self._volume, volume
        if volume is was:
            return False
        if was is Volume.HELD:
            self._dry_ms = max(self._dry_ms, now_ms)  # a pause we made is no gap
            for utterance in self._queue:
                utterance.ear_at_ms = now_ms
            return False
        if volume is Volume.FULL:
            return False
        self._take_back(now_ms)
        return True

    def held(self) -> Played | None:
        """The utterance that was stopped in its middle and waits, with how much of it was heard."""
        if self._volume is not Volume.HELD or not self._queue or self._queue[0].began_ms is None:
            return None
        return self._queue[0].played()

    def go_back(self, number: int, to_ms: int, now_ms: float) -> None:
        """What is held goes on from an earlier place: the beginning of a word, say."""
        utterance = self._find(number)
        if self._volume is Volume.HELD and utterance is not None and to_ms * BYTES_PER_MS < utterance.sent:
            utterance.go_on_from(to_ms, now_ms)

    def clear(self, now_ms: float) -> tuple[Played, ...]:
        """Forget everything. What was on its way to the ear since the last mark counts by the clock."""
        self._generation += 1
        self._plan.clear()
        self._dry_ms = now_ms
        cut = []
        for utterance in self._queue:
            if self._volume is not Volume.HELD:
                utterance.heard_ms = max(utterance.heard_ms, utterance.reached_ms(now_ms))
            self._done[utterance.number] = utterance.played()
            cut.append(self._done[utterance.number])
        self._queue.clear()
        self._volume = Volume.FULL
        self._gains = deque([(now_ms, 1.0)])
        return tuple(cut)

    def runs_dry_ms(self, now_ms: float) -> float:
        """When the caller will have heard all there is, if nothing is added."""
        waiting = sum(utterance.waiting for utterance in self._queue)
        return max(self._dry_ms, now_ms) + waiting / BYTES_PER_MS

    def played(self, number: int) -> Played | None:
        """None while it is not known."""
        return self._done.get(number)

    def began_ms(self, number: int) -> float | None:
        return self._began.get(number)

    def _find(self, number: int) -> _Utterance | None:
        return next((utterance for utterance in self._queue if utterance.number == number), None)

    def _take_back(self, now_ms: float) -> None:
        """Everything that will not have been played when the carrier forgets it is to be sent again."""
        self._generation += 1
        self._plan.clear()
        self._dry_ms = now_ms
        while len(self._gains) > 1 and self._gains[-1][0] > now_ms:
            self._gains.pop()
        for utterance in tuple(self._queue):
            if not utterance.sent:
                break
            there_ms = utterance.reached_ms(now_ms) + int(self._trip_ms or 0)
            if utterance.began_ms is None:  # the mark of its beginning may be on its way
                there_ms = max(0, int(now_ms - utterance.planned_ms))
            there_ms = min(-(-there_ms // FRAME_MS) * FRAME_MS, utterance.sent // BYTES_PER_MS)  # a begun frame is out
            utterance.heard_ms = max(utterance.heard_ms, utterance.reached_ms(now_ms))
            if utterance.ended and there_ms >= utterance.audio_ms:
                utterance.heard_ms = utterance.audio_ms  # its last mark is among those that prove nothing now
                self._settle(utterance)
                continue
            utterance.go_on_from(there_ms, now_ms)

    def _at_volume(self, sound: bytes, begins_ms: float) -> bytes:
        before, after = self._gains[-1][1], _GAINS[self._volume]
        if before != after:
            self._gains.append((begins_ms, after))
            if len(self._gains) > _REMEMBERED:
                self._gains.popleft()
        return played_at(sound, before, after)

    def _mark(self, utterance: _Utterance, reached_ms: float) -> Mark:
        mark = Mark(self._name(utterance))
        self._plan.append((mark.name, reached_ms))
        return mark

    def _behind(self, now_ms: float) -> bool:
        """The carrier sends marks back, and the next one is long overdue."""
        if self._trip_ms is None or not self._plan:
            return False
        return BEHIND_MS < now_ms - self._plan[0][1] < GIVEN_UP_MS

    def _time_trip(self, name: str, now_ms: float) -> None:
        """Marks come back in order; one that was lost is skipped."""
        if name not in [planned for planned, _ in self._plan]:
            return
        while self._plan[0][0] != name:
            self._plan.popleft()
        trip_ms = max(0.0, now_ms - self._plan.popleft()[1])
        self._trip_ms = trip_ms if self._trip_ms is None else min(self._trip_ms, trip_ms)

    def _name(self, utterance: _Utterance) -> str:
        return f"g{self._generation}-{utterance.number}-{utterance.sent // BYTES_PER_MS}"

    def _size(self, utterance: _Utterance, lead_ms: float) -> int:
        """Bytes to send now: whole pieces while there are any, scraps only to keep the caller from hearing a gap."""
        if lead_ms >= LEAD_MS:
            return 0
        piece = PIECE_MS * BYTES_PER_MS
        if utterance.waiting >= piece:
            return piece
        if utterance.ended:
            return utterance.waiting
        return utterance.waiting // FRAME_BYTES * FRAME_BYTES if lead_ms < PIECE_MS else 0

    def _settle(self, utterance: _Utterance) -> None:
        if utterance.ended and utterance.heard_ms >= utterance.audio_ms:
            self._done[utterance.number] = utterance.played()
            self._queue.remove(utterance)

    def _believe_the_clock(self, now_ms: float) -> None:
        """Marks can be lost; a call must not wait for them for ever."""
        for utterance in tuple(self._queue):
            if utterance.ended and not utterance.waiting and now_ms >= self._dry_ms + LOST_MARK_MS:
                utterance.heard_ms = utterance.audio_ms
                self._began.setdefault(utterance.number, now_ms)
                self._settle(utterance)
