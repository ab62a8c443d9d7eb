import asyncio
import json
from dataclasses import replace
from pathlib import Path

import pytest

from app.dialog.interruption import Volume
from app.errors import BadInput
from app.evaluation.interruptions import _table, report
from app.evaluation.overlap import Outcome, Overlap, Sound
from app.exchange.sound import murmur, tone
from app.providers.scripted import ScriptedVoiceActivity

LINE = tone(500, ms=15_000, amplitude=8000)
TEXT = "this is what we say while the caller makes a sound"


def over(sound: Sound, *, interims: bool = True) -> Outcome:
    return asyncio.run(Overlap(LINE, TEXT, sound, interims).run(ScriptedVoiceActivity()))


@pytest.mark.parametrize("interims", [True, False])
def test_words_take_the_turn(interims):
    found = over(Sound("sentence", murmur(1500), "no wait how much is it", takes=True), interims=interims)
    assert found.soft_ms == 120  # when voice activity has noticed it
    assert found.silent_ms is not None
    assert found.taken_ms is not None
    assert found.silent_ms < (600 if interims else 1000) <= 1700 + 20


def test_a_sound_without_words_does_not_and_we_are_loud_again():
    found = over(Sound("cough", murmur(400)))
    assert (found.soft_ms, found.silent_ms, found.taken_ms, found.volume) == (120, None, None, Volume.FULL)


def test_our_line_come_back_is_known_and_from_then_on_changes_nothing():
    found = over(Sound("our echo", b"\xff" * 16_000, echo_ms=100, echo_db=-12.0))
    assert (found.soft_ms, found.taken_ms, found.volume) == (None, None, Volume.FULL)


def test_precision_and_recall():
    takes, cough = Sound("sentence", b"", "no", takes=True), Sound("cough", b"")
    taken = Outcome(takes, 60, 300, 400)
    table = _table([taken, taken, Outcome(takes, 80), replace(taken, sound=cough), Outcome(cough)])
    assert table["precision"] == pytest.approx(2 / 3)
    assert table["recall"] == pytest.approx(2 / 3)
    assert table["kinds"]["cough"]["took"] == 1
    assert table["soft_ms"] == {"p50": 60, "p95": 80}
    json.dumps(table)


def test_a_folder_is_asked_for(tmp_path: Path):
    with pytest.raises(BadInput, match="--data"):
        report(None, False)
    with pytest.raises(BadInput, match="no recordings"):
        report(tmp_path, False)
