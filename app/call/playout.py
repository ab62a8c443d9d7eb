"""What we handed to the carrier and how much of it the caller has heard. No clock: times are arguments, milliseconds.

The carrier plays what it is given, in order, at real time, and echoes a mark when its playing reaches it. We stay a
bounded lead ahead: enough that a late tick is not heard, little enough that silence comes at once and the ledger is
exact. Every piece is followed by a mark named

    g{generation}-{utterance}-{offset_ms}

`clear` begins a new generation: the carrier then echoes the marks of what it threw away, and those prove nothing.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

from app.ports import Played
from app.telephony.mulaw import BYTES_PER_MS, FRAME_BYTES, SILENCE

PIECE_MS = 100
LEAD_MS = 200  # after a tick the lead is between this and this plus one piece
LOST_MARK_MS = 2000  # a mark this late after its time will not come: then the clock is believed


@dataclass(frozen=True, slots=True)
class Piece:
    mulaw: bytes


@dataclass(frozen=True, slots=True)
class Mark:
    name: str


@dataclass(slots=True)
class _Utterance:
    number: int
    audio: bytearray = field(default_factory=bytearray)
    sent: int = 0  # bytes
    ended: bool = False
    began_ms: float | None = None
    heard_ms: int = 0
    heard_at_ms: float = 0.0  # when the caller had heard that much
    gap_ms: float = 0.0

    @property
    def waiting(self) -> int:
        return len(self.audio) - self.sent

    @property
    def audio_ms(self) -> int:
        return len(self.audio) // BYTES_PER_MS

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

    @property
    def idle(self) -> bool:
        """Nothing to send and nothing to hear of."""
        return not self._queue

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
        for utterance in tuple(self._queue):
            while utterance.waiting and (size := self._size(utterance, self._dry_ms - now_ms)):
                if utterance.sent == 0:
                    yield Mark(self._name(utterance))
                elif self._dry_ms < now_ms:
                    utterance.gap_ms += now_ms - self._dry_ms
                yield Piece(bytes(utterance.audio[utterance.sent : utterance.sent + size]))
                utterance.sent += size
                self._dry_ms = max(self._dry_ms, now_ms) + size / BYTES_PER_MS
                yield Mark(self._name(utterance))
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
        if offset_ms >= utterance.heard_ms:
            utterance.heard_ms, utterance.heard_at_ms = offset_ms, now_ms
        self._settle(utterance)

    def clear(self, now_ms: float) -> tuple[Played, ...]:
        """Forget everything. What was on its way to the ear since the last mark counts by the clock."""
        self._generation += 1
        self._dry_ms = now_ms
        cut = []
        for utterance in self._queue:
            if utterance.began_ms is not None:
                heard_ms = utterance.heard_ms + int(now_ms - utterance.heard_at_ms)
                utterance.heard_ms = min(heard_ms, utterance.sent // BYTES_PER_MS)
            self._done[utterance.number] = utterance.played()
            cut.append(self._done[utterance.number])
        self._queue.clear()
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
