"""Every provider by the name the settings use. Adding one is a file, and a line in its table here.

Modules are imported when they are chosen: a process pays only for what it uses.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from app.dialog.script import Playbook
from app.errors import BadSetting
from app.ports import Dialogue, SpeechToText, TextToSpeech, VoiceActivity
from app.settings import Settings

if TYPE_CHECKING:
    from app.providers.offline.intents import Intents

Maker = TypeVar("Maker")


def _offline_stt(settings: Settings, playbook: Playbook) -> SpeechToText:
    from app.providers.offline.stt import OfflineSpeechToText

    return OfflineSpeechToText(playbook)


def _playbook_dialogue(settings: Settings, playbook: Playbook, today: date, direction: str) -> Dialogue:
    from app.providers.offline.dialogue import PlaybookDialogue

    return PlaybookDialogue(
        playbook, _intents(playbook, settings.data_dir).understand, today=today, direction=direction
    )


def _offline_tts(settings: Settings) -> TextToSpeech:
    from app.providers.offline.tts import OfflineTextToSpeech

    return OfflineTextToSpeech()


SPEECH_TO_TEXT: Mapping[str, Callable[[Settings, Playbook], SpeechToText]] = {"offline": _offline_stt}
DIALOGUE: Mapping[str, Callable[[Settings, Playbook, date, str], Dialogue]] = {"playbook": _playbook_dialogue}
TEXT_TO_SPEECH: Mapping[str, Callable[[Settings], TextToSpeech]] = {"offline": _offline_tts}


def speech_to_text(settings: Settings, playbook: Playbook) -> SpeechToText:
    """For one playbook. Raises BadSetting when none of the chain exists here."""
    return _first(SPEECH_TO_TEXT, settings, "stt")(settings, playbook)


def dialogue(settings: Settings, playbook: Playbook, *, today: date, direction: str) -> Dialogue:
    """For one call. `today` is the business's local date."""
    return _first(DIALOGUE, settings, "llm")(settings, playbook, today, direction)


def text_to_speech(settings: Settings) -> TextToSpeech:
    return _first(TEXT_TO_SPEECH, settings, "tts")(settings)


@lru_cache(maxsize=1)
def voice_activity() -> VoiceActivity:
    """One for all calls: it hears them in batches."""
    from app.providers.offline.vad import SileroVoiceActivity

    return SileroVoiceActivity()


def warm_up(settings: Settings, voice: VoiceActivity) -> None:
    """What may be loaded before the first call, while nobody waits."""
    from app.providers.offline.vad import SileroVoiceActivity

    if isinstance(voice, SileroVoiceActivity):
        voice.warm()


def _first(table: Mapping[str, Maker], settings: Settings, stage: str) -> Maker:
    chain = settings.chain(stage)
    for name in chain:
        if name in table:
            return table[name]
    known = ", ".join(sorted(table))
    raise BadSetting(f"STROWGER_{stage.upper()} names {', '.join(chain)}; this version has {known}.")


@lru_cache(maxsize=8)
def _intents(playbook: Playbook, data_dir: Path) -> Intents:
    from app.providers.offline.intents import Intents

    return Intents.load(playbook, data_dir)
