"""A sound of the caller's over our own speech: voice activity, the gate and turn-taking as on a call, without the call.

Our line plays, the sound begins in its middle, and what turn-taking decides changes what is played, and with it what
comes back as echo. Time is the sound's own, 20 ms at a time; what a network would add is not in it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace

import numpy as np

from app.call.gate import Gate
from app.call.playout import LOW_DB
from app.dialog.events import Heard, ReplyBegan, Signal, Tick
from app.dialog.interruption import Volume
from app.dialog.patience import Patience
from app.dialog.turns import Action, CutReply, Duck, Hold, Phase, Restore, Turn, deadline, step
from app.ports import AudioChunk, VoiceActivity
from app.telephony import mulaw
from app.telephony.echo import Echo, Whose
from app.telephony.volume import gain, played_at

FRAME_MS = mulaw.FRAME_MS
BEGINS_MS = 2000
AFTER_MS = 2500
INTERIM_MS = 250  # words come as often while the voice is on ...
FINAL_MS = 200  # ... and so long after it has ended
_GAINS = {Volume.FULL: 1.0, Volume.LOW: gain(LOW_DB), Volume.HELD: 0.0}


@dataclass(frozen=True, slots=True)
class Sound:
    """What the caller's side brings: mu-law, and the words in it (none: no recogniser would find any). `takes` when it
    means to take the turn. With `echo_ms` our own line comes back so much later, so much softer."""

    kind: str
    mulaw: bytes
    words: str = ""
    takes: bool = False
    echo_ms: int = 0
    echo_db: float = 0.0


@dataclass(slots=True)
class Outcome:
    """What became of it. Milliseconds since the sound began; None: it did not happen from then on. (An echo begins
    with our own line, two seconds earlier: what it did at first, while it was not known, is not counted.)"""

    sound: Sound
    soft_ms: int | None = None
    silent_ms: int | None = None
    taken_ms: int | None = None
    volume: Volume = Volume.FULL  # in the end


@dataclass(slots=True)
class Overlap:
    """One sound over one line of ours. With `interims` the recogniser tells words as they come."""

    line: bytes
    text: str
    sound: Sound
    interims: bool
    patience: Patience = field(default_factory=Patience)
    echo: Echo = field(default_factory=Echo)
    turn: Turn = field(default_factory=lambda: Turn(Phase.SPEAKING, number=1))
    _outcome: Outcome = field(init=False)
    _volume: Volume = Volume.FULL
    _gain: float = 1.0
    _at_ms: int = 0

    async def run(self, voices: VoiceActivity) -> Outcome:
        self._outcome = Outcome(self.sound)
        self._take(ReplyBegan(line=self.text), 0)
        if self.interims:  # as on any call on which the caller has spoken before
            self.turn = replace(self.turn, interims=True)
        gate, coming = Gate(self), deque(self._words())
        async for heard in voices.watch(self._side()):
            for signal in gate.pass_through(heard):
                self._take(signal, self._at_ms)
            while coming and coming[0][0] <= self._at_ms:
                self._take(coming.popleft()[1], self._at_ms)
            self._tick()
        self._outcome.volume = self._volume
        return self._outcome

    def whose(self, from_ms: int, to_ms: int) -> Whose:
        return self.echo.whose(from_ms, to_ms)

    async def _side(self) -> AsyncIterator[AudioChunk]:
        """The caller's side of the line, as it comes."""
        late = deque([mulaw.silence(FRAME_MS)] * (self.sound.echo_ms // FRAME_MS))
        sound = mulaw.silence(BEGINS_MS) + self.sound.mulaw + mulaw.silence(AFTER_MS)
        hiss = np.random.default_rng(len(sound)).normal(0, 12, len(sound) + mulaw.FRAME_BYTES)
        for place, frame in enumerate(mulaw.frames(sound)):
            ours = self._play(place * FRAME_MS)
            late.append(ours)
            samples = mulaw.decode(frame) + hiss[place * len(frame) : (place + 1) * len(frame)]
            if self.sound.echo_ms:
                samples = samples + mulaw.decode(late.popleft()) * gain(self.sound.echo_db)
            mixed = mulaw.encode(samples.clip(-32000, 32000).astype(np.int16))
            self.echo.heard(mixed, place * FRAME_MS)
            self._at_ms = (place + 1) * FRAME_MS
            yield AudioChunk(mixed, place * FRAME_MS)

    def _play(self, at_ms: int) -> bytes:
        place = at_ms * mulaw.BYTES_PER_MS % max(1, len(self.line) - mulaw.FRAME_BYTES)
        frame = played_at(self.line[place : place + mulaw.FRAME_BYTES], self._gain, _GAINS[self._volume])
        self._gain = _GAINS[self._volume]
        self.echo.played(frame, at_ms)
        return frame

    def _words(self) -> list[tuple[int, Signal]]:
        """When the recogniser tells what. An echo's words are ours, as they come back."""
        words, begin, end = self.sound.words.split(), BEGINS_MS, BEGINS_MS + mulaw.duration_ms(self.sound.mulaw)
        told: list[tuple[int, Signal]] = []
        if not words:
            return told
        pace = (end - begin) / len(words)
        if self.interims:
            for at_ms in range(begin + INTERIM_MS, end, INTERIM_MS):
                count = int((at_ms - begin) / pace)
                if count:
                    told.append((at_ms, Heard(" ".join(words[:count]), False, 0.5, begin, at_ms)))
        told.append((end + FINAL_MS, Heard(self.sound.words, True, 0.9, begin, end)))
        return told

    def _tick(self) -> None:
        while (due := deadline(self.turn, self.patience)) is not None and due <= self._at_ms:
            self._take(Tick(), due)

    def _take(self, signal: Signal, now_ms: int) -> None:
        self.turn, actions = step(self.turn, signal, now_ms, self.patience)
        for action in actions:
            self._do(action, now_ms - BEGINS_MS)

    def _do(self, action: Action, since_ms: int) -> None:
        outcome = self._outcome
        match action:
            case Duck():
                self._volume = Volume.LOW
                outcome.soft_ms = _first(outcome.soft_ms, since_ms)
            case Hold() | CutReply():
                self._volume = Volume.HELD
                outcome.soft_ms = _first(outcome.soft_ms, since_ms)
                outcome.silent_ms = _first(outcome.silent_ms, since_ms)
                if isinstance(action, CutReply):
                    outcome.taken_ms = _first(outcome.taken_ms, since_ms)
            case Restore():
                self._volume = Volume.FULL
                if outcome.taken_ms is None:
                    outcome.silent_ms = None


def _first(known: int | None, since_ms: int) -> int | None:
    return since_ms if known is None and since_ms >= 0 else known
