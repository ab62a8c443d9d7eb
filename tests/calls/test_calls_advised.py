"""The estimate after each turn leads the playbook where it wants to be led, in whole calls."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from app.api.continued import Continued
from app.dialog.events import AdviceTaken, AgentHeard, Estimated
from app.dialog.playbook import parse
from app.dialog.state import Understanding
from app.exchange.personas import Press, Speak, WaitForAgent
from app.exchange.virtual import run
from app.providers.offline.dialogue import PlaybookDialogue
from app.providers.scripted import ScriptedSpeechToText
from app.sales.live import LiveModel

ROOT = Path(__file__).parents[2]
BOOK = parse((ROOT / "app" / "playbooks" / "northlight_solar.yaml").read_text(encoding="utf-8"), "northlight_solar")
TODAY = date(2026, 11, 20)
EVERYBODY_BUYS = LiveModel("sure", 5.0, {})  # so it would offer as soon as three facts are known
OFFER = "most people choose Pro"
WORDS = ("yes", "tile", "two hundred dollars", "no shade")


def understand(text: str, expecting: object) -> Understanding:
    return Understanding("yes", 0.9) if text == "yes" else Understanding()


def dialogue(setting: str) -> PlaybookDialogue:
    return PlaybookDialogue(replace(BOOK, next_action=setting), understand, today=TODAY)


def call(scene, setting: str, live: LiveModel | None = EVERYBODY_BUYS):
    said = [step for words in WORDS for step in (WaitForAgent(), Speak(words))]
    return scene(dialogue(setting), ScriptedSpeechToText(*WORDS), live=live).hold(
        WaitForAgent(), Press("1"), *said, WaitForAgent()
    )


def heard(held) -> str:
    return " ".join(fact.heard_text for fact in held.facts(AgentHeard))


def test_a_playbook_that_follows_makes_the_offer_when_the_estimate_would(scene):
    held = call(scene, "follow")
    assert [fact.next_action for fact in held.facts(Estimated)][-2:] == ["offer", "offer"]
    assert held.facts(AdviceTaken) == [AdviceTaken("offer")]
    assert OFFER in heard(held)


@pytest.mark.parametrize(("setting", "live"), [("note", EVERYBODY_BUYS), ("follow", None)])
def test_otherwise_the_playbook_goes_its_own_way(scene, setting, live):
    held = call(scene, setting, live)
    assert held.facts(AdviceTaken) == []
    assert OFFER not in heard(held), "two questions are open"


def test_after_a_lost_stream_the_advice_stands_as_it_was(scene):
    """The log before holds the estimates: taken again, they lead to the same state."""
    held = call(scene, "follow")
    resumed = dialogue("follow")

    async def take_again() -> None:
        async for _ in Continued(resumed, tuple(held.entries)).begin():
            pass

    run(take_again())
    assert resumed.state.offered
    assert resumed.state.topic == "ask:timeframe"
