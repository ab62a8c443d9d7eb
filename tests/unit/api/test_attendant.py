"""Who is put through to a live call, and what the others are told instead."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pytest

from app.api.abroad import Abroad
from app.api.attendant import Attendant
from app.api.news import Seated
from app.api.room import Limits, Room
from app.api.switchboard import Switchboard
from app.api.trunks import Trunk, Trunks
from app.dialog.events import HandedBack, TakenOver, Whispered
from app.errors import Conflict, StrowgerError
from app.store.calls import CallRow

NOBODY = "redis://127.0.0.1:1/0"
NOW = datetime(2026, 3, 3, 15, 0, tzinfo=UTC)
CALL = CallRow(
    id=UUID(int=1),
    workspace_id=UUID(int=2),
    call_sid="CA1",
    account_sid="",
    direction="inbound",
    caller="+12025550111",
    called="+12025550100",
    lead_id=None,
    attempt_id=None,
    playbook="solar",
    playbook_version=1,
    status="ringing",
    end_reason=None,
    recording_path=None,
    created_at=NOW,
    answered_at=None,
    ended_at=None,
)
Ask = Callable[[Attendant, CallRow], Awaitable[object]]


async def listen(attendant: Attendant, call: CallRow) -> None:
    async with attendant.listening(call):
        pass


async def look(attendant: Attendant, call: CallRow) -> None:
    attendant.look(call)


SOUNDLESS: dict[str, Ask] = {
    "whisper": lambda attendant, call: attendant.tell(call, Whispered("ann", "mention the warranty")),
    "hang up": lambda attendant, call: attendant.end(call, "finished"),
}
WITH_SOUND: dict[str, Ask] = {
    "take over": lambda attendant, call: attendant.tell(call, TakenOver("ann")),
    "hand back": lambda attendant, call: attendant.tell(call, HandedBack("ann")),
    "join": lambda attendant, call: attendant.join(call, "ann", "an offer"),
    "listen": listen,
    "ask for a ticket": look,
}
ALL = SOUNDLESS | WITH_SOUND


@pytest.fixture
def board() -> Switchboard:
    return Switchboard(Room(Limits(calls=2)), lambda: 100.0)


def refusal(ask: Ask, attendant: Attendant, call: CallRow = CALL) -> str:
    """Its code."""

    async def main() -> None:
        await ask(attendant, call)

    with pytest.raises(StrowgerError) as refused:
        asyncio.run(main())
    return refused.value.code


@pytest.mark.parametrize("redis_url", [None, NOBODY])
@pytest.mark.parametrize("ask", ALL.values(), ids=ALL)
def test_a_call_of_a_machine_that_cannot_be_asked_is_held_elsewhere(
    board: Switchboard, ask: Ask, redis_url: str | None
) -> None:
    assert refusal(ask, Attendant(board, None, Abroad(redis_url, board.asked))) == "held_elsewhere"


@pytest.mark.parametrize("ask", ALL.values(), ids=ALL)
def test_a_call_that_is_over_or_only_rings_here_is_not_looked_for_elsewhere(board: Switchboard, ask: Ask) -> None:
    attendant = Attendant(board, None, Abroad(None, board.asked))
    assert refusal(ask, attendant, replace(CALL, ended_at=NOW)) == "conflict"
    board.reserve("CA1")
    assert refusal(ask, attendant) == "conflict"


@pytest.mark.parametrize("name", ["join", "listen"])
def test_F21_of_a_process_that_is_gone_it_is_said_so(board: Switchboard, tmp_path: Path, name: str) -> None:
    board.told(1, Seated("CA1", "talking"))
    assert refusal(ALL[name], Attendant(board, Trunks(tmp_path, 0), Abroad(None, board.asked))) == "conflict"


def test_F21_a_process_that_answers_nonsense_is_as_good_as_gone(board: Switchboard, tmp_path: Path) -> None:
    board.told(1, Seated("CA1", "talking"))
    attendant = Attendant(board, Trunks(tmp_path, 0), Abroad(None, board.asked))

    async def nonsense(trunk: Trunk) -> None:
        await trunk.reader.readline()
        trunk.writer.write(b"what?\n")

    async def main() -> None:
        async with Trunks(tmp_path, 1).open(nonsense):
            with pytest.raises(Conflict):
                await listen(attendant, CALL)

    asyncio.run(main())


def test_a_call_that_left_meanwhile_is_answered_for_by_the_process_that_had_it(
    board: Switchboard, tmp_path: Path
) -> None:
    there = Attendant(Switchboard(Room(Limits(calls=2)), lambda: 100.0), None, Abroad(None, board.asked))
    board.told(1, Seated("CA1", "talking"))
    attendant = Attendant(board, Trunks(tmp_path, 0), Abroad(None, board.asked))

    async def main() -> None:
        async with Trunks(tmp_path, 1).open(there.answer):
            with pytest.raises(Conflict, match="moving"):
                await listen(attendant, CALL)

    asyncio.run(main())
