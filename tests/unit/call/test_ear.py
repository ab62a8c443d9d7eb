"""In which pieces a recogniser is given the caller's sound. What the ear notices is in tests/calls."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

from app.call.ear import Ear
from app.call.line import StreamLine
from app.call.log import CallLog
from app.call.pacer import Pacer
from app.call.setup import CallSetup, Parts
from app.dialog.events import CallBegan, Heard, VoiceOff, VoiceOn
from app.exchange.virtual import run
from app.ports import AudioChunk, CallerSound, Expectation, Say
from app.providers.scripted import ScriptedDialogue, ScriptedTextToSpeech, ScriptedVoiceActivity, script, tone
from app.telephony import mulaw
from app.telephony.media_stream import CallerAudio, MediaStream
from tests.unit.call.journal import Journal

START = '{"event":"start","streamSid":"MZ1","start":{"callSid":"CA1","accountSid":"AC1"}}'
BEGAN = CallBegan("CA1", "inbound", "+12025550111", "+12025550100", "test", 1, "", "", "")


class Notebook:
    """A recogniser that writes down what it is given, and when, in ms of the call."""

    name = "notebook"
    model = ""

    def __init__(self) -> None:
        self.given: list[tuple[int, CallerSound]] = []
        self.now_ms: Callable[[], int] = lambda: 0

    async def listen(
        self, sound: AsyncIterator[CallerSound], expecting: Callable[[], Expectation]
    ) -> AsyncIterator[Heard]:
        async for piece in sound:
            self.given.append((self.now_ms(), piece))
        return
        yield


def given(sound: bytes) -> list[tuple[int, CallerSound]]:
    """Frame by frame, in real time."""

    async def main() -> list[tuple[int, CallerSound]]:
        stream, notebook = MediaStream(), Notebook()
        stream.receive(START)
        line = StreamLine(stream, Pacer())
        notebook.now_ms = line.now_ms
        dialogue = ScriptedDialogue((Say(("Hello.",), "greeting"),), script({}))
        parts = Parts(dialogue, notebook, ScriptedTextToSpeech(), ScriptedVoiceActivity())
        ear = Ear(line, parts, CallLog(Journal(), line.now_ms, CallSetup(BEGAN, str)), lambda signal: None)
        async with asyncio.TaskGroup() as group:
            for sense in (ear.watch(), ear.listen()):
                group.create_task(sense)
            for number, frame in enumerate(mulaw.frames(sound)):
                await asyncio.sleep(0.02)
                line.feed(CallerAudio(number * mulaw.FRAME_MS, frame))
            line.hang_up()
        return notebook.given

    return run(main())


def test_nothing_is_lost_or_told_twice_and_a_voice_is_told_where_it_was() -> None:
    sound = mulaw.silence(1500) + tone(800) + mulaw.silence(2500)
    found = given(sound)
    pieces = [piece for _, piece in found if isinstance(piece, AudioChunk)]
    assert b"".join(piece.mulaw for piece in pieces) == sound
    assert [piece.at_ms for piece in pieces] == [
        sum(mulaw.duration_ms(before.mulaw) for before in pieces[:place]) for place in range(len(pieces))
    ]
    kinds = [type(piece) for _, piece in found if not isinstance(piece, AudioChunk)]
    assert kinds == [VoiceOn, VoiceOff]


def test_a_voice_comes_in_small_pieces_and_at_once_silence_in_large_ones() -> None:
    found = given(mulaw.silence(1500) + tone(800) + mulaw.silence(2500))
    on = next(place for place, (_, piece) in enumerate(found) if isinstance(piece, VoiceOn))
    off_ms = next(piece.at_ms for _, piece in found if isinstance(piece, VoiceOff))
    before = [piece for _, piece in found[:on] if isinstance(piece, AudioChunk)]
    quick = [(ms, piece) for ms, piece in found[on:] if isinstance(piece, AudioChunk) and piece.at_ms < off_ms + 900]
    late = [piece for _, piece in found if isinstance(piece, AudioChunk) and piece.at_ms > off_ms + 1300]
    assert {mulaw.duration_ms(piece.mulaw) for piece in before[:-1]} == {200}
    assert max(ms - piece.at_ms for ms, piece in quick) <= 60
    assert {mulaw.duration_ms(piece.mulaw) for piece in late[:-1]} == {200}
    heard_ms = sum(mulaw.duration_ms(piece.mulaw) for piece in before)
    assert heard_ms >= found[on][0] - mulaw.FRAME_MS, "what had been waiting comes with the voice"
