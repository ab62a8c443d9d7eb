"""Nobody is left to serve the caller: a person is offered, and the keypad works whatever is down."""

from dataclasses import replace

import pytest

from app.call.setup import PutThrough, ReadyLine
from app.dialog.events import HumanRequested
from app.dialog.transcript import transcript_of
from app.errors import ProviderDown
from app.exchange.personas import HangUp, Press, Silence, Speak, WaitForAgent
from app.ports import Say
from app.providers.chain import ChainedSpeechToText, ChainedTextToSpeech
from app.providers.scripted import ScriptedDialogue, ScriptedSpeechToText, ScriptedTextToSpeech, tone

GREETING = Say(("Hello, this is Northlight, how can I help you?",), "disclosure:recording")
OFFER = "To speak to a person now, press one."
TAKEN = "I am putting you through."
AGAIN = "Could you say that again?"
APOLOGY = "We will call you back. Goodbye."


class LosesItsVoice(ScriptedTextToSpeech):
    """After the greeting."""

    async def speak(self, line):
        if line != GREETING:
            raise ProviderDown("no voice is left")
        async for speech in super().speak(line):
            yield speech


def fails(turn):
    raise ProviderDown("no model is left")


@pytest.fixture
def down(scene):
    """The three stages are down, from the caller's first word on; words are understood for as long as `hears`."""

    def make(*hears: str, person: bool = True, fails_at: int = 1):
        held = scene(
            ScriptedDialogue((GREETING,), fails),
            ChainedSpeechToText([ScriptedSpeechToText(*hears, fails_at=fails_at)]),
            ChainedTextToSpeech([LosesItsVoice()]),
        )
        if person:
            offer = PutThrough(
                ReadyLine(Say((OFFER,), "transfer_offer"), tone(3000)),
                ReadyLine(Say((TAKEN,), "transferring"), tone(1000)),
            )
            held.stand_ins = replace(held.stand_ins, put_through=offer)
        return held

    return make


def lines(held) -> list[str]:
    """After the greeting."""
    return [line.text for line in transcript_of(held.entries) if line.by == "agent"][1:]


def heard_after(held) -> list[int]:
    """When each sound of ours began, after the caller's first words had ended."""
    ended_ms = held.record.handset.spoken[0].to_ms
    return [heard.from_ms - ended_ms for heard in held.record.handset.heard if heard.from_ms > ended_ms]


def test_F13_with_all_three_down_key_1_leads_to_a_person(down):
    held = down().hold(WaitForAgent(), Speak("what does it cost"), WaitForAgent(500), Press("1"), Silence(9000))
    assert held.reason == "transferred"
    assert lines(held) == [OFFER, TAKEN]
    assert held.facts(HumanRequested) == [HumanRequested()]
    assert heard_after(held)[0] <= 2500  # P2 wants the offer within 6 s


def test_F13_a_key_during_the_offer_is_not_waited_with(down):
    held = down().hold(WaitForAgent(), Speak("what does it cost"), Silence(2500), Press("1"), Silence(9000))
    assert held.reason == "transferred"
    assert lines(held)[-1] == TAKEN
    offer, _ = held.record.handset.heard[-2:]
    assert 500 <= offer.to_ms - offer.from_ms < 2900


@pytest.mark.parametrize("answer", [(), (Press("2"),)])
def test_F13_without_a_yes_it_is_the_call_back(down, answer):
    held = down().hold(WaitForAgent(), Speak("what does it cost"), WaitForAgent(500), *answer, Silence(15000))
    assert held.reason == "provider_outage"
    assert lines(held) == [OFFER, APOLOGY]
    assert held.facts(HumanRequested) == []
    offered, goodbye = heard_after(held)
    waited_ms = goodbye - offered - 3000
    assert (waited_ms <= 1500) if answer else (6000 <= waited_ms <= 6500)


def test_F13_where_words_are_still_understood_yes_is_enough(down):
    held = down("what does it cost", "hello", "yes please", fails_at=0).hold(
        WaitForAgent(), Speak("what does it cost"), WaitForAgent(300), Speak("hello"), WaitForAgent(300),
        Speak("yes please"), Silence(9000),
    )  # fmt: skip
    assert held.reason == "transferred"
    assert lines(held) == [AGAIN, OFFER, TAKEN]


def test_a_caller_who_hangs_up_on_the_offer_has_hung_up(down):
    held = down().hold(WaitForAgent(), Speak("what does it cost"), WaitForAgent(500), HangUp())
    assert held.reason == "caller_hung_up"
    assert lines(held) == [OFFER]


def test_F13_where_there_is_nobody_no_person_is_offered(down):
    held = down(person=False).hold(
        WaitForAgent(), Speak("what does it cost"), WaitForAgent(500), Press("1"), Silence(900)
    )
    assert held.reason == "provider_outage"
    assert lines(held) == [APOLOGY]
