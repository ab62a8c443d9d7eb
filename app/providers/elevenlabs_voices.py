"""Copies of voices at ElevenLabs: made from samples, found again, deleted. Through its SDK; blocks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import httpx
from elevenlabs.client import ElevenLabs
from elevenlabs.core.api_error import ApiError

from app.errors import ProviderDown, ProviderRefused, ProviderUncertain
from app.settings import Settings

NAME = "elevenlabs"
_TIMEOUT_S = 120.0  # samples of some megabytes over a slow line
_ONCE = {"max_retries": 0}
_REFUSALS = {400, 401, 402, 403, 404, 413, 422}


@dataclass(frozen=True, slots=True)
class Made:
    """`needs_verification`: ElevenLabs wants to hear from the speaker itself before the voice may be used."""

    voice_id: str
    needs_verification: bool


class VoiceLibrary:
    """The account's. `mark` is ours: it is written into the voice's description, and finds it again."""

    def __init__(self, key: str, base_url: str) -> None:
        self._http = httpx.Client(timeout=_TIMEOUT_S)
        self._sdk = ElevenLabs(api_key=key, base_url=base_url.replace("ws", "http", 1), httpx_client=self._http)

    def copy(self, name: str, samples: Sequence[tuple[str, bytes]], mark: str) -> Made:
        """Raises ProviderUncertain when no answer came, or that of a server in trouble: it may have been made."""
        files = [(file, data, "audio/wav") for file, data in samples]
        with _translated(sent="the voice may have been made"):
            made = self._sdk.voices.ivc.create(
                name=name, files=list(files), description=_description(mark), labels={}, request_options=_ONCE
            )
        return Made(str(made.voice_id), bool(made.requires_verification))

    def find(self, mark: str) -> tuple[str, ...]:
        """The ids of voices that bear the mark."""
        with _translated():
            found = self._sdk.voices.search(search=mark, request_options=_ONCE)
        return tuple(str(voice.voice_id) for voice in found.voices if _description(mark) == voice.description)

    def delete(self, voice_id: str) -> bool:
        """False when it is not there (any more)."""
        try:
            with _translated():
                self._sdk.voices.delete(voice_id, request_options=_ONCE)
        except ProviderRefused as refused:
            if refused.provider_code in (400, 404) and "voice_not_found" in str(refused):
                return False
            raise
        return True

    def close(self) -> None:
        self._http.close()


def make(settings: Settings) -> VoiceLibrary:
    key = settings.elevenlabs_api_key
    return VoiceLibrary(key.get_secret_value() if key else "", settings.elevenlabs_base_url)


def _description(mark: str) -> str:
    return f"Made by Strowger with the speaker's recorded consent {mark}"


@contextmanager
def _translated(sent: str = "") -> Iterator[None]:
    """Errors of the SDK and the network as ours. `sent`: what may have happened if no answer came."""
    try:
        yield
    except ApiError as error:
        status = error.status_code or 0
        said = f"ElevenLabs answered {status}{_status(error.body)}"
        if sent and status >= 500:
            raise ProviderUncertain(f"{said}: {sent}", provider_code=status) from None
        raise (ProviderRefused if status in _REFUSALS else ProviderDown)(said, provider_code=status) from None
    except (httpx.ConnectError, httpx.ConnectTimeout) as error:
        raise ProviderDown(f"ElevenLabs cannot be reached: {error or type(error).__name__}") from None
    except (httpx.HTTPError, ValueError) as error:
        if sent:
            raise ProviderUncertain(f"ElevenLabs did not answer ({type(error).__name__}): {sent}") from None
        raise ProviderDown(f"ElevenLabs did not answer: {type(error).__name__}") from None


def _status(body: object) -> str:
    """Their word for it, where there is one."""
    detail = body.get("detail") if isinstance(body, dict) else None
    status = detail.get("status") if isinstance(detail, dict) else None
    return f" ({status})" if status else ""
