"""The playbook engine as a Dialogue: no network, no model to wait for; the stand-in when a language model fails."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from copy import copy
from datetime import date
from typing import Self

from app.dialog import engine
from app.dialog.moves import CallerTurn, Expectation, HeardLine, Move, Said
from app.dialog.playbook import Playbook
from app.dialog.routing import expectation
from app.dialog.sayings import answers_for
from app.dialog.state import State, Understanding

Understand = Callable[[str, Expectation], Understanding]


class PlaybookDialogue:
    """One conversation.

    `understand` says what words mean; `today` is the business's local date, from which visits are offered.
    """

    def __init__(self, playbook: Playbook, understand: Understand, *, today: date, direction: str = "inbound") -> None:
        self._playbook, self._understand = playbook, understand
        self._state, self._opening = engine.begin(playbook, today=today, direction=direction)
        self._expected: tuple[State, Expectation] | None = None  # what we listen for in which state

    @property
    def name(self) -> str:
        return "playbook"

    @property
    def state(self) -> State:
        return self._state

    def expecting(self) -> Expectation:
        """`phrases` are the direct answers; `sayings.sayings_for` adds what may be said at any time."""
        if self._expected is None or self._expected[0] is not self._state:  # asked at every sign of life
            found = expectation(self._state, self._playbook, answers_for(self._playbook, self._state.topic))
            self._expected = self._state, found
        return self._expected[1]

    async def begin(self) -> AsyncIterator[Move]:
        for move in self._opening:
            yield move

    async def answer(self, turn: CallerTurn) -> AsyncIterator[Move]:
        """The state has changed before the first move: cancelling the reply loses lines, never what the caller said."""
        meaning = Understanding()
        if isinstance(turn, Said) and turn.text.strip():
            meaning = self._understand(turn.text, self.expecting())
        self._state, moves = engine.answer(self._state, turn, meaning, self._playbook)
        for move in moves:
            yield move

    def heard(self, line: HeardLine) -> None:
        self._state = engine.heard(self._state, line, self._playbook)

    def hint(self, text: str) -> str:
        meaning = self._understand(text, Expectation())
        self._state, use = engine.hint(self._state, text, meaning, self._playbook)
        return use

    def advise(self, action: str) -> None:
        self._state = engine.advise(self._state, action)

    def overheard(self, text: str, by: str = "caller") -> None:
        """It answered nothing of ours: no fact is taken from it."""

    def fork(self) -> Self:
        return copy(self)  # its state is one frozen value
