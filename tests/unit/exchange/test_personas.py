"""People on phones: what they notice, when they speak, what they answer."""

import asyncio

import pytest

from app.exchange.personas import (
    Ears,
    HangUp,
    HangUpMidWord,
    InterruptAfter,
    Press,
    ReactivePersona,
    Rule,
    Silence,
    Speak,
    Temper,
    WaitForAgent,
)
from app.exchange.phones import BREATH_MS, Handset
from app.exchange.sound import LOUD, QUIET, is_loud, murmur, murmured, tone

STREAM = '<Response><Connect><Stream url="wss://app.test/media"/></Connect></Response>'


def speaks(*pieces: tuple[int, int]):
    """An agent who says so many ms after so many ms of silence, and then listens."""

    async def attend(server):
        await server.next("start")
        for pause_ms, ms in pieces:
            await asyncio.sleep(pause_ms / 1000)
            await server.play(murmur(ms))
            await asyncio.sleep(ms / 1000)
        await server.drain()

    return attend


def held(town, agent, *script):
    return town({"/voice": STREAM}, agent).call(*script)


def test_a_person_waits_until_the_agent_has_spoken_and_is_quiet(town):
    record = held(town, speaks((1000, 2000)), WaitForAgent(700), Speak("yes"), HangUp())
    (said,), (heard,) = record.handset.spoken, record.handset.heard
    assert said.from_ms == pytest.approx(3700, abs=60)
    assert said.from_ms - heard.to_ms == pytest.approx(700, abs=40)


def test_a_breath_is_not_the_end(town):
    record = held(town, speaks((0, 1000), (BREATH_MS - 60, 1000)), WaitForAgent(700), HangUp())
    assert len(record.handset.heard) == 1
    assert record.tape.ms == pytest.approx(1000 + BREATH_MS - 60 + 1000 + 700, abs=80)


def test_what_was_said_before_does_not_count_as_an_answer(town):
    script = (WaitForAgent(400), Speak("first"), WaitForAgent(400), Speak("second"), HangUp())
    record = held(town, speaks((0, 800), (4000, 800)), *script)
    first, second = record.handset.spoken
    assert first.from_ms == pytest.approx(1200, abs=60)
    assert second.from_ms == pytest.approx(800 + 4000 + 800 + 400, abs=80)


def test_a_person_may_hang_up_in_the_middle_of_a_word(town):
    record = held(town, speaks(), HangUpMidWord("good morning everybody", 400))
    assert record.tape.ms == pytest.approx(400, abs=40)
    assert is_loud(bytes(record.tape.said[-320:-160]))


def test_keys_are_pressed_one_after_the_other(town):
    record = held(town, speaks(), Silence(100), Press("12"), HangUp())
    (first, one), (second, two) = record.handset.keyed
    assert (one, two) == ("1", "2")
    assert second - first == pytest.approx(250, abs=21)


def test_line_noise_is_not_an_agent(town):
    async def attend(server):
        await server.next("start")
        await server.play(tone(300, ms=2000, amplitude=LOUD))
        await server.drain()

    record = held(town, attend, Silence(2500), HangUp())
    assert record.handset.heard == []


def test_speaking_replaces_what_was_being_said_and_stop_ends_it():
    async def main():
        handset = Handset(lambda digit: None, lambda: None)
        loud = murmur(1000)
        async with asyncio.TaskGroup() as group:
            task = group.create_task(handset.say(loud))
            await asyncio.sleep(0)
            spoken = [handset.tick(QUIET) for _ in range(3)]
            handset.stop()
            spoken.append(handset.tick(QUIET))
            await task
        return [is_loud(frame) for frame in spoken]

    assert asyncio.run(main()) == [True, True, True, False]


# --- reactive --------------------------------------------------------------------------------------------------------


class Interviewer:
    """An agent who asks these questions, waits for an answer after each, and tells the ears what it asks."""

    def __init__(self, ears: Ears, *questions: str) -> None:
        self._ears, self._questions = ears, questions

    async def __call__(self, server):
        await server.next("start")
        for question in self._questions:
            self._ears.hear(question)
            await server.play(murmured(question))
            loud = quiet = 0
            while not loud or quiet < 30:
                frame = await server.next("media")
                payload = frame["media"]["payload"]
                voiced = len(set(payload[:60])) > 4
                loud, quiet = loud + voiced, 0 if voiced else quiet + 1
        await server.socket.close()


def interviewed(town, persona, *questions):
    town = town({"/voice": STREAM}, Interviewer(persona.ears, *questions))
    return town.play(lambda exchange: exchange.dial_in(town.THEIRS, town.OURS, persona))


def a_caller(*rules, **changes):
    return ReactivePersona("buy", "murmur", murmured, rules, otherwise=(Speak("sorry what was that"),), **changes)


def test_a_reactive_caller_answers_what_it_is_asked(town):
    caller = a_caller(
        Rule("own your home", (Speak("yes i do"),)),
        Rule("roof", (Speak("tiles"),)),
    )
    record = interviewed(town, caller, "What ROOF is it?", "Do you own your home?", "What is your bill?")
    assert [said.text for said in record.handset.spoken] == ["tiles", "yes i do", "sorry what was that"]


def test_a_rule_that_is_used_up_leaves_the_question_to_the_next(town):
    caller = a_caller(
        Rule("roof", (Speak("what did you say"),), times=1),
        Rule("roof", (Speak("tiles"),)),
    )
    record = interviewed(town, caller, "your roof?", "your roof, please?", "the roof?")
    assert [said.text for said in record.handset.spoken] == ["what did you say", "tiles", "tiles"]


def test_an_interrupting_rule_breaks_into_the_sentence(town):
    caller = a_caller(Rule("disclosure", (Speak("how much is it"),), interrupt_ms=600))
    record = interviewed(town, caller, "this is a very long disclosure that nobody wants to hear to its end")
    (said,), heard = record.handset.spoken, record.handset.heard
    assert said.from_ms - heard[0].from_ms == pytest.approx(600, abs=60)


def test_a_caller_who_hears_nothing_gives_up(town):
    caller = a_caller(temper=Temper(patience_s=8.0))

    async def mute(server):
        await server.drain()

    town = town({"/voice": STREAM}, mute)
    record = town.play(lambda exchange: exchange.dial_in(town.THEIRS, town.OURS, caller))
    assert record.call.seconds == 8


def test_a_caller_understands_what_the_exchange_itself_says(town):
    menu = "<Gather numDigits='1' action='/menu'><Say>For sales press one</Say></Gather>"
    town = town({"/voice": f"<Response>{menu}</Response>", "/menu": "<Response/>"})
    caller = a_caller(Rule("press one", (Press("1"),)))
    town.play(lambda exchange: exchange.dial_in(town.THEIRS, town.OURS, caller))
    assert town.got("/menu")[0]["Digits"] == "1"


def test_interruptions_wait_for_a_voice(town):
    record = held(town, speaks((1500, 3000)), InterruptAfter(400, "wait"), HangUp())
    assert record.handset.spoken[0].from_ms == pytest.approx(1900, abs=60)
