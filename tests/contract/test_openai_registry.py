"""STROWGER_LLM=openai,playbook: who holds the conversation, and in which voice."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.exchange.completions import Completion
from app.exchange.openai import ChatServer
from app.providers.offline import synthesis
from app.providers.registry import Providers
from app.settings import Settings, load
from tests.contract.openai_talk import FRIDAY, northlight, run


def settings(url: str, data_dir: Path) -> Settings:
    given = {"OPENAI_BASE_URL": url, "OPENAI_MODEL": "model", "OPENAI_API_KEY": "openai-key"}
    return load(STROWGER_LLM="openai,playbook", STROWGER_TTS="offline", STROWGER_DATA_DIR=data_dir, **given)


@pytest.mark.parametrize(
    ("voices", "name"), [([synthesis.Synthesizer("any", ("true",))], "openai"), ([], "playbook")], ids=["any", "pack"]
)
def test_a_model_speaks_only_where_a_voice_can_say_anything(
    voices: list[synthesis.Synthesizer], name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The voice pack holds the playbook's lines: a model's words would be refused, line after line."""
    monkeypatch.setattr(synthesis, "available", lambda: voices)

    async def main() -> None:
        async with ChatServer(Completion("Hello.")) as server:
            providers = Providers(settings(server.url, tmp_path))
            dialogue = providers.dialogue(northlight(), today=FRIDAY, direction="inbound")
            assert dialogue.name == name
            assert server.requests == [], "nobody has said anything yet"
            await providers.close()

    run(main)
