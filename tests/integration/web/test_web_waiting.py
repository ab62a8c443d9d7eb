"""Callers for whom there is no seat: a queue with an end, a call back, another machine."""

from __future__ import annotations

from collections.abc import Callable
from xml.etree import ElementTree

import pytest

from app.api import waiting
from app.settings import Settings

from .conftest import PUBLIC, Running, Twilio, asked_next, spoken, verbs

pytestmark = pytest.mark.integration

Rows = Callable[..., list[tuple[object, ...]]]


def test_F22_who_waited_in_vain_is_offered_a_call_back(twilio: Twilio, rows: Rows) -> None:
    for n in range(3):
        twilio.ring(f"CA{n}")
    answer, rounds = twilio.ring("CA9"), 0
    while "Redirect" in verbs(answer):
        answer, rounds = twilio.ring("CA9", path=asked_next(answer)), rounds + 1
    assert rounds == waiting.ROUNDS
    assert verbs(answer)[0] == "Gather"
    action = ElementTree.fromstring(answer.text).find("Gather")
    assert action is not None
    pressed = twilio.post(action.attrib["action"].removeprefix(PUBLIC), CallSid="CA9", Digits="1")
    assert "call you back" in spoken(pressed)
    assert rows("select count(*) from call_events where kind = 'HumanRequested'") == [(1,)]


def test_F22_calls_beyond_our_room_go_to_the_other_machine_once(settings: Settings, running: Running) -> None:
    other = "https://calls-2.example.com"
    with running(settings.model_copy(update={"max_calls": 1, "overflow_url": other})) as twilio:
        twilio.ring("CA1")
        answer = twilio.ring("CA2")
        assert verbs(answer) == ["Redirect"]
        assert f"{other}/twilio/voice?overflowed=true" in answer.text
        assert "busy" in spoken(twilio.ring("CA3", path="/twilio/voice?overflowed=true"))  # it comes from there
