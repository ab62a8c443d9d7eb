"""Playbooks: what is read, and what a person is told when it cannot be."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from app.dialog.playbook import Playbook, parse
from app.dialog.voice import Voice
from app.errors import BadPlaybook

FILE = Path(__file__).parents[3] / "app" / "playbooks" / "northlight_solar.yaml"
TEXT = FILE.read_text(encoding="utf-8")


def line_of(text: str, words: str) -> int:
    return text[: text.index(words)].count("\n") + 1


def complaint(text: str) -> str:
    with pytest.raises(BadPlaybook) as caught:
        parse(text, "shop.yaml")
    return str(caught.value)


def swap(old: str, new: str) -> Callable[[], str]:
    assert old in TEXT, old
    return lambda: TEXT.replace(old, new, 1)


def test_northlight_is_complete(playbook: Playbook) -> None:
    assert [fact.name for fact in playbook.facts] == [
        "owns_home", "roof", "monthly_bill", "shade", "timeframe", "zip_code",
    ]  # fmt: skip
    kinds = [answer.kind for answer in playbook.answers]
    assert kinds.count("question") >= 8
    assert kinds.count("objection") >= 6
    assert {choice.key: choice.goes_to for choice in playbook.menu.choices} == {
        "1": "sales", "2": "human", "0": "human", "9": "opt_out",
    }  # fmt: skip
    assert [offer.title for offer in playbook.offers] == ["Essential", "Pro", "Elite"]


def test_every_spoken_sentence_is_short_enough_to_listen_to(playbook: Playbook) -> None:
    assert [part for part in playbook.spoken_parts() if len(part.split()) > 21] == []


def test_spoken_parts_hold_the_vocabulary_of_the_gaps(playbook: Playbook) -> None:
    parts = playbook.spoken_parts()
    assert {"zero", "nine", "Saturday", "at ten in the morning", "I heard", "Is that right?"} <= parts
    assert not [part for part in parts if "{" in part or part != part.strip() or not re.search(r"\w", part)]


def test_a_message_is_filled_and_lacks_nothing(playbook: Playbook) -> None:
    message = playbook.message("appointment_summary")
    said = message.render({"business": "Northlight Solar", "slot": "Monday, November 23 at 4:00 PM", "price": "16900"})
    assert said.startswith("Hello from Northlight Solar. You asked for a free solar visit on Monday, November 23")
    assert "-, from $16900" in said  # a gap nobody filled
    assert "{" not in said


def test_a_voice_of_its_own() -> None:
    section = (
        "voice: {elevenlabs: abc123, aura: aura-2-orion-en, offline: kal, speed: 1.1, stability: 0.4, language: en}"
    )
    voice = parse(swap("agent: Nora", f"agent: Nora\n{section}")(), "shop.yaml").voice
    assert [voice.id_for(name) for name in ("elevenlabs", "aura", "offline")] == ["abc123", "aura-2-orion-en", "kal"]
    assert (voice.speed, voice.stability, voice.similarity, voice.language) == (1.1, 0.4, None, "en")
    assert parse(TEXT, "shop.yaml").voice == Voice(), "no section: whatever the providers are set to"


FAULTS = [
    (
        swap('    again: "Is your roof', '    agian: "Is your roof'),
        'agian: "Is your roof',
        "unknown key `agian` in facts.roof; 'agian' is not known",
    ),
    (swap("  wrong_number:", "  wrong_numer:"), "  wrong_numer:", "did you mean 'wrong_number'?"),
    (swap("    type: number", "    type: nummer"), "    type: nummer", "'nummer' is not known; did you mean 'number'?"),
    (swap("between: [10, 5000]", "between: [5000, 10]"), "between: [5000", "must have the smaller number first"),
    (swap("between: [10, 5000]", "between: ten"), "between: ten", "must be two numbers, like [10, 5000]"),
    (swap("price: 9900", "price: cheap"), "price: cheap", "must be a number"),
    (swap("length: 5", "length: 50"), "length: 50", "must be 1 to 12 digits"),
    (swap("      goes_to: sales", "      goes_to: sails"), "goes_to: sails", "did you mean 'sales'?"),
    (swap("I heard {digits}.", "I heard {digit}."), "I heard {digit}.", "unknown placeholder {digit} in"),
    (swap('ask: "First, do', 'ask: "First {name}, do'), "First {name}", "it may not use any"),
    (swap("Is that right?", "Is {that right?"), "Is {that right?", "a brace without its partner"),
    (swap("agent: Nora", "agent: Nora\nagent: Norbert"), "agent: Norbert", "`agent` is there twice"),
    (swap('  phone: "+12025550100"', "  phone: 202 555 0100"), "phone: 202", 'must be written like "+12025550100"'),
    (swap("America/New_York", "America/Newyork"), "America/Newyork", "does not exist; write one like America/New_York"),
    (swap('    tuesday: ["10:00", "14:00"]', '    tuesday: ["25:00"]'), '["25:00"]', "'25:00' is not a time"),
    (swap('    tuesday: ["10:00", "14:00"]', '    tuesday: ["10:10"]'), '["10:10"]', "10:10 can not be spoken"),
    (swap('    saturday: ["10:00"]', '    saturday: ["20:00"]'), "appointment:", "is outside of `hours`"),
    (swap("discloses: [recording]", "discloses: []"), "  inbound:", "discloses `recording`, which must be said"),
    (swap("discloses: [recording]", "discloses: [recordings]"), "[recordings]", "did you mean 'recording'?"),
    (swap("May Northlight Solar send", "May we send"), "whatsapp:\n  ask", "must name 'Northlight Solar'"),
    (swap("Yes, I am an automated A.I. assistant, not a person.", "No."), "lines:\n", "must say plainly"),
    (swap("monthly_bill: {below: 120}", "bill: {below: 120}"), "bill: {below: 120}", "asks for the fact 'bill'"),
    (swap("monthly_bill: {below: 120}", "roof: {below: 120}"), "roof: {below: 120}", "roof is not a number"),
    (swap("    when: booked", "    when: bocked"), "when: bocked", "did you mean 'booked'?"),
    (swap("{business}. You asked", "{busines}. You asked"), "text: >-", "unknown placeholder {busines}"),
    (swap("means: [price]", "means: [prize]"), "means: [prize]", "did you mean 'price'?"),
    (swap('metal: {key: "3"', 'metal: {key: "2"'), 'metal: {key: "2"', "key 2 is used twice"),
    (swap('closes_when_repeated: true', "closes_when_repeated: maybe"), "maybe", "must be true or false"),
    (swap('  outage: "I am', "  outage: [a]\n  outrage: \"I am"), "outage: [a]", "must be text, not a list"),
    (swap("goals: [facts, offer", "goals: [fact, offer"), "goals: [fact,", "did you mean 'facts'?"),
    (swap("  corrected:", "  # corrected:"), "lines:\n", "needs `corrected`; add it"),
    (swap("agent: Nora", "agent: Nora\nvoice: {speed: 3}"), "voice:", "must be from 0.7 to 1.2"),
    (swap("agent: Nora", "agent: Nora\nvoice: {style: loud}"), "voice:", "`style` in voice must be a number"),
    (swap("agent: Nora", "agent: Nora\nvoice: {elevenlab: x}"), "voice:", "did you mean 'elevenlabs'?"),
    (swap("agent: Nora", "agent: Nora\nvoice: {elevenlabs: ../a}"), "voice:", "must be a voice's id"),
    (swap("agent: Nora", "agent: Nora\nvoice:\n  offline: /etc/passwd"), "  offline:", "must be a voice's id"),
    (swap("agent: Nora", "agent: Nora\nvoice:\n  offline: sltt"), "  offline:", "did you mean 'slt'?"),
    (swap("agent: Nora", "agent: Nora\nvoice: {language: English}"), "voice:", "must be two letters, like en"),
    (swap("  timezone:", "  transfer: 555-0142\n  timezone:"), "  transfer:", "must be written like"),
]  # fmt: skip


@pytest.mark.parametrize(("broken", "at", "says"), FAULTS)
def test_a_fault_is_named_with_its_line_and_what_to_do(broken: Callable[[], str], at: str, says: str) -> None:
    text = broken()
    told = complaint(text)
    assert says in told
    lines = [int(found) for found in re.findall(r"^shop\.yaml, line (\d+): ", told, re.M)]
    assert min(abs(line - line_of(text, at)) for line in lines) <= 1, told


def test_several_faults_are_all_listed_in_the_order_of_the_file() -> None:
    text = (
        TEXT.replace("agent: Nora", "agnet: Nora").replace("length: 5", "length: 0").replace("price: 9900", "price: x")
    )
    lines = [int(found) for found in re.findall(r"line (\d+)", complaint(text))]
    assert len(lines) >= 4
    assert lines == sorted(lines)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "the file must be a mapping"),
        ("- a\n- b\n", "the file must be a mapping"),
        ("playbook: x\n  agent: y\n", "line 2: this is not YAML"),
        ("playbook: [x\n", "this is not YAML"),
        ("playbook: x\nagent: \x07\n", "line 2: there is a control character"),
        ("a: " + "[" * 5000, "nested too deeply"),
        ("# " + "x" * 600_000, "longer than 512 KiB"),
        ("playbook: x\n", "needs `facts`; add it"),
    ],
)
def test_what_is_no_playbook_at_all(text: str, says: str) -> None:
    assert says in complaint(text)
