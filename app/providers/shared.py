"""What the calls of one process share of what runs on this machine, and how its makers get hold of it."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import cached_property
from importlib import import_module
from typing import TYPE_CHECKING, Any

from app.dialog.script import Playbook
from app.dialog.voice import Voice
from app.ports import SpeechToText, TextToSpeech
from app.providers.phrase_store import PhraseStore
from app.settings import Settings

if TYPE_CHECKING:
    from app.providers.offline.synthesis import Synthesizer
    from app.providers.offline.vad import SileroVoiceActivity
    from app.providers.offline.workers import RecogniserPool

MOST_RECOGNISERS = 4  # processes; one keeps up with about fifteen people talking at the same time


class Shared:
    """What the calls of one process share, each made when it is first needed."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.offline: dict[Synthesizer | None, TextToSpeech] = {}

    @cached_property
    def voice(self) -> SileroVoiceActivity:
        """Hears all calls in batches."""
        from app.providers.offline.vad import SileroVoiceActivity

        return SileroVoiceActivity()

    @cached_property
    def phrases(self) -> PhraseStore:
        """Empty until it is loaded."""
        return PhraseStore(self.settings.data_dir / "phrases")

    @cached_property
    def recognisers(self) -> RecogniserPool:
        from app.providers.offline.workers import RecogniserPool

        return RecogniserPool(min(MOST_RECOGNISERS, max(1, (os.cpu_count() or 2) - 1)))


def offline_stt(shared: Shared, playbook: Playbook) -> SpeechToText:
    from app.dialog.sayings import sayings_for
    from app.providers.offline.stt import OfflineSpeechToText

    return OfflineSpeechToText(lambda expected: sayings_for(playbook, expected), shared.recognisers)


def offline_tts(shared: Shared, voice: Voice) -> TextToSpeech:
    """Playbooks that do not differ in the voice here share what was synthesized."""
    from app.providers.offline.tts import OfflineTextToSpeech, own_voice

    own = own_voice(voice)
    if own not in shared.offline:
        shared.offline[own] = OfflineTextToSpeech(own=own)
    return shared.offline[own]


def module(name: str, make: str = "make") -> Callable[..., Any]:
    """Makes what this function of the module returns, given the settings and what depends on the stage."""
    return lambda shared, *of: getattr(import_module(name), make)(shared.settings, *of)
