"""Dialogue on language models, steered by the playbook.

The engine decides, as it does offline: what the caller's words change, what is asked next, what has legal weight. The
model only puts the rest into words, and may use the few tools the state allows. Whenever it is late, fails or says what
it may not, the playbook's own lines take over within the turn, and the log says so.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import aclosing
from copy import copy
from dataclasses import dataclass, field
from datetime import date
from typing import Literal, Self

from app.dialog import engine, hints
from app.dialog.composer import Composer
from app.dialog.events import FactLearned, ProviderFailed, TokensUsed
from app.dialog.moves import CallerTurn, Commit, Expectation, Finish, HeardLine, Move, Note, Pressed, Said, Say
from app.dialog.playbook import Playbook
from app.dialog.prompt import MOST_SAYINGS, Saying, messages
from app.dialog.routing import expectation
from app.dialog.sayings import answers_for
from app.dialog.speakable import Approved
from app.dialog.state import State, Understanding
from app.dialog.toolbox import NotAllowed, Tool, Used, tools_for, use
from app.dialog.wording import Wording, divide, is_substance
from app.errors import ProviderError
from app.providers.language_model import (
    Ended,
    LanguageModel,
    Passed,
    Tokens,
    ToolCall,
    Unheard,
    Words,
    in_gulps,
)
from app.providers.offline.dialogue import Understand
from app.providers.pace import Pace

TOOLS_PER_TURN = 3
TOOLS_PER_CALL = 20
MOST_LOST = 2
LETTERS_PER_TOKEN = 4  # of English, about: for answers whose server was not asked to the end


@dataclass(slots=True)
class _Attempt:
    """What came of asking the model once."""

    composer: Composer
    tools: tuple[Tool, ...]
    calls: list[ToolCall] = field(default_factory=list)
    tokens: Tokens | None = None
    passed: list[Passed] = field(default_factory=list)
    unheard: list[Unheard] = field(default_factory=list)
    asked: int = 0  # letters of the request
    letters: int = 0  # of what came
    failure: str = ""
    kind: str = ""  # of failure


@dataclass(frozen=True, slots=True)
class Guide:
    """What all calls with one playbook share: itself, what callers' words mean in it, and what it lets one say."""

    playbook: Playbook
    understand: Understand
    approved: Approved

    @classmethod
    def by(cls, playbook: Playbook, understand: Understand) -> Guide:
        return cls(playbook, understand, Approved.by(playbook))


class _Reach:
    """Whether the model's words reach the caller's ear. A voice that speaks only the playbook's lines (the offline one,
    after a better one failed) never says the model's: then the playbook speaks, after two tries for good."""

    def __init__(self) -> None:
        self._first = ""  # words of the model's in this reply
        self._lost = 0  # replies in a row of which these were not heard at all
        self._passed = False

    def spoke(self, text: str) -> None:
        self._first = self._first or text

    def heard(self, line: HeardLine) -> None:
        if self._first and line.line.text == self._first:
            self._first, self._passed = "", False
            self._lost = 0 if line.heard_text else self._lost + 1

    def good(self) -> bool:
        """Ask once a turn: after a lost reply one turn is left to the playbook."""
        self._first = ""
        if self._lost == 1 and not self._passed:
            self._passed = True
            return False
        return self._lost < MOST_LOST


class LanguageModelDialogue:
    """One conversation."""

    def __init__(
        self, guide: Guide, model: LanguageModel, *, today: date, direction: str = "inbound", pace: Pace | None = None
    ) -> None:
        self._guide, self._model, self._pace = guide, model, pace or Pace()
        self._book = guide.playbook
        self._state, self._opening = engine.begin(self._book, today=today, direction=direction)
        self._history: deque[Saying] = deque(maxlen=MOST_SAYINGS)
        self._whispered: tuple[str, ...] = ()  # by colleagues, since the caller's last turn
        self._reach = _Reach()
        self._tools_used = 0
        self._unreported: list[TokensUsed] = []
        self._expected: tuple[State, Expectation] | None = None  # what we listen for in which state
        self._asked_at: float | None = None  # the model, which has not said a word since

    @property
    def name(self) -> str:
        """Of the model that was asked last."""
        return self._model.name

    @property
    def state(self) -> State:
        return self._state

    def late_in_s(self) -> float | None:
        if self._asked_at is None:
            return None
        usual_s = 0.0 if self._pace.slow else self._pace.usual_s
        return None if usual_s is None else self._asked_at + usual_s - asyncio.get_running_loop().time()

    def expecting(self) -> Expectation:
        if self._expected is None or self._expected[0] is not self._state:  # asked at every sign of life
            self._expected = (
                self._state,
                expectation(self._state, self._book, answers_for(self._book, self._state.topic)),
            )
        return self._expected[1]

    async def begin(self) -> AsyncIterator[Move]:
        for move in self._opening:
            yield move

    def heard(self, line: HeardLine) -> None:
        self._state = engine.heard(self._state, line, self._book)
        self._reach.heard(line)
        if line.heard_text:
            self._history.append(Saying("agent", line.heard_text))

    def hint(self, text: str) -> str:
        """The engine takes from it what the playbook has; the model is told of it at the caller's next turn."""
        meaning = self._guide.understand(text, Expectation())
        self._state, use = engine.hint(self._state, text, meaning, self._book)
        self._whispered = (*self._whispered, text)[-hints.MOST_WAITING :]
        return use or "told"

    def advise(self, action: str) -> None:
        self._state = engine.advise(self._state, action)

    def overheard(self, text: str, by: Literal["caller", "colleague"] = "caller") -> None:
        self._history.append(Saying(by, text, to="colleague" if by == "caller" else "caller"))

    def fork(self) -> Self | None:
        other = copy(self)
        other._history, other._reach, other._unreported = self._history.copy(), copy(self._reach), []
        return other

    def unreported(self) -> tuple[TokensUsed, ...]:
        """Estimated: who leaves before the end is not told."""
        found, self._unreported = tuple(self._unreported), []
        return found

    async def recall(self, turn: CallerTurn) -> AsyncIterator[Move]:
        """A turn of the past, from the log: the engine's step without asking the model again."""
        for move in self._step(turn)[1]:
            yield move

    def remember(self, fact: FactLearned) -> None:
        """What a tool noted then, and the engine's step alone does not find."""
        if fact.name in {wanted.name for wanted in self._book.facts}:
            self._state = self._state.learn(fact.name, fact.value)

    async def answer(self, turn: CallerTurn) -> AsyncIterator[Move]:
        """The state has changed before the first move, and changes again only with a tool, in one step."""
        if isinstance(turn, Said | Pressed):
            self._history.extend(Saying("colleague", text) for text in self._whispered)
            self._whispered = ()
        history = tuple(self._history)
        understood, moves = self._step(turn)
        wording = divide(moves, self._book)
        for move in wording.logs:
            yield move
        if not isinstance(turn, Said) or not turn.text.strip() or not wording.for_model or not self._reach.good():
            for move in wording.as_written:
                yield move
            return
        tools = tools_for(self._state, self._book, understood=understood) if self._may_use_tools() else ()
        whispers = tuple(saying.text for saying in history if saying.whispered)
        composer = Composer(wording, self._book, self._guide.approved, self._state.facts, whispers)
        attempt = _Attempt(composer, tools)
        try:
            async with aclosing(self._ask(attempt, history, turn.text, wording)) as spoken:
                async for say in spoken:
                    self._reach.spoke(say.text)
                    yield say
        except (asyncio.CancelledError, GeneratorExit):
            self._unreported.append(self._estimated(turn.turn, attempt))
            raise
        for gone in attempt.passed:
            yield Note(ProviderFailed("dialogue", gone.provider, str(gone.error), gone.to, gone.error.kind))
        for idle in attempt.unheard:
            prompt = -(-attempt.asked // LETTERS_PER_TOKEN)
            yield Note(TokensUsed(turn.turn, idle.provider, idle.model, prompt, 0, cancelled=True, estimated=True))
        if used := attempt.tokens:
            provider, model = used.provider or self.name, used.model or self._model.model
            yield Note(TokensUsed(turn.turn, provider, model, used.prompt, used.completion))
        for move in self._rest(attempt, turn.text, wording):
            yield move

    def _estimated(self, turn: int, attempt: _Attempt) -> TokensUsed:
        """What an answer that was broken off will have cost."""
        used = attempt.tokens
        provider, model = (used and used.provider) or self.name, (used and used.model) or self._model.model
        if used:
            return TokensUsed(turn, provider, model, used.prompt, used.completion, cancelled=True)
        prompt, completion = (-(-letters // LETTERS_PER_TOKEN) for letters in (attempt.asked, attempt.letters))
        return TokensUsed(turn, provider, model, prompt, completion, cancelled=True, estimated=True)

    def _may_use_tools(self) -> bool:
        return self._tools_used < TOOLS_PER_CALL

    def _step(self, turn: CallerTurn) -> tuple[bool, tuple[Move, ...]]:
        """Whether the engine made sense of the turn, and its reply."""
        meaning = Understanding()
        if isinstance(turn, Said) and turn.text.strip():
            meaning = self._guide.understand(turn.text, self.expecting())
        self._state, moves = engine.answer(self._state, turn, meaning, self._book)
        if isinstance(turn, Said) and turn.text.strip():
            self._history.append(Saying("caller", turn.text))
        elif isinstance(turn, Pressed):
            self._history.append(Saying("caller", f"(pressed {turn.digits})"))
        purposes = {move.purpose for move in moves if isinstance(move, Say)}
        return not purposes & {"unclear", "no_answer", "move_on"} and len(purposes) > 1, moves

    async def _ask(
        self, attempt: _Attempt, history: tuple[Saying, ...], said: str, wording: Wording
    ) -> AsyncGenerator[Say, None]:
        """Speaks the model's words as they come. Never raises ProviderError."""
        prompt = messages(self._book, history, self._state.facts, said, wording)
        attempt.asked = sum(len(message["content"]) for message in prompt)
        composer = attempt.composer
        now = asyncio.get_running_loop().time
        asked_at = self._asked_at = now()
        try:
            async with aclosing(self._model.stream(prompt, attempt.tools)) as pieces:
                async for piece in in_gulps(pieces, lambda: composer.said):  # a first sentence takes a while to say
                    if self._asked_at is not None and isinstance(piece, Words | ToolCall):
                        self._pace.began(now() - asked_at)
                        self._asked_at = None
                    match piece:
                        case Words(text):
                            attempt.letters += len(text)
                            for say in composer.feed(text):
                                yield say
                        case ToolCall():
                            attempt.calls.append(piece)
                        case Ended(reason):
                            for say in composer.end(reason):
                                yield say
                        case Tokens():
                            attempt.tokens = piece
                        case Passed():
                            attempt.passed.append(piece)
                        case Unheard():
                            attempt.unheard.append(piece)
                    if composer.refused or (composer.over and not attempt.tools):
                        break
        except ProviderError as error:
            attempt.failure, attempt.kind = str(error), error.kind
            if self._asked_at is not None:
                self._pace.failed(now() - asked_at)
        finally:
            self._asked_at = None

    def _rest(self, attempt: _Attempt, said: str, wording: Wording) -> Iterator[Move]:
        """What the model left to be said, and what its tools lead to."""
        composer = attempt.composer
        problem = attempt.failure or (f"may not be said: {composer.refused}" if composer.refused else "")
        if problem:
            yield self._failed(problem, attempt.kind or "refused")
        refusals, led = self._use(attempt, said) if not problem else ([], [])
        for refusal in refusals:
            yield self._failed(f"tool refused: {refusal.why}", "refused")
        if led:
            yield from _after_tools(composer, wording, led)
            return
        yield from composer.unsaid(failed=bool(attempt.failure))
        if wording.question and not composer.asked:
            yield wording.question
        yield from wording.after

    def _use(self, attempt: _Attempt, said: str) -> tuple[list[NotAllowed], list[Used]]:
        """All tools of the turn at once: a reply cut short afterwards has still done what it logs."""
        refusals, led = [], []
        for call in attempt.calls[:TOOLS_PER_TURN]:
            self._tools_used += 1
            used = use(call.name, call.arguments, attempt.tools, self._state, said, self._book)
            if isinstance(used, NotAllowed):
                refusals.append(used)
            else:
                self._state = used.state
                led.append(used)
        return refusals, led

    def _failed(self, reason: str, kind: str) -> Note:
        return Note(ProviderFailed("dialogue", self.name, reason, "playbook", kind))


def _after_tools(composer: Composer, wording: Wording, led: list[Used]) -> Iterator[Move]:
    """What the tools log, what must be said all the same, and the next question, in the playbook's words."""
    for used in led:
        yield from (move for move in used.moves if isinstance(move, Note | Commit))
    if composer.asked and wording.question and led[-1].state.topic == wording.question.purpose:
        return  # it is being asked already
    if not composer.said:
        yield from composer.substance()
    for used in led:
        for move in used.moves:
            if isinstance(move, Say) and (used is led[-1] or is_substance(move)):
                if not (composer.said and move.purpose == "acknowledge"):
                    yield move
            elif isinstance(move, Finish):
                yield move
