"""An opt-out said to the offline voices and recogniser ends calls for good: every way of saying it, in every voice."""

from __future__ import annotations

from collections.abc import AsyncIterator
from importlib.resources import files
from pathlib import Path

import pytest

from app.dialog import guards
from app.dialog.playbook import parse
from app.exchange import voices
from app.exchange.virtual import run
from app.ports import AudioChunk
from app.providers.offline.states import expectations, source
from app.providers.offline.stt import OfflineSpeechToText
from app.providers.offline.vad import SileroVoiceActivity
from app.providers.offline.workers import InlineRecogniser
from app.telephony import mulaw

BOOK = Path(str(files("app.playbooks.voice"))).parent / "northlight_solar.yaml"
PLAYBOOK = parse(BOOK.read_text(encoding="utf-8"), BOOK.name)
STATES = {expected.topic: expected for expected in expectations(PLAYBOOK)}
OPT_OUTS = [text for text in voices.sayings()["open"] if guards.opts_out(text)]


@pytest.fixture(scope="module")
def activity() -> SileroVoiceActivity:
    return SileroVoiceActivity()


def heard(activity: SileroVoiceActivity, voice: str, text: str, topic: str) -> str:
    async def line() -> AsyncIterator[AudioChunk]:
        sound = mulaw.silence(400) + voices.clip(voice, text) + mulaw.silence(500)
        for start in range(0, len(sound), mulaw.FRAME_BYTES):
            yield AudioChunk(sound[start : start + mulaw.FRAME_BYTES], start // mulaw.BYTES_PER_MS)

    async def main() -> str:
        stt = OfflineSpeechToText(source(PLAYBOOK), InlineRecogniser())
        pieces = [heard.text async for heard in stt.listen(activity.watch(line()), lambda: STATES[topic])]
        return " ".join(pieces)

    return run(main())


def test_there_are_enough_ways_to_say_it() -> None:
    assert len(OPT_OUTS) >= 6


@pytest.mark.parametrize("voice", voices.voices())
@pytest.mark.parametrize("text", OPT_OUTS)
def test_an_opt_out_is_heard(activity: SileroVoiceActivity, voice: str, text: str) -> None:
    words = heard(activity, voice, text, "ask:roof")
    assert guards.opts_out(words), words
