"""What is prepared before the first call is what is asked for in one."""

from __future__ import annotations

import asyncio
from datetime import date
from importlib.resources import files
from pathlib import Path

from app.dialog.moves import HeardLine, Said, Say
from app.dialog.playbook import parse
from app.dialog.state import Understanding
from app.exchange.virtual import run
from app.providers.offline.dialogue import PlaybookDialogue
from app.providers.offline.states import expectations, source

PLAYBOOK = Path(str(files("app.playbooks.voice"))).parent / "northlight_solar.yaml"


def test_every_state_of_a_real_conversation_was_prepared_for() -> None:
    playbook = parse(PLAYBOOK.read_text(encoding="utf-8"), PLAYBOOK.name)
    prepared = set(expectations(playbook))
    assert len(prepared) == 5 + len(playbook.facts) + 1

    async def main() -> set[str]:
        dialogue = PlaybookDialogue(playbook, lambda text, expected: Understanding(), today=date(2026, 3, 2))
        topics = set()
        replies = [dialogue.begin()]
        for number, text in enumerate(["sales", "i own it", "tile", "two hundred", "full sun", "soon", "9 4 1 0 7"], 1):
            for move in [move async for move in replies.pop()]:
                if isinstance(move, Say):
                    dialogue.heard(HeardLine(move, move.text, True))
            assert dialogue.expecting() in prepared
            topics.add(dialogue.expecting().topic)
            replies.append(dialogue.answer(Said(number, text)))
            await asyncio.sleep(0)
        return topics

    assert len(run(main())) >= 5


def test_a_state_is_listened_for_with_its_answers_and_what_is_said_at_any_time() -> None:
    playbook = parse(PLAYBOOK.read_text(encoding="utf-8"), PLAYBOOK.name)
    (roof,) = [expected for expected in expectations(playbook) if expected.topic == "ask:roof"]
    listened = source(playbook)(roof)
    assert "metal" in listened
    assert "stop calling" in " ".join(listened)
