"""Casts calls: the providers the settings name, made ready once, and a dialogue for each call from its playbook."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from app.api.continued import Continued
from app.api.conversations import Cast, Host
from app.api.records import Records
from app.api.switchboard import Switchboard
from app.call.setup import Parts
from app.dialog.events import Entry
from app.dialog.patience import Patience
from app.dialog.playbook import parse
from app.dialog.script import Playbook
from app.ports import Dialogue
from app.providers import registry
from app.settings import Settings
from app.store.calls import CallRow


class ProviderStudio:
    """Playbooks are parsed once per text; what is expensive in a provider is shared by all calls."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._voice = registry.voice_activity()
        self._parse = lru_cache(maxsize=32)(parse)

    def warm_up(self) -> None:
        """Loads models ahead, so that the first caller does not wait for them."""
        registry.warm_up(self._settings, self._voice)

    def cast(self, call: CallRow, playbook: str, log: Sequence[Entry]) -> Cast:
        book = self._parse(playbook, f"{call.playbook}.yaml")
        stt = registry.speech_to_text(self._settings, book)
        tts = registry.text_to_speech(self._settings)
        return Cast(Parts(self._dialogue(call, book, log), stt, tts, self._voice))

    def _dialogue(self, call: CallRow, book: Playbook, log: Sequence[Entry]) -> Dialogue:
        today = datetime.now(ZoneInfo(book.business.timezone)).date()
        fresh = registry.dialogue(self._settings, book, today=today, direction=call.direction)
        return Continued(fresh, log) if log else fresh


def host(settings: Settings, records: Records, board: Switchboard) -> Host:
    """Conversations with the providers the settings name."""
    patience = Patience(call_ms=int(settings.call_limit_s * 1000))
    return Host(records, board, ProviderStudio(settings), account_sid=settings.twilio_account_sid, patience=patience)
