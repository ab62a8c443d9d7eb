"""A person of ours on a live call: heard by the caller, and understood for the agent where somebody wants to know."""

from __future__ import annotations

import asyncio
import json
from base64 import b64decode

from app.errors import Disconnected, ProviderDown
from app.exchange.virtual import run
from app.phone.patch import Patch
from app.phone.takeover import PatchedLine
from app.providers.scripted import ScriptedSpeechToText, ScriptedVoiceActivity, tone
from app.telephony.mulaw import silence


class Wire:
    """The carrier's end: silent, and open until it is closed."""

    def __init__(self) -> None:
        self.sent: list[str] = []
        self._gone = asyncio.Event()

    async def receive_text(self) -> str:
        await self._gone.wait()
        raise Disconnected("hung up")

    async def send_text(self, text: str) -> None:
        self.sent.append(text)

    async def close(self, code: int = 1000) -> None:
        self._gone.set()


class Deaf(ScriptedSpeechToText):
    async def listen(self, sound, expecting):
        async for _ in sound:
            raise ProviderDown("gone")
        yield  # never


def spoken(stt: ScriptedSpeechToText | None) -> tuple[list[str], Wire, str]:
    """Somebody says a sentence and hangs up at once: what was told of it, what the caller heard, how it ended."""

    async def main() -> tuple[list[str], Wire, str]:
        wire, told = Wire(), []
        patch = Patch(wire)
        if stt is not None:
            patch.ears = lambda: (ScriptedVoiceActivity(), stt)
        line = PatchedLine(patch, told.append)

        async def microphone() -> None:
            sound = silence(200) + tone(1200) + silence(300)
            for at in range(0, len(sound), 160):
                line.said(sound[at : at + 160])
                await asyncio.sleep(0.02)
            line.hung_up()

        async with asyncio.TaskGroup() as group:
            group.create_task(microphone())
            reason = await line.talk()
        return told, wire, reason

    return run(main())


def sound_of(wire: Wire) -> bytes:
    return b"".join(b64decode(json.loads(text)["media"]["payload"]) for text in wire.sent)


def test_what_the_person_says_reaches_the_caller_and_is_told_with_its_last_word() -> None:
    told, wire, reason = spoken(ScriptedSpeechToText("slate costs a little more", delay_ms=800))
    assert told == ["slate costs a little more"]
    assert sound_of(wire) == silence(200) + tone(1200) + silence(300)
    assert reason == "browser gone"


def test_a_recogniser_that_takes_for_ever_is_not_waited_for() -> None:
    told, _, reason = spoken(ScriptedSpeechToText("too late", delay_ms=60_000))
    assert (told, reason) == ([], "browser gone")


def test_where_nobody_is_to_be_told_nobody_listens() -> None:
    told, wire, _ = spoken(None)
    assert told == []
    assert len(sound_of(wire)) == 1700 * 8


def test_a_recogniser_that_fails_costs_the_caller_nothing() -> None:
    told, wire, reason = spoken(Deaf())
    assert (told, reason) == ([], "browser gone")
    assert len(sound_of(wire)) == 1700 * 8
