"""The playbook's dialogue can be forked: what becomes of a fork is nobody else's business."""

from __future__ import annotations

import asyncio
from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from app.dialog.state import Understanding
from app.ports import HeardLine, Move, Pressed, Said, Say
from app.providers.offline.dialogue import PlaybookDialogue
from tests.unit.dialog.conftest import northlight

SAYINGS = st.sampled_from(
    [
        "yes",
        "no",
        "i own it",
        "tile",
        "stop calling me",
        "are you a robot",
        "how much is it",
        "do not record this",
        "hm",
    ]
)
TURNS = st.lists(st.one_of(SAYINGS, st.sampled_from(["1", "2", "9"])), max_size=6)


def dialogue() -> PlaybookDialogue:
    return PlaybookDialogue(northlight(), lambda text, expected: Understanding(), today=date(2026, 11, 20))


def hold(talk: PlaybookDialogue, said: str, turn: int) -> list[Move]:
    async def answer() -> list[Move]:
        to = Pressed(turn, said) if said.isdigit() else Said(turn, said)
        return [move async for move in talk.answer(to)]

    moves = asyncio.run(answer())
    for move in moves:
        if isinstance(move, Say):
            talk.heard(HeardLine(move, move.text, True))
    return moves


@given(TURNS, TURNS)
def test_a_fork_answers_as_the_original_would_and_leaves_no_trace_in_it(before, drafted):
    talk = dialogue()
    for turn, said in enumerate(before, 1):
        hold(talk, said, turn)
    stood, expected = talk.state, talk.expecting()
    fork, other = talk.fork(), talk.fork()
    drafts = [hold(fork, said, len(before) + turn) for turn, said in enumerate(drafted, 1)]
    assert talk.state is stood
    assert talk.expecting() == expected
    assert [hold(other, said, len(before) + turn) for turn, said in enumerate(drafted, 1)] == drafts
    assert other.state == fork.state
