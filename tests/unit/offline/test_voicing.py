"""Beginning and end of voice from probabilities, 32 ms each."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from app.dialog.events import VoiceOff, VoiceOn
from app.providers.offline.voicing import Tuning, Voicing

QUIET, UNSURE, VOICE = 0.05, 0.45, 0.95


def events(*probabilities: float) -> list[VoiceOn | VoiceOff]:
    voicing = Voicing(Tuning())
    found = [voicing.next(p, number * 32, number * 32 + 32) for number, p in enumerate(probabilities)]
    return [event for event in (*found, voicing.end()) if event]


def test_voice_is_noticed_in_its_first_window() -> None:
    voicing = Voicing(Tuning())
    assert voicing.next(QUIET, 0, 32) is None
    assert voicing.next(VOICE, 32, 64) == VoiceOn(32)


def test_voice_is_said_to_begin_where_it_grew_out_of_quiet() -> None:
    assert events(QUIET, UNSURE, UNSURE, VOICE)[0] == VoiceOn(32)


def test_something_unsure_that_fades_is_no_voice() -> None:
    assert events(UNSURE, UNSURE, QUIET, UNSURE) == []


def test_voice_ends_after_192_ms_of_quiet_less_what_the_model_rings_on() -> None:
    assert events(*[VOICE] * 10, *[QUIET] * 6) == [VoiceOn(0), VoiceOff(320 - 64)]


def test_a_gap_inside_a_word_does_not_end_it() -> None:
    assert events(*[VOICE] * 4, *[QUIET] * 5, *[VOICE] * 4) == [VoiceOn(0), VoiceOff(13 * 32 - 64)]


def test_voice_still_on_when_the_audio_ends_is_ended() -> None:
    assert events(VOICE, VOICE, VOICE) == [VoiceOn(0), VoiceOff(32)]


@given(st.lists(st.sampled_from([QUIET, UNSURE, VOICE]), max_size=80))
def test_events_alternate_and_times_never_run_backwards(probabilities: list[float]) -> None:
    found = events(*probabilities)
    assert [type(event) for event in found] == [VoiceOn, VoiceOff] * (len(found) // 2)
    times = [event.at_ms for event in found]
    assert times == sorted(times)
