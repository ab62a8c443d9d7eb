"""The estimate's next action at the playbook's own choice points: followed only where the playbook says so."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.dialog import engine
from app.dialog.events import AdviceTaken, HumanRequested, OptedOut
from app.dialog.playbook import parse
from app.errors import BadPlaybook
from app.providers.offline.dialogue import PlaybookDialogue
from tests.unit.dialog.conftest import FRIDAY, ROOT, Talk, northlight

PRO = "sixteen thousand nine hundred"
YAML = (ROOT / "app" / "playbooks" / "northlight_solar.yaml").read_text(encoding="utf-8")


@pytest.fixture
def led() -> Talk:
    """A talk whose playbook follows; after the bill, before shade, start and zip code."""
    return begun("follow")


def begun(setting: str) -> Talk:
    talk = Talk(replace(northlight(), next_action=setting))
    for line in ("sales", "yes", "tile"):
        talk.says(line, "yes" if line == "yes" else "other")
    return talk


def advise(talk: Talk, action: str) -> None:
    talk.state = engine.advise(talk.state, action)


def test_offer_names_the_offer_before_the_questions_that_are_left(led: Talk) -> None:
    advise(led, "offer")
    said = led.says("two hundred dollars")
    assert PRO in said
    assert said.endswith("?")
    assert led.state.topic == "ask:shade"
    assert led.of(AdviceTaken) == [AdviceTaken("offer")]
    for line in ("no shade", "soon", "nine four one oh seven", "yes"):
        assert PRO not in led.says(line, "yes" if line == "yes" else "other"), "once"


def test_offer_waits_until_the_playbook_knows_which(led: Talk) -> None:
    advise(led, "offer")
    assert PRO not in led.says("hello again")
    assert led.of(AdviceTaken) == []


def test_close_proposes_the_visit_before_the_questions_that_are_left(led: Talk) -> None:
    advise(led, "close")
    led.says("two hundred dollars")
    assert led.state.topic == "appointment"
    assert led.of(AdviceTaken) == [AdviceTaken("close")]
    led.says("no visit please", "no")
    advise(led, "close")
    led.says("no shade")
    assert led.state.topic != "appointment", "declined stays declined"


def test_handle_keeps_the_offer_back_for_a_turn() -> None:
    talks = [begun(setting) for setting in ("follow", "note")]
    said = []
    for talk in talks:
        for line in ("two hundred dollars", "no shade", "soon", "nine four one oh seven"):
            talk.says(line)
        advise(talk, "handle")
        said.append(talk.says("yes", "yes"))
    assert [PRO in one for one in said] == [False, True]
    assert PRO in talks[0].says("what about the warranty", about="question:warranty")


def test_hand_over_proposes_a_person(led: Talk) -> None:
    advise(led, "hand_over")
    led.says("two hundred dollars")
    assert led.state.topic == "callback"
    assert len(led.of(HumanRequested)) == 1


@pytest.mark.parametrize("action", ["ask", "handle", "offer", "close", "hand_over", "dance"])
def test_a_playbook_that_only_notes_goes_its_own_way(action: str) -> None:
    alone, advised = begun("note"), begun("note")
    advise(advised, action)
    assert advised.says("two hundred dollars") == alone.says("two hundred dollars")
    assert advised.of(AdviceTaken) == []


@pytest.mark.parametrize("action", ["offer", "close", "hand_over"])
def test_C05_no_advice_keeps_a_caller_who_wants_no_more_calls(led: Talk, action: str) -> None:
    advise(led, action)
    led.says("stop calling me")
    assert led.of(OptedOut)
    assert led.of(AdviceTaken) == []


def test_advice_is_for_one_turn_and_a_fork_keeps_its_own(led: Talk) -> None:
    advise(led, "close")
    led.says("stop")  # an opt-out in one word ends it
    assert led.state.advised == ""
    dialogue = PlaybookDialogue(northlight(), lambda text, expecting: None, today=FRIDAY)  # type: ignore[arg-type,return-value]
    other = dialogue.fork()
    other.advise("close")
    assert (dialogue.state.advised, other.state.advised) == ("", "close")


def test_the_setting_is_read_and_a_wrong_one_is_named() -> None:
    assert northlight().next_action == "note"
    assert parse(f"next_action: follow\n{YAML}", "p.yaml").next_action == "follow"
    with pytest.raises(BadPlaybook, match="`next_action` in the file"):
        parse(f"next_action: always\n{YAML}", "p.yaml")
