"""A conversation as text: what the caller does, what the agent says. All is heard unless a test says otherwise."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from functools import cache
from pathlib import Path
from typing import TypeVar

import pytest

from app.dialog import engine
from app.dialog.events import Fact
from app.dialog.moves import CallerTurn, Commit, Finish, HeardLine, Move, Note, Pressed, Said, Say, Silent
from app.dialog.playbook import Playbook, parse
from app.dialog.state import State, Understanding

T = TypeVar("T")
ROOT = Path(__file__).parents[3]
FRIDAY = date(2026, 11, 20)


@cache
def northlight() -> Playbook:
    path = ROOT / "app" / "playbooks" / "northlight_solar.yaml"
    return parse(path.read_text(encoding="utf-8"), path.name)


class Talk:
    """Drives the engine turn by turn and keeps what came out."""

    def __init__(self, playbook: Playbook | None = None, *, direction: str = "inbound", heard: float = 1.0) -> None:
        """`heard` is the share of the opening the caller let the agent say."""
        self.playbook = playbook or northlight()
        self.moves: list[Move] = []
        self.turn = 0
        self.state, opening = engine.begin(self.playbook, today=FRIDAY, direction=direction)
        self._take(self.state, opening, heard)

    def says(self, text: str, intent: str = "other", about: str = "", *, sure: float = 0.9, heard: float = 1.0) -> str:
        """What the agent answers. `heard` is the share of it that the caller listens to."""
        self.turn += 1
        meaning = Understanding(intent, sure, about, sure if about else 0.0)
        return self._do(Said(self.turn, text), meaning, heard)

    def presses(self, digits: str) -> str:
        self.turn += 1
        return self._do(Pressed(self.turn, digits))

    def is_silent(self, nudge: int = 1) -> str:
        self.turn += 1
        return self._do(Silent(self.turn, nudge))

    def does(self, turn: CallerTurn, meaning: Understanding | None = None, heard: float = 1.0) -> str:
        return self._do(turn, meaning or Understanding(), heard)

    def _do(self, turn: CallerTurn, meaning: Understanding | None = None, heard: float = 1.0) -> str:
        self._take(*engine.answer(self.state, turn, meaning or Understanding(), self.playbook), heard)
        return self.last

    def _take(self, state: State, moves: tuple[Move, ...], heard: float) -> None:
        self.state, self.reply = state, moves
        self.moves += moves
        lines = [move for move in moves if isinstance(move, Say)]
        self.last = " ".join(line.text for line in lines)
        left = round(sum(len(line.text.split()) for line in lines) * heard)
        for line in lines:
            words = line.text.split()
            got = words if line.protected else words[:left]
            left -= 0 if line.protected else len(got)
            self.state = engine.heard(self.state, HeardLine(line, " ".join(got), got == words), self.playbook)

    @property
    def facts(self) -> list[Fact]:
        return [move.fact for move in self.moves if isinstance(move, Note | Commit)]

    def of(self, kind: type[T]) -> list[T]:
        return [fact for fact in self.facts if isinstance(fact, kind)]

    @property
    def ended(self) -> str:
        return next((move.reason for move in self.reply if isinstance(move, Finish)), "")

    def spoken(self) -> Iterator[str]:
        for move in self.moves:
            if isinstance(move, Say):
                yield from move.parts

    def through_the_facts(self) -> Talk:
        """Everything up to the visit."""
        for line in (
            "sales",
            "yes",
            "tile",
            "two hundred dollars",
            "no shade",
            "soon",
            "nine four one oh seven",
            "yes",
        ):
            self.says(line, "yes" if line == "yes" else "other")
        return self


@pytest.fixture
def talk() -> Talk:
    """Northlight Solar has just greeted a caller, who heard it all."""
    return Talk()


@pytest.fixture(scope="session")
def new_talk() -> type[Talk]:
    """For conversations that begin otherwise."""
    return Talk


@pytest.fixture
def playbook() -> Playbook:
    return northlight()
