"""What was said once is said again without asking; what was said to one caller is not kept."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from app.dialog.phrases import spell
from app.errors import ProviderDown
from app.ports import Say, Speech, WordAt
from app.providers.chain import ChainedTextToSpeech
from app.providers.phrase_store import PhraseStore, joined, key_of
from app.providers.remembering import RememberingTextToSpeech

HELLO = Say(("Hello there.",), "greeting")
CONSTANT = {"Hello there.", *spell("0123456789")}


class Voice:
    """Two pieces a line; counts what it was asked to say."""

    name = "voice"
    model = "m"

    def __init__(self, version: str = "v1", *, down_after: int | None = None) -> None:
        self.voice_version, self.down_after = version, down_after
        self.said: list[str] = []

    async def speak(self, line: Say) -> AsyncIterator[Speech]:
        self.said.append(line.text)
        for place, word in enumerate(line.text.split()):
            if place == self.down_after:
                raise ProviderDown("gone")
            yield Speech(bytes([place]) * 800, (WordAt(word, 0, 100),))


def spoken(voice: RememberingTextToSpeech | ChainedTextToSpeech, *lines: Say) -> list[Speech]:
    async def main() -> list[Speech]:
        return [joined([speech async for speech in voice.speak(line)]) for line in lines]

    return asyncio.run(main())


def test_a_line_is_synthesized_once_and_sounds_the_same_with_its_words():
    voice = Voice()
    first, second = spoken(RememberingTextToSpeech(voice, PhraseStore()), HELLO, HELLO)
    assert voice.said == [HELLO.text]
    assert first == second
    assert second.words == (WordAt("Hello", 0, 100), WordAt("there.", 100, 200))


def test_another_voice_does_not_speak_with_the_sound_of_the_first():
    store, voice = PhraseStore(), Voice("v2")
    spoken(RememberingTextToSpeech(Voice("v1"), store), HELLO)
    spoken(RememberingTextToSpeech(voice, store), HELLO)
    assert voice.said == [HELLO.text]


def test_a_line_that_broke_off_is_not_remembered():
    store, voice = PhraseStore(), Voice(down_after=1)
    with pytest.raises(ProviderDown):
        spoken(RememberingTextToSpeech(voice, store), HELLO)
    assert store.find(key_of("v1", HELLO.text)) is None


@pytest.mark.parametrize(
    ("line", "kept", "on_disk"),
    [
        (HELLO, True, True),
        (Say(("Well, hello.",), "talk"), True, False),
        (Say(("Well so",), "talk"), False, False),
        (Say(("Your number is 5550100.",), "talk"), False, False),
        (Say(spell("555"), "confirm:phone"), False, False),
        (Say(("word " * 80,), "talk"), False, False),
    ],
    ids=["of the playbook", "a model's", "the beginning of one", "figures of a caller", "a number read back", "long"],
)
def test_what_is_kept_and_what_outlives_the_process(tmp_path: Path, line, kept, on_disk):
    store = PhraseStore(tmp_path)
    spoken(RememberingTextToSpeech(Voice(), store, CONSTANT), line)
    assert (store.find(key_of("v1", line.text)) is not None) is kept
    later = PhraseStore(tmp_path)
    later.load()
    assert (later.find(key_of("v1", line.text)) is not None) is on_disk
    if on_disk:
        assert later.find(key_of("v1", line.text)) == store.find(key_of("v1", line.text))


def test_a_voice_that_does_not_tell_its_version_remembers_nothing():
    store, voice = PhraseStore(), Voice("")
    spoken(RememberingTextToSpeech(voice, store, CONSTANT), HELLO, HELLO)
    assert len(voice.said) == 2


def test_the_store_forgets_what_was_not_used_for_longest():
    store = PhraseStore(most_bytes=8000)
    for name in "abcdefghijk":
        store.keep(name, [Speech(b"\x01" * 900)])
        store.find("a")
    assert store.find("a") is not None
    assert store.find("b") is None
    assert store.find("k") is not None


def test_a_disk_holds_no_more_than_the_memory(tmp_path: Path):
    store = PhraseStore(tmp_path, most_bytes=80_000)
    for name in "abc":
        store.keep(name, [Speech(b"\x01" * 9000)])
        store.save(name)
    small = PhraseStore(tmp_path, most_bytes=20_000)
    small.load()
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.parametrize("content", [b"", b"x", b'{"words": [], "bytes": 9}\nshort', b"[]\nabc", b'{"words": 3}\nabc'])
def test_a_broken_file_is_no_phrase(tmp_path: Path, content):
    (tmp_path / "a.phrase").write_bytes(content)
    store = PhraseStore(tmp_path)
    store.load()
    assert store.find("a") is None
    assert list(tmp_path.iterdir()) == []


def test_F12_a_remembered_line_needs_no_provider():
    store = PhraseStore()
    spoken(RememberingTextToSpeech(Voice(), store), HELLO)
    down, stand_in = Voice(down_after=0), Voice("other")
    chain = ChainedTextToSpeech([RememberingTextToSpeech(down, store), stand_in])
    [heard] = spoken(chain, HELLO)
    assert heard.mulaw
    assert down.said == stand_in.said == []
