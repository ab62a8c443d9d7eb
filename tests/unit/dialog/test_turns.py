from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.dialog.dictation import spoken_digits
from app.dialog.events import (
    Aside,
    Heard,
    HungUp,
    Keyed,
    MustEnd,
    ReplyBegan,
    ReplyEnded,
    Signal,
    Tick,
    VoiceOff,
    VoiceOn,
)
from app.dialog.interruption import Volume
from app.dialog.moves import Closing, Expectation, Pressed, Said, Silent
from app.dialog.patience import Patience
from app.dialog.turns import (
    Action,
    CutReply,
    Draft,
    DropDraft,
    Duck,
    EndCall,
    Hold,
    Phase,
    PutAside,
    Reply,
    Restore,
    Turn,
    deadline,
    step,
)
from app.dialog.words import normal

P = Patience()
LISTENING = Turn(Phase.LISTENING, since_ms=10_000, number=1, sign_ms=10_000)
SPEAKING = Turn(Phase.SPEAKING, since_ms=10_000, number=1, sign_ms=10_000)


def play(turn: Turn, *script: tuple[int, Signal], patience: Patience = P) -> tuple[Turn, list[tuple[int, Action]]]:
    """Steps through signals with their times, ticking whenever something is due in between."""
    done: list[tuple[int, Action]] = []

    def take(signal: Signal, at_ms: int) -> None:
        nonlocal turn
        turn, actions = step(turn, signal, at_ms, patience)
        done.extend((at_ms, action) for action in actions)

    for at_ms, signal in script:
        while (due := deadline(turn, patience)) is not None and due < at_ms:
            take(Tick(), due)
        take(signal, at_ms)
    return turn, done


def said(text: str, turn: int = 2) -> Said:
    return Said(turn, text, 1.0 if text else 0.0)


def answers(done: Sequence[tuple[int, Action]]) -> list[tuple[int, object]]:
    return [(at, action.to) for at, action in done if isinstance(action, Reply)]


# --- the caller's turn ends ------------------------------------------------------------------------------------------


def test_the_turn_is_ours_after_words_and_a_pause():
    _, done = play(
        LISTENING,
        (11_050, VoiceOn(11_000)),
        (12_300, VoiceOff(12_000)),
        (12_400, Heard("I want solar", ended_ms=11_990)),
        (13_000, Tick()),
    )
    assert answers(done) == [(12_500, said("I want solar"))]
    assert done[-1][1].stopped_ms == 12_000


def test_words_that_come_after_the_pause_are_answered_at_once():
    _, done = play(
        LISTENING,
        (11_050, VoiceOn(11_000)),
        (12_300, VoiceOff(12_000)),
        (12_900, Heard("I want solar", ended_ms=11_990)),
    )
    assert answers(done) == [(12_900, said("I want solar"))]


def test_a_short_pause_does_not_end_the_turn_and_its_words_are_joined():
    _, done = play(
        LISTENING,
        (11_050, VoiceOn(11_000)),
        (12_300, VoiceOff(12_000)),
        (12_350, Heard("I want", ended_ms=12_000)),
        (12_400, VoiceOn(12_350)),
        (13_300, VoiceOff(13_000)),
        (13_700, Heard("a quote", ended_ms=13_000)),
        (13_800, Tick()),
    )
    assert answers(done) == [(13_700, said("I want a quote"))]


@pytest.mark.parametrize("last", [(13_000, Tick()), (12_400, Heard(""))], ids=["nothing came", "nothing understood"])
def test_P2_voice_without_words_is_answered_with_a_question(last):
    _, done = play(LISTENING, (11_050, VoiceOn(11_000)), (12_300, VoiceOff(12_000)), last, (15_000, Tick()))
    at, to = answers(done)[0]
    assert to == said("")
    assert at == (12_500 if isinstance(last[1], Heard) else 13_800)


def test_a_click_is_no_turn():
    turn, done = play(LISTENING, (11_050, VoiceOn(11_000)), (11_100, VoiceOff(11_090)), (15_999, Tick()))
    assert done == []
    assert turn.phase is Phase.LISTENING


def test_a_word_as_short_as_a_click_is_a_turn():
    _, done = play(
        LISTENING, (11_050, VoiceOn(11_000)), (11_100, VoiceOff(11_090)), (11_300, Heard("no")), (15_000, Tick())
    )
    assert answers(done) == [(11_500, said("no"))]


def test_words_that_stay_provisional_are_taken_as_they_are():
    _, done = play(
        LISTENING,
        (11_050, VoiceOn(11_000)),
        (11_500, Heard("call me", final=False)),
        (12_300, VoiceOff(12_000)),
        (14_000, Tick()),
    )
    assert answers(done) == [(13_800, Said(2, "call me", 0.0))]


def test_a_caller_who_never_stops_is_answered_and_does_not_cut_that_answer():
    turn, done = play(LISTENING, (11_000, VoiceOn(11_000)), (30_000, Heard("and then")), (31_500, Tick()))
    assert answers(done) == [(31_000, said("and then"))]
    assert turn.phase is Phase.THINKING


def test_digits_are_given_time_until_there_are_enough_of_them():
    dictating = P.expecting(Expectation("ask:zip", "digits", digits=5))
    start = [(11_000, VoiceOn(11_000)), (12_300, VoiceOff(12_000))]
    _, some = play(LISTENING, *start, (12_310, Heard("nine one")), (14_000, Tick()), patience=dictating)
    _, all_ = play(LISTENING, *start, (12_310, Heard("nine 1 oh double two")), (14_000, Tick()), patience=dictating)
    assert [at for at, _ in answers(some)] == [13_631]
    assert [at for at, _ in answers(all_)] == [12_350]


@pytest.mark.parametrize(
    ("words", "count"),
    [("", 0), ("two oh two, 555", 6), ("double seven triple one", 5), ("my number is nine", 1), ("ought tone", 0)],
)
def test_spoken_digits(words, count):
    assert spoken_digits(words) == count


# --- drafts ----------------------------------------------------------------------------------------------------------


def acts(done: Sequence[tuple[int, Action]]) -> list[tuple[int, str]]:
    return [(at, type(action).__name__) for at, action in done]


EAGER = Heard("what does it cost", False, ended_ms=12_000, mark="eager")
ENDED = Heard("What does it cost?", True, 0.9, 11_000, 12_000, mark="ended")


def test_an_eager_end_of_turn_begins_a_draft_which_the_same_words_adopt_whatever_their_marks():
    _, done = play(LISTENING, (11_050, VoiceOn(11_000)), (12_120, EAGER), (12_200, ENDED), (12_260, VoiceOff(12_050)))
    assert acts(done) == [(12_120, "Draft"), (12_260, "Reply")]
    assert done[1][1].drafted


def test_a_caller_who_goes_on_drops_the_draft():
    more = Heard("what does it cost to", False)
    _, done = play(LISTENING, (11_050, VoiceOn(11_000)), (12_120, EAGER), (12_400, more), (13_000, Tick()))
    assert acts(done) == [(12_120, "Draft"), (12_400, "DropDraft")]
    resumed = Heard("", False, mark="resumed")
    _, done = play(LISTENING, (11_050, VoiceOn(11_000)), (12_120, EAGER), (12_300, resumed), (13_000, Tick()))
    assert acts(done) == [(12_120, "Draft"), (12_300, "DropDraft")]


def test_other_words_in_the_end_are_answered_anew():
    ended = Heard("what does it cost me", True, 0.9, 11_000, 12_000, mark="ended")
    _, done = play(LISTENING, (11_050, VoiceOn(11_000)), (12_120, EAGER), (12_270, VoiceOff(12_050)), (12_300, ended))
    assert acts(done) == [(12_120, "Draft"), (12_300, "DropDraft"), (12_300, "Reply")]
    assert not done[2][1].drafted


def test_nothing_is_drafted_for_words_that_something_must_follow():
    eager = Heard("I would like to", False, ended_ms=12_000, mark="eager")
    _, done = play(LISTENING, (11_050, VoiceOn(11_000)), (12_120, eager), (12_270, VoiceOff(12_050)), (12_900, Tick()))
    assert done == []


def test_the_end_of_a_voice_begins_a_draft_where_nobody_marks_turns():
    words = Heard("I want solar", False)
    _, done = play(LISTENING, (11_050, VoiceOn(11_000)), (11_900, words), (12_270, VoiceOff(12_050)), (12_280, Tick()))
    assert acts(done)[0] == (12_270, "Draft")


def test_a_key_drops_the_draft():
    _, done = play(LISTENING, (11_050, VoiceOn(11_000)), (12_120, EAGER), (12_150, Keyed("9")))
    assert acts(done) == [(12_120, "Draft"), (12_150, "DropDraft"), (12_150, "Reply")]


def test_a_caller_may_think_in_mid_sentence():
    """A pause of 0.7 s after words that something must follow; speech to text takes the turn for over."""
    _, done = play(
        LISTENING,
        (11_050, VoiceOn(11_000)),
        (12_200, Heard("I would like to know", True, 0.9, 11_000, 12_000, mark="ended")),
        (12_270, VoiceOff(12_050)),
        (12_800, VoiceOn(12_750)),
        (13_820, Heard("what it costs", False, ended_ms=13_700, mark="eager")),
        (13_900, Heard("what it costs", True, 0.9, 12_750, 13_700, mark="ended")),
        (13_970, VoiceOff(13_750)),
        (15_000, Tick()),
    )
    (at, to), *more = answers(done)
    assert to.text == "I would like to know what it costs"
    assert at <= 14_300
    assert not more


def test_words_that_sound_finished_are_answered_at_once_and_open_ones_later():
    for words, least, most in [("yes", 0, 300), ("what does it cost", 0, 300), ("and my", 900, 1400)]:
        heard = Heard(words, True, 0.9, 11_000, 12_000, mark="ended")
        _, done = play(
            LISTENING, (11_050, VoiceOn(11_000)), (12_200, heard), (12_270, VoiceOff(12_000)), (14_000, Tick())
        )
        assert least <= answers(done)[0][0] - 12_000 <= most, words


def test_a_television_does_not_hold_up_the_answer():
    """Its voice is on all the time; speech to text hears the caller's turn end."""
    _, done = play(LISTENING, (10_100, VoiceOn(10_050)), (12_200, ENDED), (14_000, Tick()))
    assert 12_500 <= answers(done)[0][0] <= 13_000


# --- the caller takes over -------------------------------------------------------------------------------------------


def test_a_voice_makes_us_soft_at_once_and_silent_when_it_lasts():
    turn, done = play(SPEAKING, (11_080, VoiceOn(11_000)), (12_000, Tick()))
    assert done == [(11_080, Duck(11_000)), (11_000 + P.takeover_ms, Hold(11_000))]
    assert (turn.phase, turn.volume) == (Phase.SPEAKING, Volume.HELD)


def test_a_cough_costs_nothing():
    turn, done = play(
        SPEAKING, (11_080, VoiceOn(11_000)), (11_400, VoiceOff(11_300)), (11_500, Heard("")), (14_000, Tick())
    )
    assert done == [(11_080, Duck(11_000)), (11_400, Restore())]
    _, done = play(turn, (14_200, ReplyEnded()), (16_000, Tick()))
    assert done == []


def test_the_first_words_that_take_the_turn_silence_us_and_the_next_give_the_reply_up():
    turn, done = play(
        SPEAKING,
        (11_080, VoiceOn(11_000)),
        (11_300, Heard("no", final=False, ended_ms=11_250)),
        (11_550, Heard("no wait", final=False, ended_ms=11_500)),
    )
    assert done == [
        (11_080, Duck(11_000)),
        (11_300, Hold(11_000)),
        (11_550, CutReply(11_000, quiet_ms=11_080, held_ms=11_300)),
    ]
    assert turn.phase is Phase.LISTENING
    _, done = play(turn, (12_000, VoiceOff(11_800)), (12_000, Heard("no wait", ended_ms=11_800)), (13_000, Tick()))
    assert [to.text for _, to in answers(done)] == ["no wait"]


def test_words_that_were_no_words_give_nothing_up():
    """The recogniser took a cough for a word and thought better of it."""
    _, done = play(
        SPEAKING,
        (11_080, VoiceOn(11_000)),
        (11_300, Heard("no", final=False, ended_ms=11_250)),
        (11_400, Heard("", ended_ms=11_350)),
        (11_500, VoiceOff(11_300)),
        (15_000, Tick()),
    )
    assert done == [(11_080, Duck(11_000)), (11_300, Hold(11_000)), (11_500, Restore())]


@pytest.mark.parametrize("interims", [True, False])
def test_a_listeners_word_makes_no_turn_and_is_kept(interims):
    words = [(11_350, Heard("mm-hm", final=False, ended_ms=11_300))] * interims
    turn, done = play(
        SPEAKING,
        (11_080, VoiceOn(11_000)),
        *words,
        (11_600, VoiceOff(11_400)),
        (11_700, Heard("Mm-hm.", started_ms=11_000, ended_ms=11_400)),
        (14_000, Tick()),
    )
    assert done == [
        (11_080, Duck(11_000)),
        (11_600, Restore()),
        (11_700 + P.answer_ms, PutAside(Aside("backchannel", "Mm-hm.", 11_000, 11_400))),
    ]
    _, done = play(turn, (14_100, ReplyEnded()), (18_000, Tick()))
    assert done == []


def test_a_long_listeners_word_is_waited_out_and_the_reply_goes_on():
    _, done = play(
        SPEAKING,
        (11_080, VoiceOn(11_000)),
        (12_200, VoiceOff(12_000)),
        (12_300, Heard("yeah okay right", started_ms=11_000, ended_ms=12_000)),
        (12_400, Tick()),
    )
    assert done == [(11_080, Duck(11_000)), (11_000 + P.takeover_ms, Hold(11_000)), (12_300, Restore())]


def test_a_listeners_yes_near_our_end_is_an_answer():
    _, done = play(
        SPEAKING,
        (11_080, VoiceOn(11_000)),
        (11_500, VoiceOff(11_300)),
        (11_600, Heard("yes", started_ms=11_000, ended_ms=11_300)),
        (12_200, ReplyEnded()),
    )
    assert [to.text for _, to in answers(done)] == ["yes"]


def test_yes_to_a_question_just_asked_takes_the_turn_though_we_talk_on():
    line = "Do you own your home? I only ask because it decides what we can offer you."
    turn, _ = play(SPEAKING, (10_000, ReplyBegan(line=line)))
    said_yes = [
        (12_080, VoiceOn(12_000)),
        (12_500, VoiceOff(12_300)),
        (12_600, Heard("yes", True, 0.9, 12_000, 12_300)),
    ]
    _, done = play(turn, *said_yes, (13_500, Tick()))
    assert [type(action) for _, action in done] == [Duck, Restore, CutReply, Reply]


def test_yes_before_a_question_is_out_waits_for_its_end():
    turn, _ = play(
        SPEAKING, (10_000, ReplyBegan(line="Would you like one of us to come to your home and have a look?"))
    )
    early = [(12_080, VoiceOn(12_000)), (12_500, VoiceOff(12_300)), (12_600, Heard("yes", True, 0.9, 12_000, 12_300))]
    _, done = play(turn, *early, (14_600, ReplyEnded()))
    assert [type(action) for _, action in done] == [Duck, Restore, Reply]


def test_a_television_does_not_keep_us_silent():
    """Words come while people speak, as we know by now; this voice brings none."""
    talkative = play(
        LISTENING, (10_500, Heard("we own it", final=False)), (10_600, Heard("we own it", ended_ms=10_500))
    )[0]
    speaking, _ = play(talkative, (11_200, Tick()), (11_300, ReplyBegan()))
    turn, done = play(speaking, (12_040, VoiceOn(12_000)), (20_000, Tick()))
    held_ms = 12_000 + P.wordless_ms
    assert done == [(12_040, Duck(12_000)), (held_ms, Hold(12_000)), (held_ms + P.wordless_ms, Restore())]
    _, done = play(turn, (20_100, VoiceOff(20_000)), (23_000, Tick()))
    assert done == []


def test_a_voice_noticed_late_makes_us_silent_at_once():
    _, done = play(SPEAKING, (11_900, VoiceOn(11_000)))
    assert done == [(11_900, Duck(11_000)), (11_900, Hold(11_000))]


def test_a_reply_that_is_still_being_thought_of_waits_for_the_caller_who_goes_on():
    thinking = Turn(Phase.THINKING, since_ms=10_000, number=1)
    turn, done = play(thinking, (11_040, VoiceOn(11_000)), (11_500, VoiceOff(11_300)))
    assert done == [(11_040, Hold(11_000))]
    _, done = play(turn, (11_600, Heard("", ended_ms=11_300)))
    assert done == [(11_600, Restore())]
    _, done = play(turn, (11_600, Heard("and a battery", started_ms=11_000, ended_ms=11_300)))
    assert done[0] == (11_600, CutReply(11_000, held_ms=11_040))


def test_the_opening_waits_for_nobody_but_can_be_interrupted():
    turn, done = play(Turn(), (100, VoiceOn(50)), (600, VoiceOff(400)), (700, ReplyBegan()), (900, ReplyEnded()))
    assert done == []
    _, done = play(turn, (6_800, Tick()))
    assert done == []  # the wordless hello before our first word is not a turn
    _, done = play(Turn(), (700, ReplyBegan()), (1_000, VoiceOn(950)), (1_100, Tick()))
    assert done == [(1_000, Duck(950))]


def test_a_voice_that_outlasts_our_end_meets_us_at_full_volume_next_time():
    turn, done = play(SPEAKING, (11_080, VoiceOn(11_000)), (11_200, ReplyEnded()), (11_300, Tick()))
    assert done == [(11_080, Duck(11_000)), (11_200, Restore())]
    assert turn.voice_ms == 11_000


def test_words_spoken_over_us_cut_even_without_voice_activity():
    _, done = play(SPEAKING, (12_000, Heard("stop calling me", started_ms=11_200, ended_ms=11_900)))
    assert done[0] == (12_000, CutReply(11_200))


def test_late_words_of_the_turn_before_do_not_cut_and_are_answered_afterwards():
    late = Heard("and a battery", started_ms=9_000, ended_ms=9_900)
    turn, done = play(SPEAKING, (10_100, late), (15_000, ReplyEnded()))
    assert answers(done) == [(15_000, said("and a battery"))]
    assert turn.phase is Phase.THINKING


def test_a_protected_line_is_heard_out_and_the_caller_answered_after_it():
    turn, done = play(
        SPEAKING,
        (10_500, ReplyBegan(protected=True)),
        (11_000, VoiceOn(11_000)),
        (11_500, Keyed("1")),
        (12_000, Heard("wait", started_ms=11_000, ended_ms=11_900)),
        (12_100, VoiceOff(12_000)),
        (12_200, MustEnd("drained")),
        (13_000, Tick()),
    )
    assert done == []
    turn, done = play(turn, (14_000, ReplyEnded()))
    assert answers(done) == [(14_000, Pressed(2, "1"))]
    turn, done = play(turn, (14_100, ReplyEnded()))
    assert answers(done) == [(14_100, said("wait", 3))]
    _, done = play(turn, (14_200, ReplyEnded()))
    assert answers(done) == [(14_200, Closing(4, "drained"))]


def test_the_next_line_of_a_reply_need_not_be_protected():
    _, done = play(
        SPEAKING,
        (10_500, ReplyBegan(protected=True)),
        (11_000, VoiceOn(11_000)),
        (12_000, ReplyBegan()),
        (12_010, Tick()),
    )
    assert done == [(12_000, Duck(11_000)), (12_000, Hold(11_000))]


def test_a_protected_line_is_said_at_full_volume():
    turn, done = play(SPEAKING, (11_000, VoiceOn(11_000)), (11_100, ReplyBegan(protected=True)), (12_000, Tick()))
    assert done == [(11_000, Duck(11_000)), (11_100, Restore())]
    assert turn.volume is Volume.FULL


# --- keys ------------------------------------------------------------------------------------------------------------


def test_C05_one_key_is_an_answer_at_any_moment():
    _, done = play(LISTENING, (11_000, Keyed("9")))
    assert answers(done) == [(11_000, Pressed(2, "9"))]
    _, done = play(SPEAKING, (11_000, Keyed("9")))
    assert done == [(11_000, CutReply(11_000)), (11_000, Reply(Pressed(2, "9"), 11_000))]


@pytest.mark.parametrize(
    ("digits", "keys", "answer"),
    [
        (3, "123", (11_200, "123")),
        (3, "12", (13_600, "12")),
        (3, "1#", (11_100, "1")),
        (0, "1234", (13_800, "1234")),
        (0, "#", (11_000, "#")),
    ],
)
def test_keys_are_collected_until_enough_a_hash_or_a_gap(digits, keys, answer):
    patience = P.expecting(Expectation("ask:zip", "digits", digits=digits))
    script = [(11_000 + 100 * at, Keyed(key)) for at, key in enumerate(keys)]
    _, done = play(LISTENING, *script, (20_000, Tick()), patience=patience)
    assert answers(done)[0] == (answer[0], Pressed(2, answer[1]))


def test_words_said_while_keying_are_answered_after_the_keys():
    script = [(11_000, Heard("take me off your list")), (11_010, Keyed("1")), (12_000, ReplyEnded())]
    _, done = play(LISTENING, *script)
    assert answers(done) == [(11_010, Pressed(2, "1")), (12_000, said("take me off your list", 3))]


# --- silence, limits, the end ----------------------------------------------------------------------------------------


def test_silence_is_nudged_twice_and_then_ended_politely():
    turn, at, seen = LISTENING, 10_000, []
    for _ in range(3):
        turn, done = play(turn, (at + 6_001, Tick()))
        seen += answers(done)
        at += 8_000
        turn, done = play(turn, (at, ReplyEnded()))
    assert seen == [(16_000, Silent(2, 1)), (24_000, Silent(3, 2)), (32_000, Closing(4, "silence"))]
    assert done == [(34_000, EndCall("silence"))]


def test_a_voice_during_the_goodbye_for_silence_brings_the_call_back():
    goodbye = Turn(
        Phase.SPEAKING,
        since_ms=10_000,
        asked_ms=9_000,
        number=4,
        nudges=2,
        closing="silence",
        closing_ms=9_000,
        goodbye=True,
    )
    turn, done = play(
        goodbye,
        (11_000, VoiceOn(11_000)),
        (12_000, VoiceOff(11_800)),
        (12_100, Heard("I am here", ended_ms=11_800)),
        (13_000, Tick()),
    )
    assert [type(action) for _, action in done] == [Duck, Hold, CutReply, Draft, Reply]
    assert turn.closing is None
    _, done = play(turn, (14_000, ReplyEnded()), (20_000, Tick()), (20_001, Tick()))
    assert answers(done) == [(20_000, Silent(6, 1))]


def test_noise_without_words_does_not_hold_the_line_for_ever():
    turn, at = LISTENING, 10_000
    for _ in range(P.misses):
        turn, done = play(turn, (at + 100, VoiceOn(at)), (at + 1000, VoiceOff(at + 900)), (at + 3000, Tick()))
        assert answers(done)[-1][1].text == ""
        at += 4000
        turn, done = play(turn, (at, ReplyEnded()))
    assert answers(done) == [(at, Closing(P.misses + 2, "silence"))]


def test_a_call_has_a_longest_time_and_then_a_goodbye():
    patience = Patience(call_ms=11_000)
    turn, done = play(SPEAKING, (11_500, Tick()), patience=patience)
    assert done == [
        (11_000, CutReply(11_000, by_caller=False)),
        (11_000, Reply(Closing(2, "too_long"), 11_000)),
    ]
    _, done = play(turn, (11_600, ReplyBegan()), (13_000, ReplyEnded()), patience=patience)
    assert done == [(13_000, EndCall("too_long"))]


def test_a_goodbye_that_was_taken_back_does_not_move_the_end_of_the_longest_call():
    patience = Patience(call_ms=30_000, goodbye_ms=5_000)
    goodbye = Turn(
        Phase.SPEAKING, since_ms=29_000, asked_ms=29_000, number=4, closing="silence", closing_ms=29_000, goodbye=True
    )
    _, done = play(
        goodbye,
        (33_000, VoiceOn(33_000)),
        (33_500, Heard("wait", ended_ms=33_400)),
        (60_000, Tick()),
        patience=patience,
    )
    assert done[-1] == (35_000, EndCall("too_long"))


def test_F13_when_we_are_deaf_the_caller_may_finish_the_sentence_for_two_seconds():
    turn, done = play(LISTENING, (11_000, VoiceOn(11_000)), (11_500, MustEnd("provider_outage")))
    assert answers(done) == []
    assert answers(play(turn, (12_000, VoiceOff(12_000)))[1]) == [(12_000, Closing(2, "provider_outage"))]
    assert answers(play(turn, (14_000, Tick()))[1]) == [(13_500, Closing(2, "provider_outage"))]


def test_F13_when_we_are_deaf_the_apology_is_not_interrupted():
    turn, done = play(LISTENING, (11_500, MustEnd("provider_outage")))
    assert answers(done) == [(11_500, Closing(2, "provider_outage"))]
    _, done = play(
        turn, (11_600, ReplyBegan()), (11_700, VoiceOn(11_650)), (12_000, Keyed("1")), (14_000, ReplyEnded())
    )
    assert done == [(14_000, EndCall("provider_outage"))]


def test_the_dialogue_ends_the_call_when_its_goodbye_was_heard():
    assert play(SPEAKING, (12_000, ReplyEnded(closes=True, reason="opted_out")))[1] == [(12_000, EndCall("opted_out"))]


@pytest.mark.parametrize(("lost", "reason"), [(False, "caller_hung_up"), (True, "media_lost")])
def test_hanging_up_ends_the_call_at_any_moment(lost, reason):
    assert play(LISTENING, (11_000, HungUp(lost)))[1] == [(11_000, EndCall(reason))]
    assert play(SPEAKING, (11_000, HungUp(lost)))[1] == [
        (11_000, CutReply(11_000, by_caller=False)),
        (11_000, EndCall(reason)),
    ]


# --- whatever happens ------------------------------------------------------------------------------------------------

HASTE = Patience(call_ms=30_000, goodbye_ms=5_000, quiet_limit_ms=20_000)
PATIENCES = st.sampled_from(
    [HASTE, HASTE.expecting(Expectation(kind="digits", digits=3)), HASTE.expecting(Expectation(kind="number"))]
)


class World:
    """Carries out actions as a session does, and checks each against what it may meet."""

    def __init__(self) -> None:
        self.turn, self.now_ms = Turn(), 0
        self.in_the_air: int | None = 0  # the number of the reply
        self.protected = False
        self.asked: list[int] = []
        self.settled: list[int] = []
        self.draft: str | None = None
        self.drafts = 0  # since the last turn was taken
        self.over = False
        self.volume = Volume.FULL

    def take(self, signal: Signal, patience: Patience) -> None:
        match signal:
            case ReplyBegan() | ReplyEnded() if self.in_the_air is None:
                signal = Tick()  # a session passes on nothing of a reply that is over
            case ReplyBegan(protected):
                self.protected = protected
            case ReplyEnded():
                self.settle()
        self.turn, actions = step(self.turn, signal, self.now_ms, patience)
        assert not (self.over and actions)
        for at, action in enumerate(actions):
            self.check(action, signal, patience, final=at == len(actions) - 1)
        assert (self.in_the_air is not None) == self.turn.replying or self.over
        assert self.volume is self.turn.volume or self.over
        assert self.turn.replying or self.volume is Volume.FULL
        due = deadline(self.turn, patience)
        assert (due is None) if self.over else (due is not None and due > self.now_ms)

    def wait(self, pause_ms: int, patience: Patience) -> None:
        until_ms = self.now_ms + pause_ms
        while (due := deadline(self.turn, patience)) is not None and due < until_ms:
            self.now_ms = due
            self.take(Tick(), patience)
        self.now_ms = until_ms

    def settle(self) -> None:
        assert self.in_the_air is not None
        self.settled.append(self.in_the_air)
        self.in_the_air, self.protected = None, False

    def check(self, action: Action, signal: Signal, patience: Patience, *, final: bool) -> None:
        match action:
            case Draft(to):
                assert self.draft is None, "two drafts"
                assert self.in_the_air is None, "a draft beside a reply"
                assert to.turn == len(self.asked) + 1
                assert to.text.strip()
                self.draft, self.drafts = to.text, self.drafts + 1
                assert self.drafts <= patience.drafts
            case DropDraft():
                assert self.draft is not None, "nothing to drop"
                self.draft = None
            case Reply(to, drafted=drafted):
                assert drafted == (self.draft is not None), "a draft is adopted or dropped before"
                if drafted:
                    assert normal(to.text) == normal(self.draft)
                self.draft, self.drafts = None, 0
                assert self.in_the_air is None, "two replies in the air"
                assert to.turn == len(self.asked) + 1
                self.asked.append(to.turn)
                self.in_the_air = to.turn
            case CutReply():
                assert self.in_the_air is not None, "nothing to cut"
                ends = isinstance(signal, HungUp) or self.turn.phase is Phase.OVER
                assert not self.protected or ends, "a protected line was cut"
                self.settle()
                self.volume = Volume.FULL
            case Duck() | Hold():
                assert self.in_the_air is not None, "nothing to soften"
                assert not self.protected, "a protected line was softened"
                self.volume = Volume.LOW if isinstance(action, Duck) else Volume.HELD
            case Restore():
                assert self.volume is not Volume.FULL
                self.volume = Volume.FULL
            case EndCall():
                assert final
                assert self.in_the_air is None
                assert self.draft is None
                self.over = True


# A pause, then something that began up to 400 ms before it was noticed.
MAKE = [
    lambda now, ago: VoiceOn(max(0, now - ago)),
    lambda now, ago: VoiceOff(max(0, now - ago)),
    lambda now, ago: Heard("yes", True, 0.9, max(0, now - ago), now),
    lambda now, ago: Heard("five five", True, 0.9, max(0, now - 400), max(0, now - ago)),
    lambda now, ago: Heard("", True),
    lambda now, ago: Heard("perhaps", False),
    lambda now, ago: Heard("what does it cost", False, ended_ms=now),
    lambda now, ago: Heard("what does it cost", False, ended_ms=now, mark="eager"),
    lambda now, ago: Heard("What does it cost?", True, 0.9, max(0, now - 900), max(0, now - ago), mark="ended"),
    lambda now, ago: Heard("", False, mark="resumed"),
    lambda now, ago: Heard("and I would like to", True, 0.9, max(0, now - 900), max(0, now - ago), mark="ended"),
    lambda now, ago: Heard("mm hm", False, ended_ms=now),
    lambda now, ago: Keyed("1"),
    lambda now, ago: Keyed("#"),
    lambda now, ago: ReplyBegan(),
    lambda now, ago: ReplyBegan(protected=True),
    lambda now, ago: ReplyEnded(),
    lambda now, ago: Tick(),
    lambda now, ago: MustEnd("drained"),
    lambda now, ago: MustEnd("provider_outage"),
    lambda now, ago: ReplyEnded(closes=True),
    lambda now, ago: HungUp(),
]
RARE = 5  # at the end of the list
OFTEN = [*range(len(MAKE) - RARE)] * 4 + [*range(len(MAKE) - RARE, len(MAKE))]
SCRIPTS = st.lists(
    st.tuples(
        st.sampled_from([0, 1, 20, 119, 120, 500, 2000, 7000]), st.sampled_from(OFTEN), st.sampled_from([0, 100, 400])
    ),
    max_size=40,
)


@settings(max_examples=300)
@given(SCRIPTS, PATIENCES)
def test_whatever_happens_replies_alternate_with_answers_or_cuts_and_the_call_ends(script, patience):
    """At most one reply in the air; each is heard out or cut, once; a protected line is cut by nothing but the end;
    OVER is absorbing; there is always a later deadline; and every call ends at its limits."""
    world = World()
    for pause_ms, kind, ago_ms in script:
        world.wait(pause_ms, patience)
        world.take(MAKE[kind](world.now_ms, ago_ms), patience)
    world.wait(patience.call_ms + patience.goodbye_ms + 1, patience)
    assert world.over
    assert world.turn.since_ms <= patience.call_ms + patience.goodbye_ms
    assert world.settled == [0, *world.asked]


@settings(max_examples=100)
@given(SCRIPTS, PATIENCES, st.floats(0, 1))
def test_nothing_is_done_before_the_deadline(script, patience, share):
    world = World()
    for pause_ms, kind, ago_ms in script:
        world.wait(pause_ms, patience)
        world.take(MAKE[kind](world.now_ms, ago_ms), patience)
    due = deadline(world.turn, patience)
    if due is not None:
        early = world.now_ms + int((due - 1 - world.now_ms) * share)
        assert step(world.turn, Tick(), early, patience) == (world.turn, ())
        assert step(world.turn, Tick(), due, patience) != (world.turn, ())


@pytest.mark.parametrize("make", MAKE)
def test_over_is_absorbing(make):
    over = Turn(Phase.OVER)
    assert step(over, make(100, 50), 100, P) == (over, ())
