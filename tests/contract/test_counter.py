"""Providers as people see them, and the test of one: a real request to a server that speaks its protocol."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from app import playbooks
from app.dialog.playbook import parse
from app.dialog.script import Playbook
from app.errors import NotFound
from app.exchange.completions import Completion
from app.exchange.deepgram import DeepgramServer
from app.exchange.elevenlabs import ElevenLabsServer
from app.exchange.openai import ChatServer
from app.providers.counter import Checked, Counter
from app.settings import load

SECRET = "sk-canary-4711"


def book() -> Playbook:
    return parse(playbooks.text_of("northlight_solar"), "northlight_solar")


def counter(**settings: Any) -> Counter:
    return Counter(load(_env_file=None, **settings), book)


def asked(counter: Counter, name: str) -> tuple[Checked, ...]:
    return asyncio.run(counter.test(name))


def test_the_chains_are_listed_in_order_with_what_each_lacks_and_no_key() -> None:
    listed = counter(
        stt="deepgram,offline", llm="openai,playbook", tts="elevenlabs,offline", deepgram_api_key=SECRET,
        elevenlabs_api_key=SECRET, elevenlabs_base_url="wss://user:secret@voices.example.com/v1",
    ).listed()  # fmt: skip
    assert [(one.stage, one.name) for one in listed] == [
        ("stt", "deepgram"), ("stt", "offline"), ("llm", "openai"), ("llm", "playbook"), ("tts", "elevenlabs"),
        ("tts", "offline"), ("carrier", "twilio"),
    ]  # fmt: skip
    assert (listed[0].key, listed[0].lacking, listed[1].key) == (True, (), None)
    assert listed[4].lacking == ("ELEVENLABS_VOICE_ID",)
    assert listed[4].host == "voices.example.com"
    assert "canary" not in repr(listed)
    assert "secret" not in repr(listed)


def test_what_runs_on_this_machine_answers_at_once() -> None:
    offline = counter(stt="offline", llm="playbook", tts="offline")
    assert [(one.stage, one.ok) for one in asked(offline, "offline")] == [("stt", True), ("tts", True)]
    assert [(one.stage, one.ok) for one in asked(offline, "playbook")] == [("llm", True)]


def test_a_name_that_no_chain_has_is_not_there() -> None:
    with pytest.raises(NotFound):
        asked(counter(llm="playbook"), "openai")


def test_each_is_asked_something_small_and_says_how_long_it_took() -> None:
    async def main() -> list[Checked]:
        async with (
            ChatServer(Completion("Hello.")) as words,
            DeepgramServer("") as ears,
            ElevenLabsServer() as voice,
        ):
            desk = counter(
                stt="deepgram", llm="openai,playbook", tts="elevenlabs",
                openai_base_url=f"{words.url}", openai_api_key="openai-key", openai_model="model",
                deepgram_base_url=ears.url, deepgram_api_key="deepgram-key",
                elevenlabs_base_url=voice.url.replace("http", "ws"), elevenlabs_api_key="elevenlabs-key",
                elevenlabs_voice_id="voice-1",
            )  # fmt: skip
            return [*await desk.test("openai"), *await desk.test("deepgram"), *await desk.test("elevenlabs")]

    results = asyncio.run(main())
    assert [(one.stage, one.ok) for one in results] == [("llm", True), ("stt", True), ("tts", True)], results
    assert all(0 < one.took_ms < 8000 for one in results)


def test_a_wrong_key_a_dead_address_and_a_missing_setting_are_told_apart() -> None:
    async def main() -> list[Checked]:
        async with ChatServer(Completion("Hello.")) as words:
            wrong = counter(llm="openai", openai_base_url=f"{words.url}", openai_api_key=SECRET, openai_model="model")
            refused = await wrong.test("openai")
        dead = counter(llm="openai", openai_base_url="http://127.0.0.1:9/v1", openai_api_key=SECRET)
        unset = counter(tts="elevenlabs,offline", elevenlabs_api_key=SECRET)
        return [*refused, *await dead.test("openai"), *await unset.test("elevenlabs")]

    refused, dead, unset = asyncio.run(main())
    assert (refused.ok, refused.kind, refused.code) == (False, "refused", 401)
    assert (dead.ok, dead.kind) == (False, "broken")
    assert (unset.ok, unset.kind) == (False, "unset")
    assert "canary" not in repr((refused, dead, unset))
