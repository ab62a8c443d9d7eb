"""An answer begun before the turn is ours: made by a fork of the dialogue, heard by nobody until it is adopted.

Dropped, it was never there: the dialogue does not know of it, nothing is logged but what it cost, nothing is durable.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

from app.call.log import CallLog
from app.call.moves import Production
from app.dialog.events import DraftDropped, Fact, TokensUsed
from app.ports import Dialogue, Metered, Note, Said, TextToSpeech


class Draft:
    def __init__(
        self,
        said: Said,
        fork: Dialogue,
        tts: TextToSpeech,
        commit: Callable[[Fact], Awaitable[None]],
        clock: Callable[[], int],
    ) -> None:
        """`said` is redacted: it goes to the providers as it is."""
        self.turn, self.begun_ms = said.turn, clock()
        self._dialogue = fork
        self.production = Production(fork.answer(said), tts, commit, clock, draft=True)

    def begin(self, group: asyncio.TaskGroup) -> None:
        self.production.begin(group, f"draft {self.turn}")

    def adopt(self) -> Dialogue:
        """The dialogue from now on."""
        self.production.adopt()
        return self._dialogue

    async def drop(self, log: CallLog) -> None:
        await self.production.stopped()
        log.write(DraftDropped(self.turn, self.begun_ms, self.production.letters))
        for left in self.production.left():
            if isinstance(left, Note) and isinstance(left.fact, TokensUsed):
                log.write(replace(left.fact, cancelled=True))
        write_unreported(self._dialogue, log)


def write_unreported(dialogue: Dialogue, log: CallLog) -> None:
    """What a model did for an answer that was broken off."""
    if isinstance(dialogue, Metered):
        for used in dialogue.unreported():
            log.write(used)
