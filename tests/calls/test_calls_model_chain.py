"""Whole calls over a chain of language models on the virtual clock: what the caller hears, and how soon (P2)."""

from __future__ import annotations

from datetime import date

import pytest

from app.dialog.events import ProviderFailed, TokensUsed
from app.exchange.completions import Completion
from app.providers.chat import ChatModel
from app.providers.model_chain import ModelChain
from app.providers.openai import Guide, LanguageModelDialogue
from app.providers.scripted import ScriptedSpeechToText
from tests.calls.test_calls_language_model import (
    ANSWER,
    ASKING,
    BOOK,
    PRICE,
    MemoryServer,
    heard,
    silence_before_the_last_answer,
    understand,
)

SECOND = "That depends on the sun your roof gets. Do you own your home?"
HANGS = Completion(SECOND, trouble="stalls", at=0)


def held_over(scene, *servers: MemoryServer):
    models = [ChatModel(server, "model", name=f"model {at}") for at, server in enumerate(servers)]  # type: ignore[arg-type]
    dialogue = LanguageModelDialogue(Guide.by(BOOK, understand), ModelChain(models), today=date(2026, 11, 20))
    return scene(dialogue, ScriptedSpeechToText(PRICE)).hold(*ASKING)


@pytest.mark.parametrize("first", [HANGS, Completion(SECOND, first_s=8.0), Completion(SECOND, trouble="ends", at=0)])
def test_F10_the_second_model_is_heard_within_the_turn_when_the_first_keeps_silent(scene, first):
    servers = MemoryServer(first), MemoryServer(Completion(SECOND, first_s=0.3))
    held = held_over(scene, *servers)
    assert SECOND in " ".join(heard(held))
    assert silence_before_the_last_answer(held) <= 2500
    assert [(failed.provider, failed.fallback) for failed in held.facts(ProviderFailed)] == [("model 0", "model 1")]
    assert [used.provider for used in held.facts(TokensUsed) if not used.cancelled] == ["model 1"]
    assert [server.open for server in servers] == [0, 0]


def test_F10_with_both_silent_the_playbook_is_heard_in_time(scene):
    servers = MemoryServer(HANGS), MemoryServer(HANGS)
    held = held_over(scene, *servers)
    assert ANSWER in " ".join(heard(held))
    assert silence_before_the_last_answer(held) <= 2500
    assert [server.open for server in servers] == [0, 0]


def test_a_first_model_in_time_is_left_to_it(scene):
    servers = MemoryServer(Completion(SECOND, first_s=0.6)), MemoryServer(HANGS)
    held = held_over(scene, *servers)
    assert SECOND in " ".join(heard(held))
    assert servers[1].requests == []
