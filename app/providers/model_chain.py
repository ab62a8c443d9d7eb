"""Several language models as one: who keeps us waiting for the first word gets company, and the first to speak wins.

A chain belongs to one call and begins each turn with the model that spoke last. Once one has spoken there is no going
back: what fails after that is completed from the playbook, for no model goes on in another's words.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace

from app.dialog.deadlines import DEADLINES
from app.dialog.prompt import Message
from app.dialog.toolbox import Tool
from app.errors import ProviderDown, ProviderError, ProviderLate, ProviderLeftAlone
from app.providers.circuits import Circuits
from app.providers.language_model import LanguageModel, Passed, Piece, Tokens, Unheard

Streams = dict[LanguageModel, AsyncGenerator[Piece, None]]


@dataclass(frozen=True, slots=True)
class Hedge:
    """Seconds. The next model is asked as well whenever nobody has said a word for `next_s`, and at once when one
    fails; `total_s` after the turn was asked nobody is waited for: the playbook must still be heard within 2.5 s."""

    next_s: float = DEADLINES.next_model_s
    total_s: float = DEADLINES.models_s


@dataclass(slots=True)
class _Race:
    """Who was asked, in order, what became of those who failed, and who spoke first."""

    asked: list[LanguageModel] = field(default_factory=list)
    errors: dict[LanguageModel, ProviderError] = field(default_factory=dict)
    winner: LanguageModel | None = None
    first: Piece | None = None

    def passed(self, to: LanguageModel) -> list[Passed]:
        """Those before whom `to` spoke or was heard of, though they had been asked earlier, and those who failed."""
        before = self.asked[: self.asked.index(to)]
        late = ProviderLate("no word while another was asked and spoke")
        return [
            Passed(model.name, self.errors.get(model, late), to.name)
            for model in self.asked
            if model is not to and (model in self.errors or model in before)
        ]

    def unheard(self) -> list[Unheard]:
        """Who had our request and was not waited for."""
        return [
            Unheard(model.name, model.model)
            for model in self.asked
            if model is not self.winner and isinstance(self.errors.get(model), ProviderLate | None)
        ]


class ModelChain:
    """The LanguageModel port over several of them, in order."""

    def __init__(
        self, models: Sequence[LanguageModel], circuits: Circuits | None = None, hedge: Hedge | None = None
    ) -> None:
        self._models, self._circuits, self._hedge = tuple(models), circuits or Circuits(), hedge or Hedge()
        self._current = self._models[0]

    @property
    def name(self) -> str:
        """Of the one that spoke last, or failed last."""
        return self._current.name

    @property
    def model(self) -> str:
        return self._current.model

    async def stream(self, messages: Sequence[Message], tools: Sequence[Tool] = ()) -> AsyncGenerator[Piece, None]:
        """As a model does; `Passed` and `Unheard` come first. Raises the last one's error when nobody spoke, and
        ProviderDown when every circuit is open: the playbook has words without a model."""
        streams = {model: model.stream(messages, tools) for model in self._candidates()}
        try:
            if not streams:
                raise ProviderLeftAlone("left alone after failures")
            race = await self._first_to_speak(streams)
            self._current = last = race.winner or race.asked[-1]
            for passed in race.passed(last):
                yield passed
            for unheard in race.unheard():
                yield unheard
            if race.winner is None or race.first is None:
                raise race.errors[last]
            async with aclosing(self._whole(race.winner, race.first, streams[race.winner])) as pieces:
                async for piece in pieces:
                    yield piece
        finally:
            for stream in streams.values():
                await stream.aclose()

    async def warm(self) -> None:
        for model in self._models:
            await model.warm()

    async def close(self) -> None:
        for model in self._models:
            await model.close()

    def _candidates(self) -> list[LanguageModel]:
        at, now = self._models.index(self._current), asyncio.get_running_loop().time()
        turn = (*self._models[at:], *self._models[:at])
        return [model for model in turn if self._circuits.admits(model.name, now)]

    async def _first_to_speak(self, streams: Streams) -> _Race:
        """Each round asks one more; a round ends with a word, a failure, or after `next_s`."""
        race, waiting = _Race(), list(streams)
        running: dict[asyncio.Task[Piece | ProviderError], LanguageModel] = {}
        now = asyncio.get_running_loop().time
        ends = now() + self._hedge.total_s
        async with asyncio.TaskGroup() as group:
            while race.winner is None and (waiting or running) and now() < ends:
                if waiting:
                    race.asked.append(waiting.pop(0))
                    self._circuits.tried(race.asked[-1].name, now())
                    running[group.create_task(_first(streams[race.asked[-1]]))] = race.asked[-1]
                patience_s = min(ends - now(), self._hedge.next_s if waiting else self._hedge.total_s)
                done, _ = await asyncio.wait(running, timeout=patience_s, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    self._note(race, running.pop(task), task.result())
            for task, model in running.items():
                task.cancel()
                if race.winner is None:
                    self._note(race, model, ProviderLate("no word in time"))
        return race

    def _note(self, race: _Race, model: LanguageModel, came: Piece | ProviderError) -> None:
        if isinstance(came, ProviderError):
            race.errors[model] = came
            self._failed(model, came)
        elif race.winner is None:
            race.winner, race.first = model, came

    async def _whole(
        self, model: LanguageModel, first: Piece, rest: AsyncGenerator[Piece, None]
    ) -> AsyncGenerator[Piece, None]:
        """The winner's pieces; its circuit hears how it ended. That nobody wants the rest is no fault of its."""
        try:
            yield first
            async for piece in rest:
                yield replace(piece, provider=model.name, model=model.model) if isinstance(piece, Tokens) else piece
        except GeneratorExit:
            self._circuits.worked(model.name)
            raise
        except ProviderError as error:
            self._failed(model, error)
            raise
        self._circuits.worked(model.name)

    def _failed(self, model: LanguageModel, error: ProviderError) -> None:
        self._circuits.failed(model.name, error, asyncio.get_running_loop().time())


async def _first(pieces: AsyncGenerator[Piece, None]) -> Piece | ProviderError:
    """An error is a result here, so that the others are asked on."""
    try:
        return await anext(pieces)
    except StopAsyncIteration:
        return ProviderDown("nothing was said")
    except ProviderError as error:
        return error
