"""Every provider by the name the settings use. Adding one is a file, and a line in its table here.

Modules are imported when they are chosen: a process pays only for what it uses.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Mapping
from datetime import date
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, TypeVar

from app.dialog.script import Playbook
from app.errors import BadSetting
from app.ports import Dialogue, SpeechToText, TextToSpeech, VoiceActivity
from app.settings import Settings

if TYPE_CHECKING:
    from app.providers.chat import ChatModel
    from app.providers.offline.vad import SileroVoiceActivity
    from app.providers.offline.workers import RecogniserPool

Maker = TypeVar("Maker")

MOST_RECOGNISERS = 4  # processes; one keeps up with about fifteen people talking at the same time
PLAYBOOKS = 32  # whose language models and intents are kept at hand


class Shared:
    """What the calls of one process share, each made when it is first needed."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    @cached_property
    def voice(self) -> SileroVoiceActivity:
        """Hears all calls in batches."""
        from app.providers.offline.vad import SileroVoiceActivity

        return SileroVoiceActivity()

    @cached_property
    def recognisers(self) -> RecogniserPool:
        from app.providers.offline.workers import RecogniserPool

        return RecogniserPool(min(MOST_RECOGNISERS, max(1, (os.cpu_count() or 2) - 1)))

    @cached_property
    def chat(self) -> ChatModel:
        from app.providers.chat import connect

        key = self.settings.openai_api_key
        return connect(
            key=key.get_secret_value() if key else "",
            base_url=self.settings.openai_base_url,
            model=self.settings.openai_model,
        )


def _offline_stt(shared: Shared, playbook: Playbook) -> SpeechToText:
    from app.dialog.sayings import sayings_for
    from app.providers.offline.stt import OfflineSpeechToText

    return OfflineSpeechToText(lambda expected: sayings_for(playbook, expected), shared.recognisers)


def _playbook_dialogue(shared: Shared, playbook: Playbook) -> Callable[[date, str], Dialogue]:
    from app.providers.offline.dialogue import PlaybookDialogue
    from app.providers.offline.intents import Intents

    understand = Intents.load(playbook, shared.settings.data_dir).understand
    return lambda today, direction: PlaybookDialogue(playbook, understand, today=today, direction=direction)


def _openai_dialogue(shared: Shared, playbook: Playbook) -> Callable[[date, str], Dialogue]:
    from app.providers.offline.intents import Intents
    from app.providers.openai import Guide, LanguageModelDialogue

    guide, chat = Guide.by(playbook, Intents.load(playbook, shared.settings.data_dir).understand), shared.chat
    return lambda today, direction: LanguageModelDialogue(guide, chat, today=today, direction=direction)


def _offline_tts(shared: Shared) -> TextToSpeech:
    from app.providers.offline.tts import OfflineTextToSpeech

    return OfflineTextToSpeech()


SPEECH_TO_TEXT: Mapping[str, Callable[[Shared, Playbook], SpeechToText]] = {"offline": _offline_stt}
DIALOGUE: Mapping[str, Callable[[Shared, Playbook], Callable[[date, str], Dialogue]]] = {
    "playbook": _playbook_dialogue,
    "openai": _openai_dialogue,
}
TEXT_TO_SPEECH: Mapping[str, Callable[[Shared], TextToSpeech]] = {"offline": _offline_tts}


class Providers:
    """The first of each chain that exists here. Raises BadSetting at once when a chain has none."""

    def __init__(self, settings: Settings) -> None:
        self._shared = Shared(settings)
        stt = _first(SPEECH_TO_TEXT, settings, "stt")
        dialogue = _first(DIALOGUE, settings, "llm")
        tts = _first(TEXT_TO_SPEECH, settings, "tts")
        self._stt = lru_cache(PLAYBOOKS)(lambda playbook: stt(self._shared, playbook))
        self._dialogue = lru_cache(PLAYBOOKS)(lambda playbook: dialogue(self._shared, playbook))
        self._tts = lru_cache(1)(lambda: tts(self._shared))

    def speech_to_text(self, playbook: Playbook) -> SpeechToText:
        return self._stt(playbook)

    def dialogue(self, playbook: Playbook, *, today: date, direction: str) -> Dialogue:
        """For one call. `today` is the business's local date. The first one of a playbook loads its intents."""
        return self._dialogue(playbook)(today, direction)

    def text_to_speech(self) -> TextToSpeech:
        return self._tts()

    def voice_activity(self) -> VoiceActivity:
        return self._shared.voice

    def prepare(self, playbook: Playbook) -> None:
        """Loads what a call with this playbook needs from its first word on. On a new machine, or after the playbook
        changed, its intents are trained now, which takes seconds."""
        self._tts()
        self._dialogue(playbook)

    async def warm(self) -> None:
        """Gets ready what the first caller would otherwise wait for. Raises ProviderDown when it does not come up."""
        recognisers = self._shared.recognisers if "offline" in self._shared.settings.chain("stt") else None
        await asyncio.to_thread(self._shared.voice.warm)
        if recognisers is not None:
            await recognisers.warm()

    async def close(self) -> None:
        if "chat" in vars(self._shared):
            await self._shared.chat.client.close()
        if "recognisers" in vars(self._shared):
            await asyncio.to_thread(self._shared.recognisers.close)


def _first(table: Mapping[str, Maker], settings: Settings, stage: str) -> Maker:
    chain = settings.chain(stage)
    for name in chain:
        if name in table:
            return table[name]
    known = ", ".join(sorted(table))
    raise BadSetting(f"STROWGER_{stage.upper()} names {', '.join(chain)}; this version has {known}.")
