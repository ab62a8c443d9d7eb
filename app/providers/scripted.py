"""Every port of a call, following a script: for tests, load and the latency figures. No model, no network, no luck.

Delays are asyncio sleeps on the running loop, so that on a virtual clock they cost nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from itertools import count
from uuid import UUID

import numpy as np

from app.dialog.events import Heard, VoiceOff, VoiceOn
from app.errors import Busy, ProviderDown
from app.ports import (
    AudioChunk,
    CallerSound,
    CallerTurn,
    Closing,
    Expectation,
    Finish,
    HeardLine,
    MachineListens,
    Move,
    Pressed,
    Said,
    Say,
    Silent,
    Speech,
    WordAt,
)
from app.telephony import mulaw


class ScriptedVoiceActivity:
    """Loud is voice. On after `on_ms` of it, off after `off_ms` without, both dated back to where it really was."""

    def __init__(self, *, threshold: float = 500.0, on_ms: int = 120, off_ms: int = 240) -> None:
        self._threshold, self._on_ms, self._off_ms = threshold, on_ms, off_ms

    async def watch(self, audio: AsyncIterator[AudioChunk]) -> AsyncIterator[CallerSound]:
        loud_from: int | None = None
        loud_to = 0
        voiced = False
        async for chunk in audio:
            ends_ms = chunk.at_ms + mulaw.duration_ms(chunk.mulaw)
            if mulaw.level(chunk.mulaw) >= self._threshold:
                loud_from = chunk.at_ms if loud_from is None else loud_from
                loud_to = ends_ms
                if not voiced and ends_ms - loud_from >= self._on_ms:
                    voiced = True
                    yield VoiceOn(loud_from)
            elif not voiced:
                loud_from = None
            elif ends_ms - loud_to >= self._off_ms:
                voiced, loud_from = False, None
                yield VoiceOff(loud_to)
            yield chunk


class ScriptedSpeechToText:
    """Hears the n-th line in the n-th stretch of voice, `delay_ms` after its end was noticed.

    A line of None is voice without a word from the recogniser; "" is voice it would not stand for. After the last line
    it hears "". `fails_at` is the stretch (from 1) at which it goes down instead. With `interim_ms` it tells one more
    word of the line after each so much voice.
    """

    name = "scripted"

    def __init__(
        self, *lines: str | None, delay_ms: int = 100, fails_at: int = 0, interim_ms: int | None = None
    ) -> None:
        self._lines, self._delay_ms, self._fails_at, self._interim_ms = lines, delay_ms, fails_at, interim_ms

    async def listen(
        self, sound: AsyncIterator[CallerSound], expecting: Callable[[], Expectation]
    ) -> AsyncIterator[Heard]:
        lines, stretches, began_ms = iter(self._lines), count(1), 0
        text: str | None = None
        told: int | None = None  # words of the line; None between the lines
        async for heard in sound:
            match heard:
                case VoiceOn(at_ms):
                    began_ms, text, told = at_ms, next(lines, ""), 0
                case AudioChunk(_, at_ms) if self._interim_ms and text and told is not None:
                    words = text.split()[: (at_ms - began_ms) // self._interim_ms]
                    if len(words) > told:
                        told = len(words)
                        yield Heard(" ".join(words), False, 0.5, began_ms, at_ms, self.name)
                case VoiceOff(at_ms):
                    told = None
                    await asyncio.sleep(self._delay_ms / 1000)
                    if next(stretches) == self._fails_at:
                        raise ProviderDown("the scripted speech to text went down")
                    if text is not None:
                        yield Heard(text, True, 0.9 if text else 0.0, began_ms, at_ms, self.name)


Answers = Callable[[CallerTurn], Iterable[Move]]


@dataclass(slots=True)
class ScriptedDialogue:
    """`opening` first; then what `answers` makes of each turn, `delay_ms` later.

    Keeps what it was told: `turns` it was asked to answer and `heard_lines`, as the caller heard them. Its forks share
    that, so that `turns` has those of drafts too.
    """

    opening: tuple[Move, ...]
    answers: Answers
    delay_ms: int = 0
    expects: Expectation = field(default_factory=Expectation)
    name: str = "scripted"
    turns: list[CallerTurn] = field(default_factory=list)
    heard_lines: list[HeardLine] = field(default_factory=list)

    def expecting(self) -> Expectation:
        return self.expects

    async def begin(self) -> AsyncIterator[Move]:
        for move in self.opening:
            yield move

    async def answer(self, turn: CallerTurn) -> AsyncIterator[Move]:
        self.turns.append(turn)
        await asyncio.sleep(self.delay_ms / 1000)
        for move in self.answers(turn):
            yield move

    def heard(self, line: HeardLine) -> None:
        self.heard_lines.append(line)

    def fork(self) -> ScriptedDialogue:
        return replace(self)


def script(
    replies: Mapping[str, tuple[Move, ...]],
    *,
    otherwise: tuple[Move, ...] = (Say(("Sorry, could you say that again?",), "reprompt"),),
) -> Answers:
    """Replies by what was said or keyed. Silence is asked about, and a call that must end is said goodbye to."""

    def answers(turn: CallerTurn) -> tuple[Move, ...]:
        match turn:
            case Said(text=text):
                return replies.get(text, otherwise)
            case Pressed(digits=digits):
                return replies.get(digits, otherwise)
            case Silent():
                return (Say(("Are you still there?",), "nudge"),)
            case MachineListens(kind=kind):
                message = Say((f"This is a message for a machine of the kind {kind}.",), kind, protected=True)
                return (message, Finish("message_left")) if kind == "voicemail" else (message,)
            case Closing(reason=reason):
                return (Say(("Goodbye.",), "goodbye"), Finish(reason))

    return answers


class ScriptedTextToSpeech:
    """A tone as long as the words take: `ms_per_word` each, a word a piece, the first after `delay_ms`.

    Pieces come as fast as they are taken, or one every `pace_ms`. With `stalls_at` words, a line stops there for good;
    `fails` makes every line a ProviderDown.
    """

    name = "scripted"

    def __init__(
        self, *, ms_per_word: int = 300, delay_ms: int = 0, pace_ms: int = 0, stalls_at: int = 0, fails: bool = False
    ) -> None:
        self._ms_per_word, self._delay_ms, self._pace_ms = ms_per_word, delay_ms, pace_ms
        self._stalls_at, self._fails = stalls_at, fails

    async def speak(self, line: Say) -> AsyncIterator[Speech]:
        if self._fails:
            raise ProviderDown("the scripted text to speech is down")
        await asyncio.sleep(self._delay_ms / 1000)
        sound = tone(self._ms_per_word)
        for spoken, word in enumerate(line.text.split()):
            if self._stalls_at and spoken == self._stalls_at:
                await asyncio.get_running_loop().create_future()
            if self._pace_ms and spoken:
                await asyncio.sleep(self._pace_ms / 1000)
            yield Speech(sound, (WordAt(word, 0, self._ms_per_word),))


def tone(ms: int, hertz: int = 400, amplitude: int = 8000) -> bytes:
    """Mu-law, loud enough to be told from silence."""
    samples = amplitude * np.sin(2 * np.pi * hertz / mulaw.RATE * np.arange(ms * mulaw.BYTES_PER_MS))
    return mulaw.encode(samples.astype(np.int16))


class ScriptedSeats:
    """Has `seats` of them, and writes down who was given one."""

    def __init__(self, seats: int = 1000) -> None:
        self._seats = seats
        self.kept: list[UUID] = []

    def keep(self, attempt: UUID) -> None:
        if len(self.kept) >= self._seats:
            raise Busy("there is no seat for another call now")
        self.kept.append(attempt)

    def free(self, attempt: UUID) -> None:
        self.kept.remove(attempt)
