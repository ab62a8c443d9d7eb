from __future__ import annotations

import pytest

from app.dialog.answered import Answered, Kind
from app.dialog.events import CarrierReport, Heard, Signal, Toned, VoiceOff, VoiceOn


def after(*signals: Signal) -> Answered:
    answered = Answered()
    for signal in signals:
        answered.note(signal)
    return answered


def kind(answered: Answered, now_ms: int) -> Kind | None:
    verdict = answered.verdict(now_ms)
    return verdict.kind if verdict else None


def spoken(*times: int) -> list[Signal]:
    """From, to, from, to ..."""
    return [(VoiceOff if index % 2 else VoiceOn)(at_ms) for index, at_ms in enumerate(times)]


def test_nothing_is_known_before_a_voice() -> None:
    assert after().verdict(5000) is None


@pytest.mark.parametrize(("now_ms", "expected"), [(1500, None), (2099, None), (2100, Kind.HUMAN)])
def test_a_short_hello_and_a_pause_are_a_person(now_ms: int, expected: Kind | None) -> None:
    assert kind(after(*spoken(1000, 1400)), now_ms) is expected


def test_three_words_are_waited_for_as_one_saying_and_treated_as_a_persons_meanwhile() -> None:
    answered = after(*spoken(100, 600, 900, 1300, 1700, 2000))
    assert kind(answered, 1850) is Kind.NOT_SURE
    assert not Kind.NOT_SURE.machine
    assert kind(answered, 2700) is Kind.HUMAN


def test_words_of_a_person_make_the_pause_shorter() -> None:
    answered = after(*spoken(500, 900), Heard("Hello?", final=False))
    assert kind(answered, 1200) is Kind.HUMAN
    assert kind(after(*spoken(500, 900), Heard("we are", final=False)), 1200) is None


def test_whoever_goes_on_talking_is_a_machine() -> None:
    answered = after(*spoken(300, 1500, 1900))
    assert kind(answered, 3199) is Kind.NOT_SURE
    assert kind(answered, 3200) is Kind.VOICEMAIL
    early, late = answered.verdict(3200), answered.verdict(5000)
    assert early is not None
    assert late is not None
    assert late.confidence > early.confidence


def test_a_voice_that_has_just_ended_is_not_taken_for_a_long_one() -> None:
    answered = after(VoiceOn(300))
    assert kind(answered, 3100) is Kind.NOT_SURE  # 2.8 s of voice, for all we were told
    answered.note(VoiceOff(2850))
    assert kind(answered, 3550) is Kind.HUMAN


def test_a_person_who_introduces_himself_at_length_is_one_by_his_words() -> None:
    long_hello = [VoiceOn(300), Heard("hello this is Tom speaking", final=True)]
    assert kind(after(*long_hello), 3500) is not Kind.VOICEMAIL


def test_a_greeting_that_begins_with_hi_is_thought_over() -> None:
    answered = after(*spoken(300, 600))
    assert kind(answered, 1300) is Kind.HUMAN
    answered.note(VoiceOn(1400))
    assert kind(answered, 5600) is Kind.HUMAN
    assert kind(answered, 5700) is Kind.VOICEMAIL


def test_a_long_answer_later_in_the_call_is_still_a_persons() -> None:
    answered = after(*spoken(300, 700, 6000))
    assert kind(answered, 12_000) is Kind.HUMAN


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("Hi, you've reached Tom. Please leave a message after the tone", Kind.VOICEMAIL),
        ("we can't come to the phone right now", Kind.VOICEMAIL),
        ("Your call has been forwarded to an automatic voice message system", Kind.VOICEMAIL),
        ("Deje su mensaje después de la señal", Kind.VOICEMAIL),
        ("en este momento no puedo atender su llamada", Kind.VOICEMAIL),
        ("Thank you for calling Acme. For sales, press one", Kind.IVR),
        ("Please listen carefully as our menu options have changed", Kind.IVR),
        ("Para español, oprima el dos", Kind.IVR),
        ("Hi, if you record your name and reason for calling, I'll see if this person is available", Kind.SCREENING),
        ("may I ask who is calling and why", Kind.SCREENING),
        ("diga su nombre y el motivo de su llamada", Kind.SCREENING),
        ("The number you have dialed is not in service", Kind.UNAVAILABLE),
        ("El número que usted marcó no existe", Kind.UNAVAILABLE),
        ("hello", Kind.HUMAN),
        ("Yes, who's calling please?", Kind.HUMAN),
        ("¿Quién habla?", Kind.HUMAN),
        ("Acme Dental, how can I help you?", Kind.HUMAN),
    ],
)
def test_what_is_said_tells_who_it_is(words: str, expected: Kind) -> None:
    assert kind(after(*spoken(300, 2200), Heard(words)), 2900) is expected


def test_a_menu_that_takes_messages_is_corrected_as_more_of_it_is_heard() -> None:
    answered = after(VoiceOn(300), Heard("you have reached Acme"))
    assert kind(answered, 2000) is Kind.VOICEMAIL
    answered.note(Heard("for sales press one"))
    assert kind(answered, 4000) is Kind.IVR


def test_words_of_the_conversation_do_not_make_a_machine() -> None:
    late = Heard("can I leave a message for your boss", started_ms=40_000, ended_ms=42_000)
    assert kind(after(*spoken(300, 700), late), 43_000) is Kind.HUMAN


def test_a_beep_after_a_greeting_is_a_machines_and_after_hello_it_is_not() -> None:
    assert kind(after(*spoken(300, 2000), Toned(1000, 2600, 2900)), 3000) is Kind.VOICEMAIL
    assert kind(after(*spoken(300, 700), Toned(440, 1800, 2000)), 2100) is Kind.HUMAN


@pytest.mark.parametrize(
    ("beep", "is_one"), [((3000, 3300), True), ((3000, 3100), False), ((9000, 9300), False), ((100, 250), False)]
)
def test_a_beep_follows_a_voice_closely_and_lasts(beep: tuple[int, int], is_one: bool) -> None:
    answered = after(*spoken(300, 2500), Toned(1000, *beep))
    assert (answered.beep() is not None) is is_one


def test_the_networks_three_tones_mean_that_there_is_no_such_number() -> None:
    tones = [Toned(950, 100, 430), Toned(1400, 440, 770), Toned(1780, 780, 1110)]
    assert kind(after(*tones), 1200) is Kind.UNAVAILABLE
    assert kind(after(tones[2], tones[1], tones[0]), 1200) is None


def test_a_fax_whistles() -> None:
    assert kind(after(Toned(2100, 2000, 4800)), 5000) is Kind.FAX


def test_the_carriers_detector_counts_where_ours_knows_no_better() -> None:
    assert kind(after(CarrierReport("machine_start")), 4000) is Kind.VOICEMAIL
    assert kind(after(CarrierReport("unknown")), 4000) is None
    still_talking = after(VoiceOn(300), CarrierReport("machine_start"))
    assert kind(still_talking, 2500) is Kind.VOICEMAIL
    said_hello = after(*spoken(300, 700), Heard("hello"), CarrierReport("machine_start"))
    assert kind(said_hello, 4000) is Kind.HUMAN


def test_the_next_moment_something_may_change_is_known() -> None:
    answered = after(VoiceOn(300))
    assert answered.deadline(400) == 2000
    assert answered.deadline(2000) == 3200
    answered.note(VoiceOff(3000))
    assert answered.deadline(3270) == 3300
    assert after().deadline(100) is None
