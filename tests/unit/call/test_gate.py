from app.call.gate import Gate
from app.dialog.events import OwnVoice, VoiceOff, VoiceOn
from app.ports import AudioChunk, Whose

THEIRS, OURS, UNKNOWN = Whose.THEIRS, Whose.OURS, Whose.UNKNOWN


class Line:
    """Says whose the sound is, by its time."""

    def __init__(self, *whose: tuple[int, Whose]) -> None:
        self._whose = whose

    def whose(self, from_ms, to_ms):
        return [whose for since_ms, whose in self._whose if since_ms <= to_ms][-1]


def noticed(line: Line, on_ms: int, off_ms: int, seen_ms: int = 80) -> list[tuple[int, object]]:
    """A voice from `on_ms` to `off_ms`, noticed `seen_ms` later."""
    gate, found = Gate(line), []
    for at_ms in range(0, off_ms + 400, 20):
        found += [(at_ms, event) for event in gate.pass_through(AudioChunk(b"\xff" * 160, at_ms))]
        if at_ms == on_ms + seen_ms:
            found += [(at_ms, event) for event in gate.pass_through(VoiceOn(on_ms))]
        if at_ms == off_ms + 200:
            found += [(at_ms, event) for event in gate.pass_through(VoiceOff(off_ms))]
    return found


def test_the_callers_voice_passes_at_once():
    assert noticed(Line((0, THEIRS)), 1000, 2000) == [(1080, VoiceOn(1000)), (2200, VoiceOff(2000))]


def test_a_voice_of_which_nothing_is_known_passes_at_once():
    assert noticed(Line((0, UNKNOWN)), 1000, 2000)[0] == (1080, VoiceOn(1000))


def test_our_own_does_not():
    assert noticed(Line((0, OURS)), 1000, 2000) == [(1080, OwnVoice(1000)), (2200, OwnVoice(1000, 2000))]


def test_a_voice_that_turns_out_to_be_ours_is_taken_back():
    found = noticed(Line((0, UNKNOWN), (1200, OURS)), 1000, 2000)
    assert found[0] == (1080, VoiceOn(1000))
    assert found[1][1] == OwnVoice(1000)
    assert 1180 <= found[1][0] <= 1300
    assert found[2:] == [(2200, OwnVoice(1000, 2000))]


def test_somebody_who_speaks_over_our_echo_is_let_through():
    found = noticed(Line((0, OURS), (2000, THEIRS)), 1000, 3000)
    (_, ours), (_, over), (at_ms, voice), (_, off) = found
    assert (ours, off) == (OwnVoice(1000), VoiceOff(3000))
    assert isinstance(over, OwnVoice)
    assert over.to_ms == voice.at_ms
    assert 1850 <= voice.at_ms <= 2000
    assert at_ms <= 2300


def test_a_voice_that_lasts_is_not_doubted_any_more():
    assert noticed(Line((0, THEIRS), (2600, OURS)), 1000, 4000) == [(1080, VoiceOn(1000)), (4200, VoiceOff(4000))]
