"""A conversation with the model's dialogue, through the real SDK and a socket, with everything said being heard."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import date
from functools import cache
from pathlib import Path
from typing import Generic, TypeVar

from app.dialog.events import Fact, ProviderFailed
from app.dialog.moves import CallerTurn, Commit, Expectation, Finish, HeardLine, Move, Note, Pressed, Said, Say
from app.dialog.playbook import Playbook, parse
from app.dialog.state import Understanding
from app.exchange.completions import Completion
from app.exchange.model_server import Answer, ModelServer
from app.exchange.openai import ChatServer
from app.providers.chat import ChatModel, Limits, connect
from app.providers.circuits import FuseBox
from app.providers.language_model import LanguageModel
from app.providers.model_chain import Hedge, ModelChain
from app.providers.openai import Guide, LanguageModelDialogue

FRIDAY = date(2026, 11, 20)
PATIENT = Limits(first_s=10.0, gap_s=10.0, usage_s=10.0)  # on a busy machine nothing is late by accident
NO_HEDGE = Hedge(next_s=10.0, total_s=10.0)
MEANINGS = {
    "how much does it cost": Understanding("price", 0.9, "question:price", 0.9),
    "is there a warranty": Understanding("other", 0.2, "question:warranty", 0.9),
    "stop calling me": Understanding("stop_calling", 1.0),
}


@cache
def northlight() -> Playbook:
    path = Path(__file__).parents[2] / "app" / "playbooks" / "northlight_solar.yaml"
    return parse(path.read_text(encoding="utf-8"), path.name)


def understand(text: str, expecting: Expectation) -> Understanding:
    return MEANINGS.get(text, Understanding())


@cache
def guide() -> Guide:
    return Guide.by(northlight(), understand)


Model = TypeVar("Model", bound=LanguageModel)
Server = TypeVar("Server", bound=ModelServer)


class AnyTalk(Generic[Model, Server]):
    """Turn by turn; `moves` are those of the last reply."""

    def __init__(self, model: Model, server: Server) -> None:
        self.model, self.server = model, server
        self.fuses = FuseBox()
        chain = ModelChain([model], self.fuses.circuits("llm"), NO_HEDGE)
        self.dialogue = LanguageModelDialogue(guide(), chain, today=FRIDAY)
        self.moves: list[Move] = []
        self.turn = 0

    async def begin(self) -> None:
        await self._take(self.dialogue.begin())

    async def says(self, text: str) -> str:
        """What the agent answers."""
        self.turn += 1
        return await self._take(self.dialogue.answer(Said(self.turn, text)))

    async def does(self, turn: CallerTurn) -> str:
        return await self._take(self.dialogue.answer(turn))

    async def presses(self, *digits: str) -> None:
        for keys in digits:
            self.turn += 1
            await self._take(self.dialogue.answer(Pressed(self.turn, keys)))

    async def _take(self, moves: AsyncIterator[Move]) -> str:
        self.moves = [move async for move in moves]
        for line in self.lines:
            self.dialogue.heard(HeardLine(line, line.text, True))
        return " ".join(line.text for line in self.lines)

    @property
    def lines(self) -> list[Say]:
        return [move for move in self.moves if isinstance(move, Say)]

    @property
    def facts(self) -> list[Fact]:
        return [move.fact for move in self.moves if isinstance(move, Note | Commit)]

    @property
    def failures(self) -> list[ProviderFailed]:
        return [fact for fact in self.facts if isinstance(fact, ProviderFailed)]

    @property
    def finished(self) -> bool:
        return any(isinstance(move, Finish) for move in self.moves)


class Talk(AnyTalk[ChatModel, ChatServer]):
    """Over chat completions."""


@asynccontextmanager
async def talking(*replies: Completion | Answer, limits: Limits = PATIENT) -> AsyncIterator[Talk]:
    """The opening was heard, the caller chose sales by key, and is asked whether he owns his home."""
    async with ChatServer(*replies) as server:
        model = connect(key=server.key, base_url=server.url, model=server.model, limits=limits)
        try:
            talk = Talk(model, server)
            await talk.begin()
            await talk.presses("1")
            yield talk
        finally:
            await model.client.close()


def run(main: Callable[[], Awaitable[None]]) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(30):
            await main()

    asyncio.run(bounded())
