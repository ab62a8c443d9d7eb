"""Conversations that need no speech, and a server that holds them: `python scripted_server.py PORT PROCESSES`."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Self

from app.api.conversations import Cast, Host
from app.api.records import Records
from app.api.switchboard import Switchboard
from app.call.setup import Parts
from app.dialog.events import Entry
from app.dialog.moves import Finish, Move, Say
from app.providers.scripted import (
    ScriptedDialogue,
    ScriptedSpeechToText,
    ScriptedTextToSpeech,
    ScriptedVoiceActivity,
    script,
)
from app.settings import Settings, load
from app.store.calls import CallRow

GREETING = Say(("Hello, this is Northlight Solar.",), "greeting")
BYE = Say(("Goodbye.",), "goodbye")


@dataclass
class ScriptedStudio:
    """Greets a new call, says "where were we" on a resumed one, and ends it when the caller presses 1."""

    casts: list[tuple[str, Sequence[Entry]]] = field(default_factory=list)

    ready: bool = True
    expected: list[str] = field(default_factory=list)
    given_up: list[str] = field(default_factory=list)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc: object) -> None:
        return

    def expect(self, playbook: str, call: CallRow) -> None:
        self.expected.append(call.call_sid)

    def give_up(self, call_sid: str) -> None:
        self.given_up.append(call_sid)

    def cast(self, call: CallRow, playbook: str, log: Sequence[Entry]) -> Cast:
        self.casts.append((call.call_sid, log))
        opening: tuple[Move, ...] = (Say(("Where were we?",), "resumed"),) if log else (GREETING,)
        dialogue = ScriptedDialogue(opening, script({"1": (BYE, Finish("finished"))}))
        speech = ScriptedTextToSpeech(ms_per_word=40)
        return Cast(Parts(dialogue, ScriptedSpeechToText(), speech, ScriptedVoiceActivity()))


def hosting(settings: Settings, records: Records, board: Switchboard) -> Host:
    return Host(records, board, ScriptedStudio(), account_sid=settings.twilio_account_sid)


if __name__ == "__main__":
    from app.server import serve

    serve(load(), port=int(sys.argv[1]), processes=int(sys.argv[2]), hosting=hosting)
