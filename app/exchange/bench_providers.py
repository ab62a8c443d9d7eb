"""The providers of a bench, emulated at fixed, stated latencies, and who the callers are whom they hear."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from typing import Self

from app.exchange.bench_ear import Ear
from app.exchange.bench_lines import strange_lines
from app.exchange.caller_words import Register
from app.exchange.deepgram import DeepgramServer
from app.exchange.elevenlabs import ElevenLabsServer
from app.exchange.listening import Listening
from app.exchange.openai import ChatServer
from app.exchange.prompt_listening import EAGER_MS, FINAL_MS, INTERIM_MS, PromptFlux, PromptNova
from app.exchange.prompt_model import LEAD_WORDS, TOKENS, PromptModel
from app.exchange.prompt_voice import PromptVoice

FIRST_TOKEN_MS, TOKEN_MS, FIRST_AUDIO_MS = 300, 10, 150
SUM_MS = FINAL_MS + FIRST_TOKEN_MS + TOKENS * TOKEN_MS + FIRST_AUDIO_MS  # for who waits for the final and a sentence
STATED = (
    f"final transcript {FINAL_MS} ms after the last sound (Flux: eager at {EAGER_MS} ms), interim results every "
    f"{INTERIM_MS} ms; first token after {FIRST_TOKEN_MS} ms, then {1000 // TOKEN_MS} tokens/s, {TOKENS} to a "
    f"sentence; first audio {FIRST_AUDIO_MS} ms after text is flushed: {SUM_MS} ms in sum"
)
_MODEL = "bench-model"


class BenchProviders:
    """Serve while the block runs."""

    def __init__(self) -> None:
        self.register = Register()
        self.voice = PromptVoice()
        self.model = PromptModel(first_s=FIRST_TOKEN_MS / 1000, token_s=TOKEN_MS / 1000)
        self.voice.once = lambda text: " ".join(text.lower().split()[:LEAD_WORDS]) in self.model.asked
        self.ears = DeepgramServer()
        self.chat = ChatServer(self.model, model=_MODEL)
        self.speech = ElevenLabsServer()
        self._open = AsyncExitStack()

    async def __aenter__(self) -> Self:
        known = {"register": self.register}
        listening: dict[str, type[Listening]] = {
            "/v1/listen": type("Nova", (PromptNova,), known),
            "/v2/listen": type("Flux", (PromptFlux,), known),
        }
        self.ears.listening = listening
        self.speech.first_audio_s = FIRST_AUDIO_MS / 1000
        self.speech.voice_of = self.voice
        for server in (self.ears, self.chat, self.speech):
            await self._open.enter_async_context(server)
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._open.aclose()

    def strange(self) -> tuple[int, int]:
        """Frames of somebody else's sound that a recogniser was sent as a caller's, and how many were looked at."""
        speakers = self.register.speakers.values()
        return sum(one.strange_frames for one in speakers), sum(one.checked_frames for one in speakers)

    def strange_lines(self, ears: Sequence[Ear]) -> tuple[int, int]:
        """The same for our side: lines that a caller heard and that were not his, and how many were looked at."""
        return strange_lines(ears, self.voice.lines, self.model.asked)

    def forget(self) -> None:
        """What calls that are over have left behind, so that many can follow each other."""
        self.voice.lines.clear()
        self.model.asked.clear()
        self.chat.requests.clear()
        for seen in (self.ears.connections, self.speech.connections):
            seen.clear()

    def environment(self, listening_model: str) -> Mapping[str, str]:
        """What a service must be told to use them."""
        return {
            "DEEPGRAM_API_KEY": self.ears.key,
            "DEEPGRAM_BASE_URL": self.ears.url,
            "DEEPGRAM_MODEL": listening_model,
            "OPENAI_API_KEY": self.chat.key,
            "OPENAI_BASE_URL": self.chat.url,
            "OPENAI_MODEL": _MODEL,
            "ELEVENLABS_API_KEY": self.speech.key,
            "ELEVENLABS_BASE_URL": self.speech.url,
            "ELEVENLABS_VOICE_ID": self.speech.voice,
        }
