"""Every provider by the name the settings use. Adding one is a file, and a line in its table here; see
docs/providers.md.

Modules are imported when they are chosen: a process pays only for what it uses.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from functools import cached_property, lru_cache, partial
from itertools import takewhile
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar, runtime_checkable

from app import logs
from app.dialog import phrases
from app.dialog.script import Playbook
from app.dialog.voice import Voice
from app.errors import BadSetting, ProviderError
from app.ports import Dialogue, Say, SpeechToText, TextToSpeech, VoiceActivity
from app.providers.chain import ChainedSpeechToText, ChainedTextToSpeech
from app.providers.circuits import Circuits, FuseBox
from app.providers.language_model import LanguageModel
from app.providers.meter import Meter
from app.providers.model_chain import ModelChain
from app.providers.remembering import RememberingTextToSpeech
from app.providers.shared import Shared, module, offline_stt, offline_tts
from app.providers.warmth import ConnectsEarly, ExpectedSpeechToText, Warmth
from app.settings import Settings

if TYPE_CHECKING:
    from app.providers.offline.dialogue import Understand
    from app.providers.openai import Guide
    from app.providers.prober import Prober
    from app.providers.realtime_speech import RealtimeEngine

Maker = TypeVar("Maker")

log = logs.Log(__name__)


@dataclass(frozen=True, slots=True)
class Kind(Generic[Maker]):
    """How one is made. Without a value for each of `needs`, fields of Settings, the chain goes on without it."""

    make: Maker
    needs: tuple[str, ...] = ()


@runtime_checkable
class Connected(Protocol):
    """A provider that holds connections between calls."""

    async def warm(self) -> None:
        """Raises ProviderError; nothing is lost but time."""
        ...

    async def close(self) -> None: ...


PLAYBOOKS = 32  # whose language models and intents are kept at hand


SPEECH_TO_TEXT: Mapping[str, Kind[Callable[[Shared, Playbook], SpeechToText]]] = {
    "deepgram": Kind(module("app.providers.deepgram"), needs=("deepgram_api_key",)),
    "offline": Kind(offline_stt),
}
# None: no model from here on. Every chain ends so, named or not.
DIALOGUE: Mapping[str, Kind[Callable[[Shared], LanguageModel | RealtimeEngine] | None]] = {
    "realtime": Kind(module("app.providers.realtime_speech"), needs=("openai_api_key",)),
    "openai": Kind(module("app.providers.chat")),
    "openai_2": Kind(module("app.providers.chat", "make_second"), needs=("openai_2_model",)),
    "openai_responses": Kind(module("app.providers.responses"), needs=("openai_api_key",)),
    "anthropic": Kind(module("app.providers.anthropic"), needs=("anthropic_api_key",)),
    "playbook": Kind(None),
}
TEXT_TO_SPEECH: Mapping[str, Kind[Callable[[Shared, Voice], TextToSpeech]]] = {
    "elevenlabs": Kind(module("app.providers.elevenlabs"), needs=("elevenlabs_api_key", "elevenlabs_voice_id")),
    "aura": Kind(module("app.providers.aura"), needs=("deepgram_api_key",)),
    "offline": Kind(offline_tts),
}


@dataclass(frozen=True, slots=True)
class Trio:
    """Who talks, listens and speaks in one call."""

    dialogue: Dialogue
    stt: SpeechToText
    tts: TextToSpeech


class Providers:
    """The chains the settings name. Raises BadSetting at once when one names what is not there, or has nobody left."""

    def __init__(self, settings: Settings) -> None:
        self._shared = Shared(settings)
        stt = _chain(SPEECH_TO_TEXT, settings, "stt")
        llm = takewhile(lambda make: make is not None, _chain(DIALOGUE, settings, "llm"))
        tts = _chain(TEXT_TO_SPEECH, settings, "tts")
        self._stt = lru_cache(PLAYBOOKS)(lambda playbook: tuple(make(self._shared, playbook) for make in stt))
        self._llm = [make for make in llm if make is not None]
        self._guides = lru_cache(PLAYBOOKS)(self._guide)
        self._dialogue = lru_cache(PLAYBOOKS)(self._dialogues)
        self._tts = tts
        self._constant = lru_cache(PLAYBOOKS)(lambda playbook: playbook.spoken_parts())
        self._voices: dict[Voice, tuple[TextToSpeech, ...]] = {}
        self.fuses = FuseBox()
        self.warmth = Warmth()

    def speech_to_text(self, playbook: Playbook, meter: Meter | None = None, *, tenant: str = "") -> SpeechToText:
        """For one call, counted by its meter, through the circuits of its business."""
        return ChainedSpeechToText(self._ears(playbook, meter or Meter(), ""), self.fuses.circuits("stt", tenant))

    def _ears(self, playbook: Playbook, meter: Meter, call: str) -> list[SpeechToText]:
        """Those that were connected for this call while it rang, and the others."""
        found: list[SpeechToText] = []
        for stt in self._stt(playbook):
            if call and isinstance(stt, ConnectsEarly):
                stt = ExpectedSpeechToText(stt, partial(self.warmth.take, call))
            found.append(meter.listens(stt))
        return found

    async def expect(self, playbook: Playbook, call: str, tenant: str = "") -> None:
        """A call is about to come: connects to whoever will listen and speak in it. What fails here is for the call to
        notice. A model that is all three in one connects with the call."""
        if self.speech_to_speech is None:
            circuits, now = self.fuses.circuits("stt", tenant), asyncio.get_running_loop().time()
            ears = next((stt for stt in self._stt(playbook) if circuits.admits(stt.name, now)), None)
            if ears is not None:
                self.warmth.expect(call, ears)
        voice = self._speakers(playbook.voice)[0]
        if isinstance(voice, Connected):
            with suppress(ProviderError):
                await voice.warm()

    def dialogue(self, playbook: Playbook, *, today: date, direction: str, tenant: str = "") -> Dialogue:
        """For one call, through the circuits of its business. `today` is the business's local date. The first one of a
        playbook loads its intents."""
        return self._dialogue(playbook)(today, direction, self.fuses.circuits("llm", tenant))

    def text_to_speech(self, playbook: Playbook, meter: Meter | None = None, *, tenant: str = "") -> TextToSpeech:
        """For one call, in the playbook's voice, counted by its meter, through the circuits of its business."""
        meter = meter or Meter()
        found = [self._remembering(meter.speaks(tts), playbook) for tts in self._speakers(playbook.voice)]
        return found[0] if len(found) == 1 else ChainedTextToSpeech(found, self.fuses.circuits("tts", tenant))

    def trio(
        self, playbook: Playbook, *, today: date, direction: str, tenant: str = "", meter: Meter, call: str = ""
    ) -> Trio:
        """The dialogue, the ears and the voice of one call: three that know nothing of each other, or one model that is
        all three, with the others as its stand-ins. `call` as it was expected."""
        tts = self.text_to_speech(playbook, meter, tenant=tenant)
        if self.speech_to_speech is None:
            dialogue = self.dialogue(playbook, today=today, direction=direction, tenant=tenant)
            ears = ChainedSpeechToText(self._ears(playbook, meter, call), self.fuses.circuits("stt", tenant))
            return Trio(dialogue, ears, tts)
        engine = self.speech_to_speech.begin(tts, playbook.voice)
        chain = [engine.socket, *self._ears(playbook, meter, "")]
        models = ModelChain([engine.model, *self.language_models], self.fuses.circuits("llm", tenant))
        dialogue = engine.dialogue(self._guides(playbook), models, today=today, direction=direction)
        return Trio(dialogue, ChainedSpeechToText(chain, self.fuses.circuits("stt", tenant)), engine.voice)

    @cached_property
    def speech_to_speech(self) -> RealtimeEngine | None:
        """The one model that is all three, if the chain begins with it."""
        from app.providers.realtime_speech import RealtimeEngine

        first = self._talking[0] if self._talking else None
        return first if isinstance(first, RealtimeEngine) else None

    @property
    def has_models(self) -> bool:
        """Whether calls are talked through with a language model, which can be told things."""
        return bool(self.language_models) or self.speech_to_speech is not None

    @cached_property
    def _talking(self) -> list[LanguageModel | RealtimeEngine]:
        """Whoever the chain names before the playbook."""
        return [make(self._shared) for make in self._llm]

    @cached_property
    def language_models(self) -> tuple[LanguageModel, ...]:
        """Those of the chain, shared by all calls; empty when no voice here could say what they come up with."""
        from app.providers.realtime_speech import RealtimeEngine

        if self._llm and not self._speaks_anything():
            log.warning("no voice here speaks what a language model says: the playbook's own lines are used instead")
            return ()
        return tuple(model for model in self._talking if not isinstance(model, RealtimeEngine))

    def _speaks_anything(self) -> bool:
        """Without it there is the voice pack alone, which holds the lines of the playbook and no others."""
        from app.providers.offline import synthesis

        return self._tts != [offline_tts] or bool(synthesis.available())

    def voice_activity(self) -> VoiceActivity:
        return self._shared.voice

    @property
    def phrase_bytes(self) -> int:
        """Sound of lines that is kept for being said again."""
        return self._shared.phrases.held_bytes

    def prepare(self, playbook: Playbook) -> None:
        """Loads what a call with this playbook needs from its first word on. On a new machine, or after the playbook
        changed, its intents are trained now, which takes seconds."""
        self._speakers(playbook.voice)
        self._shared.phrases.load()
        self._stt(playbook)
        self._dialogue(playbook)
        if self.speech_to_speech is not None:
            self._guides(playbook)

    def prober(self, playbook: Playbook) -> Prober:
        """Of everybody a call with this playbook would go to. Open circuits are shared where there is a Redis."""
        from app.providers.prober import Prober, probes_of
        from app.providers.shared_circuits import SharedCircuits

        voices = [voice for voice in self._speakers(playbook.voice) if isinstance(voice, Connected)]
        probes = probes_of(self._stt(playbook), self.language_models, voices)
        url = self._shared.settings.redis_url
        return Prober(self.fuses, probes, SharedCircuits(url.get_secret_value()) if url and probes else None)

    async def warm(self) -> None:
        """Gets ready what the first caller would otherwise wait for. Raises ProviderDown when it does not come up."""
        recognisers = self._shared.recognisers if "offline" in self._shared.settings.chain("stt") else None
        await asyncio.to_thread(self._shared.voice.warm)
        if recognisers is not None:
            await recognisers.warm()
        for voice in self._connected():
            with suppress(ProviderError):  # the first call will see, and has stand-ins
                await voice.warm()
        for model in vars(self).get("language_models", ()):
            with suppress(ProviderError):
                await model.warm()

    async def close(self) -> None:
        for voice in self._connected():
            await voice.close()
        for model in vars(self).get("language_models", ()):
            await model.close()
        if "recognisers" in vars(self._shared):
            await asyncio.to_thread(self._shared.recognisers.close)

    def _dialogues(self, playbook: Playbook) -> Callable[[date, str, Circuits], Dialogue]:
        """What makes one for each call with this playbook."""
        from app.providers.offline.dialogue import PlaybookDialogue

        if not (models := self.language_models):
            understand = self._understand(playbook)
            return lambda today, direction, _: PlaybookDialogue(playbook, understand, today=today, direction=direction)
        from app.providers.openai import LanguageModelDialogue
        from app.providers.pace import Pace

        guide, pace = self._guides(playbook), Pace()
        return lambda today, direction, circuits: LanguageModelDialogue(
            guide, ModelChain(models, circuits), today=today, direction=direction, pace=pace
        )

    def _guide(self, playbook: Playbook) -> Guide:
        from app.providers.openai import Guide

        return Guide.by(playbook, self._understand(playbook))

    def _understand(self, playbook: Playbook) -> Understand:
        from app.providers.offline.intents import Intents

        return Intents.load(playbook, self._shared.settings.data_dir).understand

    def _speakers(self, voice: Voice) -> tuple[TextToSpeech, ...]:
        """What calls with the same voice share: its connections, and what it has synthesized."""
        found = self._voices.get(voice)
        if found is None:
            found = tuple(make(self._shared, voice) for make in self._tts)
            found = self._voices.setdefault(voice, found)
        return found

    def _remembering(self, tts: TextToSpeech, playbook: Playbook) -> TextToSpeech:
        """The offline voice has its own lines at hand."""
        if tts.name == "offline":
            return tts
        return RememberingTextToSpeech(tts, self._shared.phrases, self._constant(playbook))

    async def rehearse(self, playbook: Playbook) -> None:
        """Has the first voice say what every call begins with and what is said while one waits, so that it is there
        when somebody calls. Raises ProviderError."""
        voice = self._remembering(self._speakers(playbook.voice)[0], playbook)
        if not isinstance(voice, RememberingTextToSpeech):
            return
        opening = (*playbook.opening("inbound"), *playbook.opening("outbound"))
        texts = [*(line.say for line in opening), *playbook.lines.thinking, *playbook.lines.filler]
        for text in dict.fromkeys(texts):
            line = Say(phrases.parts(text), "") if text and not phrases.gaps(text) else None
            if line is not None and not voice.holds(line):
                async for _ in voice.speak(line):
                    pass

    def _connected(self) -> list[Connected]:
        return [each for voices in self._voices.values() for each in voices if isinstance(each, Connected)]


def _chain(table: Mapping[str, Kind[Maker]], settings: Settings, stage: str) -> list[Maker]:
    """Who is there and has what it needs, in order; never empty."""
    variable, known = f"STROWGER_{stage.upper()}", ", ".join(sorted(table))
    found, lacking = [], []
    for name in settings.chain(stage):
        if name not in table:
            raise BadSetting(f"{variable} names {name!r}; this version has {known}.")
        kind = table[name]
        missing = [need.upper() for need in kind.needs if not getattr(settings, need)]
        lacking += missing
        if not missing:
            found.append(kind.make)
    if not found:
        raise BadSetting(f"{variable} names nobody who has what they need; set {', '.join(lacking)}.")
    return found
