"""A conversation cut anywhere and taken up again stands where it stood, and never greets twice (F19, F21)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import date
from importlib.resources import files

import pytest

from app.api.continued import Continued
from app.dialog.events import AgentHeard, AgentSaid, CallBegan, CallEnded, CallerKeyed, CallerSaid, Entry, Fact
from app.dialog.moves import CallerTurn, Commit, Expectation, HeardLine, Move, Note, Pressed, Said, Say
from app.dialog.playbook import parse
from app.dialog.state import Understanding
from app.providers.offline.dialogue import PlaybookDialogue

BOOK = parse(
    (files("app") / "playbooks" / "northlight_solar.yaml").read_text(encoding="utf-8"), "northlight_solar.yaml"
)
TURNS = (Pressed(1, "1"), Said(2, "yes"), Said(3, "no idea"), Said(4, "tile"), Said(5, "two hundred"))


def understand(text: str, expecting: Expectation) -> Understanding:
    return Understanding()


def a_dialogue() -> PlaybookDialogue:
    return PlaybookDialogue(BOOK, understand, today=date(2026, 11, 20))


class Call:
    """Plays a dialogue's moves to a caller and keeps the log of it, as the session does."""

    def __init__(self) -> None:
        self.dialogue = a_dialogue()
        self.log: list[Entry] = []
        self.write(CallBegan("CA1", "inbound", "+12025550111", "+12025550100", "northlight_solar", 1, "", "", ""))

    def write(self, fact: Fact) -> None:
        self.log.append(Entry(len(self.log) + 1, 0, fact))

    async def play(self, moves: AsyncIterator[Move], turn: int, heard: int = 99) -> None:
        """Only the first `heard` lines reach the caller before the line is lost; the rest is not even begun."""
        lines = []
        async for move in moves:
            match move:
                case Say():
                    lines.append(move)
                case Note(fact) | Commit(fact):
                    self.write(fact)
        for line in lines[:heard]:
            utterance = len(self.log)
            self.write(AgentSaid(utterance, turn, line.text, line.purpose))
            self.write(AgentHeard(utterance, line.text, 100, 100, True))
            self.dialogue.heard(HeardLine(line, line.text, True))

    async def take(self, turn: CallerTurn, heard: int = 99) -> None:
        match turn:
            case Pressed(number, digits):
                self.write(CallerKeyed(number, digits))
            case Said(number, text, confidence):
                self.write(CallerSaid(number, text, confidence, 0, 0, "scripted"))
        await self.play(self.dialogue.answer(turn), turn.turn, heard)


@pytest.mark.parametrize("turns", range(len(TURNS) + 1))
def test_F19_it_stands_where_it_stood_and_asks_the_open_question_again(turns: int) -> None:
    async def scenario() -> None:
        call = Call()
        await call.play(call.dialogue.begin(), 0)
        for turn in TURNS[:turns]:
            await call.take(turn)
        call.write(CallEnded("media_lost"))
        fresh = a_dialogue()
        again = [move async for move in Continued(fresh, call.log).begin()]
        before, after = call.dialogue.state, fresh.state
        # One turn more: the nudge that asks again, and that tells the log what was heard.
        assert replace(after, turns=after.turns - 1, asked=before.asked, news=before.news) == before
        purposes = [move.purpose for move in again if isinstance(move, Say)]
        assert purposes[-1] == before.topic
        assert not any(purpose.startswith("disclosure") for purpose in purposes)

    asyncio.run(scenario())


def test_F19_an_answer_the_caller_did_not_get_to_hear_is_said_now() -> None:
    async def scenario() -> None:
        call = Call()
        await call.play(call.dialogue.begin(), 0)
        await call.take(Pressed(1, "1"), heard=0)
        again = [move async for move in Continued(a_dialogue(), call.log).begin()]
        said = [move.purpose for move in again if isinstance(move, Say)]
        assert said == ["acknowledge", "ask:owns_home"]
        logged = {entry.fact for entry in call.log}
        assert not [move for move in again if isinstance(move, Note | Commit) and move.fact in logged]

    asyncio.run(scenario())


def test_F19_a_call_lost_before_a_word_was_said_is_greeted() -> None:
    async def scenario() -> None:
        call = Call()
        again = [move async for move in Continued(a_dialogue(), call.log).begin()]
        assert next(move.purpose for move in again if isinstance(move, Say)).startswith("disclosure")

    asyncio.run(scenario())


def test_C20_a_disclosure_that_was_not_heard_is_put_again_after_a_greeting_cut_short() -> None:
    async def scenario() -> None:
        call = Call()
        await call.play(call.dialogue.begin(), 0, heard=1)
        fresh = a_dialogue()
        again = [move async for move in Continued(fresh, call.log).begin()]
        said = [move.purpose for move in again if isinstance(move, Say)]
        heard = call.log[1].fact
        assert isinstance(heard, AgentSaid)
        assert heard.purpose not in said
        assert "disclosure:recording" in said

    asyncio.run(scenario())
