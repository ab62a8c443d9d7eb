"""Lines out of the voice pack, and what happens to a line it does not hold."""

from __future__ import annotations

import sys
from importlib.resources import files
from pathlib import Path

import pytest

from app.dialog.playbook import parse
from app.errors import ProviderDown, ProviderRefused
from app.exchange.virtual import run
from app.ports import Say, Speech
from app.providers.offline import voice_pack
from app.providers.offline.clips import ClipFile, write
from app.providers.offline.synthesis import Synthesizer
from app.providers.offline.tts import OfflineTextToSpeech, pieces, spread
from app.telephony import mulaw

PLAYBOOKS = Path(str(files("app.playbooks.voice"))).parent
WRITES_A_TONE = """
import io, math, struct, sys, wave
tone = b"".join(struct.pack("<h", int(9000 * math.sin(at / 5))) for at in range(8000))
out = wave.open(sys.stdout.buffer, "wb")
out.setnchannels(1); out.setsampwidth(2); out.setframerate(16000); out.writeframes(tone); out.close()
print(sys.argv[1], file=sys.stderr)
"""


async def spoken(tts: OfflineTextToSpeech, *parts: str) -> list[Speech]:
    return [piece async for piece in tts.speak(Say(parts, "test"))]


@pytest.fixture
def small_pack(tmp_path: Path) -> ClipFile:
    write(tmp_path / "pack.zip", {"I have": b"\x11" * 4000, "Tuesday": b"\x22" * 3200, "Good.": b"\x33" * 1600})
    return ClipFile(tmp_path / "pack.zip")


@pytest.mark.parametrize("book", sorted(PLAYBOOKS.glob("*.yaml")), ids=lambda book: book.stem)
def test_the_voice_pack_holds_every_part_of_the_playbooks(book: Path) -> None:
    parts = parse(book.read_text(encoding="utf-8"), book.name).spoken_parts()
    missing = voice_pack.missing_parts(voice_pack.open_pack(), parts)
    assert not missing, f"run `python -m app.providers.offline.build_pack`: {missing}"


def test_missing_parts_are_named(small_pack: ClipFile) -> None:
    assert voice_pack.missing_parts(small_pack, ["Tuesday", "Wednesday", "At noon."]) == ("At noon.", "Wednesday")


def test_parts_follow_each_other_with_the_pauses_of_speech(small_pack: ClipFile) -> None:
    pieces_ = run(spoken(OfflineTextToSpeech(small_pack, []), "Good.", "I have", "Tuesday"))
    sentence, words_ = voice_pack.pause_after("Good."), voice_pack.pause_after("I have")
    expected = b"\x33" * 1600 + sentence + b"\x11" * 4000 + words_ + b"\x22" * 3200
    assert b"".join(piece.mulaw for piece in pieces_) == expected
    assert mulaw.duration_ms(sentence) == 280
    assert mulaw.duration_ms(words_) == 40


def test_pieces_are_short_and_every_word_is_in_one_of_them(small_pack: ClipFile) -> None:
    found = run(spoken(OfflineTextToSpeech(small_pack, []), "I have", "Tuesday"))
    assert all(mulaw.duration_ms(piece.mulaw) <= 200 for piece in found)
    assert [word.text for piece in found for word in piece.words] == ["I", "have", "Tuesday"]
    for piece in found:
        for word in piece.words:
            assert 0 <= word.started_ms < word.ended_ms <= mulaw.duration_ms(piece.mulaw)


def test_no_word_is_lost_when_letters_and_sound_do_not_divide() -> None:
    text = "a bb ccc dddd eeeee"
    found = [word.text for piece in pieces(text, b"\xff" * 4001) for word in piece.words]
    assert found == text.split()
    assert spread(text, 500)[-1].ended_ms == 500


def test_what_the_pack_lacks_is_synthesized_once(small_pack: ClipFile, tmp_path: Path) -> None:
    program = tmp_path / "speak.py"
    program.write_text(WRITES_A_TONE)
    broken = Synthesizer("broken", (sys.executable, "-c", "raise SystemExit('no voice installed')"))
    tts = OfflineTextToSpeech(small_pack, [broken, Synthesizer("tone", (sys.executable, str(program)))])
    first = run(spoken(tts, "I have", "Wednesday"))
    assert sum(len(piece.mulaw) for piece in first) > 4000 + 3000
    program.unlink()
    assert run(spoken(tts, "I have", "Wednesday")) == first


def test_a_line_nobody_can_say_is_refused_by_name_never_left_silent(small_pack: ClipFile) -> None:
    with pytest.raises(ProviderRefused, match=r"'At noon\.'.*install flite"):
        run(spoken(OfflineTextToSpeech(small_pack, []), "I have", "At noon."))


def test_a_synthesizer_that_fails_says_why(small_pack: ClipFile) -> None:
    mute = Synthesizer("mute", (sys.executable, "-c", "raise SystemExit('no voice installed')"))
    with pytest.raises(ProviderRefused, match="mute could not speak 'Hello': no voice installed"):
        run(spoken(OfflineTextToSpeech(small_pack, [mute]), "Hello"))
    absent = Synthesizer("absent", ("/nowhere/speak",))
    with pytest.raises(ProviderDown, match="absent did not speak"):
        run(spoken(OfflineTextToSpeech(small_pack, [absent]), "Hello"))


def test_stray_punctuation_says_nothing(small_pack: ClipFile) -> None:
    tts = OfflineTextToSpeech(small_pack, [])
    assert run(spoken(tts, "Tuesday", ".")) == run(spoken(tts, "Tuesday"))


def test_a_voice_of_its_own_is_preferred_to_the_pack_which_steps_in(small_pack: ClipFile, tmp_path: Path) -> None:
    program = tmp_path / "speak.py"
    program.write_text(WRITES_A_TONE)
    own = Synthesizer("tone", (sys.executable, str(program)))
    recorded = run(spoken(OfflineTextToSpeech(small_pack, []), "Tuesday"))
    assert run(spoken(OfflineTextToSpeech(small_pack, [], own), "Tuesday")) != recorded
    absent = Synthesizer("absent", ("/nowhere/speak",))
    assert run(spoken(OfflineTextToSpeech(small_pack, [], absent), "Tuesday")) == recorded


def test_the_version_tells_voices_apart(small_pack: ClipFile, tmp_path: Path) -> None:
    write(tmp_path / "other.zip", {"Tuesday": b"\x44" * 3200})
    own = Synthesizer("tone", (sys.executable, "speak.py"))
    same = [OfflineTextToSpeech(small_pack, []).voice_version for _ in range(2)]
    others = [
        OfflineTextToSpeech(ClipFile(tmp_path / "other.zip"), []).voice_version,
        OfflineTextToSpeech(small_pack, [], own).voice_version,
        OfflineTextToSpeech(small_pack, [own]).voice_version,
    ]
    assert len({*same, *others}) == 4
