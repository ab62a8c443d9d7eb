"""Every state a playbook's conversation can be in, so that a process can prepare for them before the first call.

stt = OfflineSpeechToText(source(playbook), pool)
await pool.warm(stt.language(expected) for expected in expectations(playbook))
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date

from app.dialog import engine
from app.dialog.moves import Expectation
from app.dialog.routing import expectation
from app.dialog.sayings import answers_for, sayings_for
from app.dialog.script import Playbook
from app.providers.offline.language import GrammarSource

ALWAYS = ("menu", "appointment", "callback", "whatsapp", "closing")


def source(playbook: Playbook) -> GrammarSource:
    """What to listen for in each state of a playbook."""
    return lambda expected: sayings_for(playbook, expected)


def expectations(playbook: Playbook) -> Iterator[Expectation]:
    """The same values as the dialogue's `expecting()` gives."""
    state, _ = engine.begin(playbook, today=date(2026, 1, 1))
    topics = [*ALWAYS, *(f"ask:{fact.name}" for fact in playbook.facts)]
    topics += [f"confirm:{fact.name}" for fact in playbook.facts if fact.confirm]
    for topic in topics:
        yield expectation(replace(state, topic=topic), playbook, answers_for(playbook, topic))
