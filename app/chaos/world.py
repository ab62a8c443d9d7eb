"""One seed's world: the local Deepgram, chat server and ElevenLabs, each with a second one as stand-in, and the parts
of calls that go to them through the real SDKs.

All delays are fixed and stated, so that what a caller waits beyond them is ours.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, aclosing
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from importlib import resources
from itertools import cycle
from typing import Any, Self

from app.api.stand_ins import open_pack, stand_ins
from app.call.setup import Parts, StandIns
from app.dialog.events import Entry
from app.dialog.playbook import parse
from app.dialog.script import Playbook
from app.dialog.state import Understanding
from app.exchange.completions import Completion
from app.exchange.deepgram import DeepgramServer
from app.exchange.elevenlabs import ElevenLabsServer
from app.exchange.hearing import Script
from app.exchange.listening import Flux
from app.exchange.openai import ChatServer
from app.ports import CallerTurn, Dialogue, Expectation, HeardLine, Move, Say
from app.providers import chat, deepgram, elevenlabs
from app.providers.chain import ChainedSpeechToText, ChainedTextToSpeech
from app.providers.circuits import FuseBox
from app.providers.model_chain import ModelChain
from app.providers.openai import Guide, LanguageModelDialogue
from app.providers.pace import Pace
from app.providers.phrase_store import PhraseStore
from app.providers.prober import Prober, probes_of
from app.providers.remembering import RememberingTextToSpeech
from app.providers.scripted import ScriptedVoiceActivity

FINAL_MS, FIRST_TOKEN_S, TOKEN_S, FIRST_AUDIO_S = 200, 0.3, 0.01, 0.15
ANSWERS = (
    "It depends on your roof.",
    "That depends on the size of your roof.",
    "Much of that depends on the roof you have.",
    "Your roof decides about most of that.",
    "We would have to look at your roof for that.",
    "It is the roof that makes the difference.",
    "Most of it comes down to your roof.",
    "For that we look at the roof first.",
)
QUESTION = "Do you own your home?"
WORDS = f"{ANSWERS[0]} {QUESTION}"
_ANSWERED = 5  # times before the first call here: a process knows how fast its model usually is
LISTENING = "flux-general-en"  # what English is heard with unless the settings say otherwise
OPENING = Say(("How can I help?",), "talk")


def _price(text: str, expecting: object) -> Understanding:
    """Whatever the callers here say, they ask for the price."""
    return Understanding("price", 0.9, "question:price", 0.9)


@dataclass(slots=True)
class Journal:
    """Keeps the log with the loop's time of each entry."""

    entries: list[Entry] = field(default_factory=list)
    written_at: list[float] = field(default_factory=list)

    def record(self, entry: Entry) -> None:
        self.entries.append(entry)
        self.written_at.append(asyncio.get_running_loop().time())

    async def commit(self, entry: Entry) -> None:
        self.record(entry)

    async def settle(self) -> None:
        """Nothing waits."""


class Usual:
    """What the model says on a good day: always something else, for what was said before is not synthesised again."""

    def __init__(self) -> None:
        self._answers = cycle(ANSWERS)

    def __call__(self, request: Mapping[str, Any]) -> Completion:
        return Completion(f"{next(self._answers)} {QUESTION}", first_s=FIRST_TOKEN_S, token_s=TOKEN_S)


class PromptFlux(Flux):
    """Final words so long after the end of speech, and an eager guess before, as the latency figures have it."""

    def quiet_ms(self, endpointing: str) -> int:
        return FINAL_MS


class CallWorld:
    """What one call has of its own: recognisers, which are told by a script what their caller says, and its parts."""

    def __init__(self, world: World, lines: tuple[str, ...]) -> None:
        self.lines = lines
        self.ears, self.spare_ears = DeepgramServer(*lines), DeepgramServer(*lines)
        for ears in (self.ears, self.spare_ears):
            ears.listening = {**ears.listening, "/v2/listen": PromptFlux}
        self.journal = Journal()
        self._world = world

    def parts(self) -> Parts:
        world = self._world
        first, spare = (
            deepgram.DeepgramSpeechToText(deepgram.Account(ears.key, ears.url), deepgram.Wishes(LISTENING))
            for ears in (self.ears, self.spare_ears)
        )
        spare.name = "spare"
        stt = ChainedSpeechToText([first, spare], world.fuses.circuits("stt"))
        tts = ChainedTextToSpeech([world.speaks(world.voice), world.spare_voice], world.fuses.circuits("tts"))
        return Parts(world.dialogue(), stt, tts, ScriptedVoiceActivity())

    def spare_hears_from(self, line: int) -> None:
        """What the spare recogniser gets to hear begins with this line."""
        self.spare_ears.script = Script(*self.lines[line:])


class World:
    """Serves while the block runs."""

    def __init__(self) -> None:
        self.usual = Usual()
        self.model = ChatServer(self.usual)
        self.mouth, self.spare_mouth = ElevenLabsServer(), ElevenLabsServer()
        self.mouth.first_audio_s = self.spare_mouth.first_audio_s = FIRST_AUDIO_S
        self.fuses = FuseBox()
        self.book = northlight()
        self.stand_ins: StandIns = stand_ins(self.book, open_pack(), datetime.now(UTC))
        self._guide = Guide.by(self.book, _price)
        self._pace = Pace()
        self._phrases = PhraseStore()
        self._open = AsyncExitStack()

    async def __aenter__(self) -> Self:
        for server in (self.model, self.mouth, self.spare_mouth):
            await self._open.enter_async_context(server)
        self.voice, self.spare_voice = (_voice(mouth) for mouth in (self.mouth, self.spare_mouth))
        self.spare_voice.name = "spare"
        self.chat = chat.connect(key=self.model.key, base_url=self.model.url, model=self.model.model)
        for voice in (self.voice, self.spare_voice):
            self._open.push_async_callback(voice.close)
            await voice.warm()
        for ready in (*self.stand_ins.acknowledgements, *self.stand_ins.fillers):  # as a process does when it starts
            async for _ in self.speaks(self.voice).speak(ready.line):
                pass
        await self.chat.warm()
        for _ in range(_ANSWERED):
            self._pace.began(await self._first_word_s())
        self.model.requests.clear()
        prober = Prober(self.fuses, probes_of((), [self.chat], [self.voice, self.spare_voice]))
        group = await self._open.enter_async_context(asyncio.TaskGroup())
        self._open.callback(group.create_task(prober.watch(), name="prober").cancel)
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._open.aclose()

    async def call(self, lines: tuple[str, ...]) -> CallWorld:
        made = CallWorld(self, lines)
        for ears in (made.ears, made.spare_ears):
            await self._open.enter_async_context(ears)
        return made

    async def _first_word_s(self) -> float:
        now = asyncio.get_running_loop().time
        asked_at = now()
        async with aclosing(self.chat.stream([{"role": "user", "content": "Say hello."}])) as pieces:
            await anext(pieces)
            return now() - asked_at

    def speaks(self, voice: elevenlabs.ElevenLabsTextToSpeech) -> RememberingTextToSpeech:
        return RememberingTextToSpeech(voice, self._phrases)

    def dialogue(self) -> Dialogue:
        models = ModelChain([self.chat], self.fuses.circuits("llm"))
        return InTheMiddle(LanguageModelDialogue(self._guide, models, today=date(2026, 11, 20), pace=self._pace))


class InTheMiddle:
    """A dialogue whose disclosures have been heard and whose menu is behind it: the call begins with a short line."""

    def __init__(self, dialogue: LanguageModelDialogue) -> None:
        self._dialogue = dialogue
        self.name = dialogue.name

    async def begin(self) -> AsyncIterator[Move]:
        async for move in self._dialogue.begin():
            if isinstance(move, Say):
                self._dialogue.heard(HeardLine(move, move.text, complete=True))
        yield OPENING

    def fork(self) -> Dialogue | None:
        forked = self._dialogue.fork()
        return InTheMiddle(forked) if forked else None

    def late_in_s(self) -> float | None:
        return self._dialogue.late_in_s()

    def expecting(self) -> Expectation:
        return self._dialogue.expecting()

    def answer(self, turn: CallerTurn) -> AsyncIterator[Move]:
        return self._dialogue.answer(turn)

    def heard(self, line: HeardLine) -> None:
        if line.line != OPENING:
            self._dialogue.heard(line)


def northlight() -> Playbook:
    text = (resources.files("app.playbooks") / "northlight_solar.yaml").read_text(encoding="utf-8")
    return parse(text, "northlight_solar.yaml")


def _voice(mouth: ElevenLabsServer) -> elevenlabs.ElevenLabsTextToSpeech:
    account = elevenlabs.Account(mouth.key, mouth.url)
    return elevenlabs.ElevenLabsTextToSpeech(account, elevenlabs.Voice(mouth.voice))
