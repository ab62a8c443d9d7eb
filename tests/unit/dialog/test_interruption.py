import pytest

from app.dialog.interruption import SILENCE, Meaning, Overlap, Verdict, Volume, meaning, verdicts
from app.dialog.patience import Patience

P = Patience()
OFFER = "We have three plans, and the smallest one starts at eight thousand dollars before the tax credit."
QUESTION = "Do you own your home?"
TALKING = SILENCE.beginning(OFFER, 10_000)
ASKING = SILENCE.beginning(QUESTION, 10_000)  # at the pace of ordinary speech over at 11 365


@pytest.mark.parametrize(
    "words",
    [
        "mm-hm", "Mm-hmm.", "uh-huh", "Uh huh, okay.", "mhm", "yeah", "Yeah yeah.", "right", "Okay, sure.", "I see.",
        "got it", "that makes sense", "of course", "oh really", "go on", "ajá", "sí", "Sí, claro.", "vale", "bueno",
        "ya veo", "de acuerdo", "Está bien, entiendo.", "um", "hmm yeah right",
    ],
)  # fmt: skip
def test_a_listeners_words_take_no_turn(words):
    assert meaning(words, 12_000, TALKING) is Meaning.BACKCHANNEL


@pytest.mark.parametrize(
    "words",
    [
        "no", "wait", "hold on", "no wait", "okay but how much is it", "right, and what about the roof", "hello?",
        "excuse me", "I", "yeah I have a question", "what", "espera", "no gracias", "sí pero cuánto cuesta",
        "not really",
        "yeah yeah yeah okay right sure whatever you say", "I know all that", "three", "stop", "stop it", "para",
    ],
)  # fmt: skip
def test_other_words_do(words):
    assert meaning(words, 12_000, TALKING) is Meaning.TURN


def test_no_words_mean_nothing():
    assert meaning("", 12_000, TALKING) is meaning(" ... ", 12_000, TALKING) is Meaning.NOTHING


@pytest.mark.parametrize(
    "words",
    ["and the smallest one starts", "three plans and the smallest won starts at eight", "before the tax credit"],
)
def test_our_own_words_come_back_are_an_echo(words):
    assert meaning(words, 12_000, TALKING) is Meaning.ECHO


def test_one_of_our_words_is_not_an_echo_yet():
    assert meaning("eight thousand", 12_000, TALKING) is Meaning.TURN
    assert meaning("what is a tax credit", 12_000, TALKING) is Meaning.TURN


def test_what_we_said_long_ago_or_not_yet_is_not_in_the_air():
    words = "and the smallest one starts"
    assert meaning(words, 9_000, TALKING) is Meaning.TURN
    assert meaning(words, 40_000, TALKING) is Meaning.TURN


def test_C01_a_request_is_the_callers_unless_all_of_it_is_ours():
    offer = SILENCE.beginning("You can say stop calling me at any time and we will.", 10_000)
    assert meaning("stop calling", 11_000, offer) is Meaning.TURN
    assert meaning("please stop calling me", 11_000, offer) is Meaning.TURN
    assert meaning("say stop calling me at any time", 11_000, offer) is Meaning.ECHO


@pytest.mark.parametrize("yes", ["yes", "yeah sure", "sí", "of course"])
def test_yes_is_an_answer_when_we_have_just_asked(yes):
    assert meaning(yes, 10_800, ASKING) is Meaning.ANSWER  # the question is not out yet
    assert meaning(yes, 11_500, ASKING) is Meaning.TURN
    assert meaning(yes, 15_000, ASKING) is Meaning.BACKCHANNEL
    assert meaning("mm-hm", 11_500, ASKING) is Meaning.BACKCHANNEL


def test_a_question_before_other_sentences_is_over_before_the_line():
    both = SILENCE.beginning("Do you own your home? I only ask because it decides what we can offer.", 10_000)
    assert both.question_over_ms(11_000) == 10_000 + 21 * 65
    assert both.question_over_ms(15_000) is None


# --- time -------------------------------------------------------------------------------------------------------------


def overlap(**changes) -> Overlap:
    usual = {
        "volume": Volume.FULL,
        "audible": True,
        "voice_ms": None,
        "quiet_ms": None,
        "words": Meaning.NOTHING,
        "words_ms": 0,
        "sure": False,
        "settled": False,
        "interims": True,
        "held_ms": 0,
    }
    return Overlap(**usual | changes)


def first(over: Overlap) -> tuple[int, Verdict] | None:
    return min(verdicts(over, P), key=lambda due: due[0], default=None)


def test_silence_is_nothing():
    assert first(overlap()) is None


def test_a_voice_softens_us_when_it_is_noticed():
    assert first(overlap(voice_ms=5000)) == (5000, Verdict.DUCK)


def test_before_our_first_sound_there_is_nothing_to_soften():
    assert first(overlap(voice_ms=5000, audible=False)) == (5000, Verdict.HOLD)


@pytest.mark.parametrize(("interims", "after_ms"), [(True, P.wordless_ms), (False, P.takeover_ms)])
def test_a_voice_that_lasts_silences_us_sooner_where_words_come_late(interims, after_ms):
    over = overlap(volume=Volume.LOW, voice_ms=5000, interims=interims)
    assert first(over) == (5000 + after_ms, Verdict.HOLD)


def test_a_listeners_words_lengthen_the_time():
    over = overlap(volume=Volume.LOW, voice_ms=5000, words=Meaning.BACKCHANNEL, words_ms=5600)
    assert first(over) == (5600 + P.wordless_ms, Verdict.HOLD)


def test_words_that_take_the_turn_silence_at_once_and_take_it_when_they_are_sure():
    unsure = overlap(volume=Volume.LOW, voice_ms=5000, words=Meaning.TURN, words_ms=5300)
    assert first(unsure) == (5300, Verdict.HOLD)
    assert first(overlap(voice_ms=5000, words=Meaning.TURN, words_ms=5300, sure=True)) == (5300, Verdict.TAKE)
    assert first(overlap(quiet_ms=5900, words=Meaning.TURN, words_ms=5300)) == (5300, Verdict.TAKE)


def test_after_the_voice_we_go_on_at_once_unless_words_are_still_to_come():
    assert first(overlap(volume=Volume.LOW, quiet_ms=5400)) == (5400, Verdict.RESTORE)
    assert first(overlap(volume=Volume.HELD, quiet_ms=5400, settled=True)) == (5400, Verdict.RESTORE)
    assert first(overlap(volume=Volume.HELD, quiet_ms=5400)) == (5400 + P.trailing_ms, Verdict.RESTORE)
    late = overlap(volume=Volume.HELD, quiet_ms=5400, interims=False)
    assert first(late) == (5400 + P.recognised_ms, Verdict.RESTORE)


def test_words_that_take_no_turn_are_put_aside_once_they_cannot_be_an_answer():
    over = overlap(quiet_ms=5400, words=Meaning.BACKCHANNEL, words_ms=5600)
    assert first(over) == (5600 + P.answer_ms, Verdict.DISMISS)
    kept = overlap(quiet_ms=5400, words=Meaning.ANSWER, words_ms=5600, question_ms=7000)
    assert first(kept) == (7000 + P.answer_ms, Verdict.TAKE)
