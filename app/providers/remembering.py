"""A voice that says what it said before without asking its provider again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Collection
from contextlib import aclosing
from typing import cast

from app.dialog.phrases import DIGITS
from app.ports import HasVoiceVersion, Say, Speech, TextToSpeech
from app.providers.meter import model_of
from app.providers.phrase_store import PhraseStore, key_of

_ENDS = (".", "!", "?", "…")
_LONGEST = 300  # letters; nobody says a longer line twice


class RememberingTextToSpeech:
    """The TextToSpeech port around another one. What it was given to its end it has from then on.

    `constant` are the parts a playbook's lines are made of: lines of nothing else outlive the process, unless they
    spell digits. Those, and figures that are not the playbook's, were said to one caller and are not remembered at all.
    """

    def __init__(self, tts: TextToSpeech, store: PhraseStore, constant: Collection[str] = ()) -> None:
        self._tts, self._store, self._constant = tts, store, constant

    @property
    def name(self) -> str:
        return self._tts.name

    @property
    def model(self) -> str:
        return model_of(self._tts)

    @property
    def voice_version(self) -> str:
        return self._tts.voice_version if isinstance(self._tts, HasVoiceVersion) else ""

    def holds(self, line: Say) -> bool:
        """It needs nobody to say this."""
        return self._store.find(key_of(self.voice_version, line.text)) is not None

    async def speak(self, line: Say) -> AsyncIterator[Speech]:
        key = key_of(self.voice_version, line.text)
        if (known := self._store.find(key)) is not None:
            yield known
            return
        pieces: list[Speech] = []
        async with aclosing(cast(AsyncGenerator[Speech, None], self._tts.speak(line))) as spoken:
            async for piece in spoken:
                pieces.append(piece)
                yield piece
        self._keep(key, line, pieces)

    def _keep(self, key: str, line: Say, pieces: list[Speech]) -> None:
        spelled = any(part in DIGITS for part in line.parts)
        ours = all(part in self._constant for part in line.parts) and not spelled
        personal = spelled or (not ours and any(letter.isdigit() for letter in line.text))
        whole = line.text.rstrip("\"')”’")[-1:] in _ENDS  # how a fragment is said depends on what it is a part of
        if not self.voice_version or personal or not whole or len(line.text) > _LONGEST:
            return
        self._store.keep(key, pieces)
        if ours:
            asyncio.get_running_loop().run_in_executor(None, self._store.save, key)
