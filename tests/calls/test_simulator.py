"""Made-up people call the shipped playbook: whole calls, exchange to dialogue, on the virtual clock."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import pytest

from app import playbooks
from app.dialog.events import AgentSaid, CallEnded, Entry, Estimated
from app.dialog.playbook import parse
from app.exchange.personas import ReactivePersona, Rule, Speak, Temper
from app.exchange.sound import murmured
from app.providers.offline.intents import Intents
from app.providers.offline.tts import OfflineTextToSpeech
from app.sales.outcome import Result
from app.simulator.hold import Business, hold
from app.simulator.people import MadeUp, somebody
from app.simulator.run import TODAY, judge


@pytest.fixture(scope="module")
def business(made_once: Callable[..., Path]) -> Business:
    book = parse(playbooks.text_of("northlight_solar"), "northlight_solar")
    data = made_once(lambda folder: Intents.load(book, folder))
    return Business(book, Intents.load(book, data), OfflineTextToSpeech(), TODAY)


def call(business: Business, wish: str, number: int = 0) -> tuple[MadeUp, tuple[Entry, ...]]:
    """The `number`-th person with this wish."""
    people = (somebody(business.book, random.Random(f"7 {seed}")) for seed in range(1000))
    person = [one for one in people if one.wish == wish][number]
    return person, hold(business, person.phone)


@pytest.mark.parametrize("number", range(3))
def test_who_wants_to_buy_books_and_is_understood(business: Business, number: int) -> None:
    held = judge(*call(business, "buy", number))
    assert held.result is Result.BOOKED
    assert held.right >= 4
    assert held.wrong == 0


@pytest.mark.parametrize("number", range(3))
def test_C05_who_wants_to_be_left_alone_is(business: Business, number: int) -> None:
    assert judge(*call(business, "opt out", number)).result is Result.OPTED_OUT


def test_who_wants_a_person_is_promised_one(business: Business) -> None:
    assert judge(*call(business, "person")).result is Result.HUMAN_REQUESTED


def test_C30_everybody_is_told_that_this_is_an_automated_assistant(business: Business) -> None:
    for wish in ("buy", "person", "leave"):
        assert judge(*call(business, wish, 1)).disclosed


def test_the_same_person_makes_the_same_call(business: Business) -> None:
    assert call(business, "buy")[1] == call(business, "buy")[1]


def test_the_chance_of_a_sale_moves_with_the_call_and_after_the_reply_began(business: Business) -> None:
    _, log = call(business, "buy")
    estimates = [entry for entry in log if isinstance(entry.fact, Estimated)]
    turns = [entry.fact.turn for entry in estimates if isinstance(entry.fact, Estimated)]
    assert len(turns) >= 5
    assert turns == sorted(set(turns))
    first, last = estimates[0].fact, estimates[-1].fact
    assert isinstance(first, Estimated)
    assert isinstance(last, Estimated)
    assert first.probability + 0.1 < last.probability
    assert (first.next_action, last.next_action) == ("ask", "close")
    asked = {e.fact.turn: e.seq for e in log if isinstance(e.fact, AgentSaid)}
    for entry in estimates:
        assert isinstance(entry.fact, Estimated)
        assert entry.seq > asked[entry.fact.turn]


@pytest.mark.parametrize(
    "lines",
    [
        ("Hello, how can I help you today?",),
        ("I am sorry, I did not understand that. Could you repeat it?",),
        ("How much does it cost?",),
        ("Yes.",),
        ("Please hold the line.", "All our agents are busy.", "Press one for sales."),
    ],
)
def test_T33_a_machine_that_says_the_same_again_and_again_is_left_within_three_minutes(
    business: Business, lines: tuple[str, ...]
) -> None:
    rules = [Rule(".", (Speak(line),), times=1) for _ in range(100) for line in lines]
    bot = ReactivePersona("to talk for ever", "bot", murmured, rules, temper=Temper(patience_s=3600.0))
    last = hold(business, bot)[-1]
    assert isinstance(last.fact, CallEnded)
    assert last.fact.reason != "caller_hung_up"
    assert last.at_ms <= 180_000
