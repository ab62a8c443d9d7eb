"""Callers who dictate a number, on the virtual clock: with pauses, too fast, and not to the end."""

from datetime import date
from pathlib import Path

import pytest

from app.dialog.events import CallerSaid, FactLearned
from app.dialog.playbook import Playbook, parse
from app.dialog.state import Understanding
from app.exchange.personas import Press, Silence, Speak, Step, WaitForAgent
from app.ports import Expectation, Finish, Said, Say
from app.providers.offline.dialogue import PlaybookDialogue
from app.providers.scripted import ScriptedDialogue, ScriptedSpeechToText, script

GREETING = Say(("Hello, what is your number?",), "ask:phone")
END = (Say(("Thank you.",), "goodbye"), Finish("finished"))
PHONE = Expectation("ask:phone", "digits", digits=10)
GROUPS = ("five five five", "zero one two", "three four five six")


@pytest.fixture(scope="module")
def phone_book() -> Playbook:
    """Northlight Solar, asking for nothing but a telephone number."""
    path = Path(__file__).parents[2] / "app" / "playbooks" / "northlight_solar.yaml"
    head, _, rest = path.read_text(encoding="utf-8").partition("\nfacts:\n")
    facts, _, tail = rest.partition("\n# Which offer")
    bill = "  monthly_bill:\n" + facts.partition("  monthly_bill:\n")[2].partition("  shade:\n")[0]
    phone = "  phone:\n" + facts.partition("  zip_code:\n")[2].replace("length: 5", "length: 10")
    return parse(f"{head}\nfacts:\n{phone}{bill}\n# Which offer{tail}", "phone.yaml")


def dictating(*groups: str, pause_ms: int) -> list[Step]:
    return [step for group in groups for step in (Speak(group), Silence(pause_ms))]


def understand(text: str, expected: Expectation) -> Understanding:
    """As good as what the tests say."""
    known = {"yes": "yes", "no": "no", "i want solar": "interested", "goodbye": "goodbye"}
    return Understanding(known.get(text, "other"), 0.9)


@pytest.mark.parametrize("pause_ms", [500, 900, 1200])
def test_pauses_between_the_groups_of_a_number_do_not_end_the_turn(scene, pause_ms):
    dialogue = ScriptedDialogue((GREETING,), script({" ".join(GROUPS): END}), expects=PHONE)
    held = scene(dialogue, ScriptedSpeechToText(*GROUPS)).hold(
        WaitForAgent(), *dictating(*GROUPS, pause_ms=pause_ms), Silence(3000)
    )
    assert [turn.text for turn in dialogue.turns if isinstance(turn, Said)] == [" ".join(GROUPS)]
    assert held.reason == "finished"


def test_a_complete_number_is_answered_at_once(scene):
    dialogue = ScriptedDialogue((GREETING,), script({" ".join(GROUPS): END}), expects=PHONE)
    held = scene(dialogue, ScriptedSpeechToText(*GROUPS)).hold(
        WaitForAgent(), *dictating(*GROUPS, pause_ms=900), Silence(3000)
    )
    stopped_ms, answered_ms = held.record.handset.spoken[-1].to_ms, held.record.handset.heard[-1].from_ms
    assert answered_ms - stopped_ms <= 900  # of it 340 are the scripted ears, which notice and understand late


def test_who_stops_early_is_asked_for_the_rest(scene, phone_book):
    dialogue = PlaybookDialogue(phone_book, understand, today=date(2026, 11, 20))
    heard = ("i want solar", "five five five", "zero one two", "three four five six", "yes", "goodbye")
    held = scene(dialogue, ScriptedSpeechToText(*heard)).hold(
        WaitForAgent(),
        Speak(heard[0]),
        WaitForAgent(),
        *dictating(*heard[1:3], pause_ms=800),
        WaitForAgent(),
        Speak(heard[3]),
        WaitForAgent(),
        Speak("yes"),
        WaitForAgent(),
        Speak("goodbye"),
        WaitForAgent(),
    )
    said = [fact.text for fact in held.facts(CallerSaid)]
    assert said[1:3] == ["five five five zero one two", "three four five six"]
    assert [fact.value for fact in held.facts(FactLearned) if fact.name == "phone"] == ["5550123456"]


def test_who_fails_to_say_it_types_it(scene, phone_book):
    dialogue = PlaybookDialogue(phone_book, understand, today=date(2026, 11, 20))
    number = " ".join(GROUPS)
    held = scene(dialogue, ScriptedSpeechToText("i want solar", number, "no", number, "no", "goodbye")).hold(
        WaitForAgent(),
        Speak("i want solar"),
        *[step for said in (number, "no", number, "no") for step in (WaitForAgent(), Speak(said))],
        WaitForAgent(),
        Press("5550123457"),
        WaitForAgent(),
        Speak("goodbye"),
        WaitForAgent(),
    )
    assert [fact.value for fact in held.facts(FactLearned) if fact.name == "phone"] == ["5550123457"]
    assert held.reason == "finished"
