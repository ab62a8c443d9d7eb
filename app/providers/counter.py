"""Which providers are asked in which order, what each lacks, and one small real request to any of them.

A key is never told, only that there is one. The requests are those of the prober (prober.py): a word to be spoken, a
word to be said, a second of silence; of the telephone company its numbers are asked for.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from app.dialog.script import Playbook
from app.errors import BadInput, BadSetting, NotFound, ProviderDown, ProviderError, ProviderLate
from app.providers.prober import HasProbe, one_token, one_word
from app.providers.registry import DIALOGUE, SPEECH_TO_TEXT, TEXT_TO_SPEECH, Connected
from app.providers.shared import Shared
from app.settings import Settings

STAGES = ("stt", "llm", "tts")
CARRIER = "twilio"
LIMIT_S = 8.0  # a new connection, and an answer
_TABLES: Mapping[str, Mapping[str, Any]] = {"stt": SPEECH_TO_TEXT, "llm": DIALOGUE, "tts": TEXT_TO_SPEECH}


@dataclass(frozen=True, slots=True)
class About:
    """Names of the settings that hold a provider's key, address and model; "" for what it has none of."""

    key: str = ""
    address: str = ""
    model: str = ""


_ABOUT: Mapping[tuple[str, str], About] = {
    ("stt", "deepgram"): About("deepgram_api_key", "deepgram_base_url", "deepgram_model"),
    ("llm", "realtime"): About("openai_api_key", "openai_base_url", "openai_realtime_model"),
    ("llm", "openai"): About("openai_api_key", "openai_base_url", "openai_model"),
    ("llm", "openai_2"): About("openai_2_api_key", "openai_2_base_url", "openai_2_model"),
    ("llm", "openai_responses"): About("openai_api_key", "openai_base_url", "openai_model"),
    ("llm", "anthropic"): About("anthropic_api_key", "anthropic_base_url", "anthropic_model"),
    ("tts", "elevenlabs"): About("elevenlabs_api_key", "elevenlabs_base_url", "elevenlabs_model"),
    ("tts", "aura"): About("deepgram_api_key", "deepgram_base_url", "aura_voice"),
    ("carrier", CARRIER): About("twilio_auth_token", "twilio_base_url"),
}


@dataclass(frozen=True, slots=True)
class Listed:
    """One provider in one stage: "stt", "llm", "tts" or "carrier". `key` None where none is needed. `lacking` names
    the settings without which the chain goes on past it. `host` None: on this machine, or its maker's own address."""

    stage: str
    name: str
    key: bool | None
    lacking: tuple[str, ...]
    host: str | None
    model: str | None


@dataclass(frozen=True, slots=True)
class Checked:
    """`ok` None: this one cannot be asked outside a call. `kind` and `code` say what failed, as ProviderError does."""

    stage: str
    ok: bool | None
    took_ms: int
    kind: str = ""
    code: int | None = None


class Counter:
    """Of the providers that the settings name. `book` is the playbook that tests are made with."""

    def __init__(self, settings: Settings, book: Callable[[], Playbook]) -> None:
        self._settings, self._book = settings, book

    def listed(self) -> tuple[Listed, ...]:
        """In the order in which they are asked; the carrier last."""
        named = [(stage, name) for stage in STAGES for name in self._settings.chain(stage) if name in _TABLES[stage]]
        return tuple(self._about(stage, name) for stage, name in [*named, ("carrier", CARRIER)])

    async def test(self, name: str) -> tuple[Checked, ...]:
        """In every stage it is named for. Raises NotFound for a name that no chain has."""
        stages = [one.stage for one in self.listed() if one.name == name]
        if not stages:
            raise NotFound(f"No chain names {name}.")
        return tuple([await self._test(stage, name) for stage in stages])

    def _about(self, stage: str, name: str) -> Listed:
        about, settings = _ABOUT.get((stage, name), About()), self._settings
        needs = _TABLES[stage][name].needs if stage in _TABLES else ("twilio_account_sid", "twilio_auth_token")
        address = getattr(settings, about.address) if about.address else None
        return Listed(
            stage=stage,
            name=name,
            key=bool(getattr(settings, about.key)) if about.key else None,
            lacking=tuple(need.upper() for need in needs if not getattr(settings, need)),
            host=urlsplit(address).netloc.rpartition("@")[2] if address else None,
            model=getattr(settings, about.model) if about.model else None,
        )

    async def _test(self, stage: str, name: str) -> Checked:
        began = time.perf_counter()

        def after(ok: bool | None, error: ProviderError | None = None) -> Checked:
            took_ms = round((time.perf_counter() - began) * 1000)
            return Checked(stage, ok, took_ms, error.kind if error else "", error.provider_code if error else None)

        if self._about(stage, name).lacking:
            return Checked(stage, False, 0, "unset")
        try:
            async with asyncio.timeout(LIMIT_S):
                return after(await self._ask(stage, name))
        except TimeoutError:
            return after(False, ProviderLate("no answer"))
        except ProviderError as error:
            return after(False, error)
        except (BadInput, BadSetting):
            return Checked(stage, False, 0, "unset")

    async def _ask(self, stage: str, name: str) -> bool | None:
        """Raises ProviderError. Modules are loaded on a thread: calls go on meanwhile."""
        if stage == "carrier":
            await asyncio.to_thread(self._look_up)
            return True
        if (stage, name) not in _ABOUT:
            return True  # on this machine
        made = await asyncio.to_thread(self._make, stage, name)
        if stage == "stt":
            request: Callable[[], Awaitable[None]] | None = made.probe if isinstance(made, HasProbe) else None
        elif stage == "tts":
            request = lambda: one_word(made)  # noqa: E731
        else:
            request = (lambda: one_token(made)) if hasattr(made, "stream") else None
        if request is None:
            return None
        try:
            await request()
        finally:
            if isinstance(made, Connected):
                await made.close()
        return True

    def _make(self, stage: str, name: str) -> Any:
        shared, kind = Shared(self._settings), _TABLES[stage][name]
        return kind.make(shared, *self._of(stage))

    def _of(self, stage: str) -> Iterator[Any]:
        if stage == "stt":
            yield self._book()
        elif stage == "tts":
            yield self._book().voice

    def _look_up(self) -> None:
        from app.providers.twilio import TwilioCarrier
        from app.providers.twilio_client import connect

        settings = self._settings
        assert settings.twilio_account_sid is not None
        assert settings.twilio_auth_token is not None
        token = settings.twilio_auth_token.get_secret_value()
        client = connect(settings.twilio_account_sid, token, settings.twilio_base_url, timeout_s=LIMIT_S / 2)
        carrier = TwilioCarrier(client, public_url=settings.public_url or "")
        if settings.twilio_number and carrier.voice_url(settings.twilio_number) is None:
            raise ProviderDown("the account has not this number")
        if settings.twilio_number is None:
            carrier.voice_url("+10000000000")
