"""One reply of a speech-to-speech model: its words, its sound, and which sound belongs to which words.

Words come a little ahead of their sound, and the sound carries no word times. Where a phrase ends is estimated from its
share of the letters and moved to the quietest place nearby; phrases that follow each other are cut nowhere.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
from dataclasses import dataclass
from typing import Any

from app.telephony.mulaw import BYTES_PER_MS

_MS_PER_LETTER = 75  # of ordinary speech, spaces and marks not counted
_NEAR_MS = 300  # a phrase's end is looked for so far from where it should be
_QUIET_MS = 60
_MOST_AUDIO = 60_000 * BYTES_PER_MS  # of one reply: a minute


@dataclass(frozen=True, slots=True)
class Called:
    name: str
    arguments: str


def letters(text: str) -> str:
    """What two ways of writing the same words have in common."""
    return "".join(letter for letter in text.casefold() if letter.isalnum())


class Answer:
    """Filled by the socket, read by the dialogue (words) and by the voice (sound)."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.response_id = ""
        self.item_id = ""
        self.text = ""
        self.audio = bytearray()
        self.calls: list[Called] = []
        self.tokens: tuple[int, int] | None = None  # prompt, completion
        self.reason = ""  # why it is done: "completed", or what went wrong
        self.text_done = self.audio_done = self.done = False
        self.over = asyncio.Event()  # the server is through with it
        self.heard_ms = 0  # of its sound, by the caller
        self._said = 0  # letters given to the voice so far
        self._said_ms = 0
        self._news = asyncio.Event()

    @property
    def audio_ms(self) -> int:
        return len(self.audio) // BYTES_PER_MS

    @property
    def failed(self) -> bool:
        return self.done and self.reason != "completed"

    async def changed(self) -> None:
        """Waits for the next event about it."""
        if self.done:
            return
        self._news.clear()
        await self._news.wait()

    def fail(self, reason: str) -> None:
        if not self.done:
            self.reason, self.done = reason, True
            self._news.set()

    def take(self, kind: str, event: Any) -> None:
        """An event of this response. What has the wrong form is passed over."""
        match kind:
            case "response.output_item.added":
                if getattr(event.item, "type", "") == "message":
                    self.item_id = str(getattr(event.item, "id", "") or "")
            case "response.output_audio_transcript.delta":
                self.text += str(event.delta or "")
            case "response.output_audio_transcript.done":
                self.text = str(event.transcript or self.text)
                self.text_done = True
            case "response.output_audio.delta":
                self._add(event.delta)
            case "response.output_audio.done":
                self.audio_done = True
            case "response.function_call_arguments.done":
                self.calls.append(Called(str(getattr(event, "name", "") or ""), str(event.arguments or "")))
            case "response.done":
                self._finish(event.response)
        self._news.set()

    def _add(self, delta: object) -> None:
        try:
            sound = base64.b64decode(str(delta), validate=True)
        except (binascii.Error, ValueError):
            return
        if len(self.audio) + len(sound) <= _MOST_AUDIO:
            self.audio += sound

    def _finish(self, response: Any) -> None:
        self.over.set()
        if self.done:  # we were through with it before
            return
        usage = getattr(response, "usage", None)
        if usage is not None:
            self.tokens = (int(usage.input_tokens or 0), int(usage.output_tokens or 0))
        details = getattr(response, "status_details", None)
        status = str(getattr(response, "status", "") or "")
        self.text_done = self.audio_done = True
        why = str(getattr(details, "reason", "") or status)
        self.reason, self.done = ("completed" if status == "completed" else why), True

    def was_heard(self, phrase: str, part: str) -> bool:
        """Notes how far into its sound the caller heard; False for a phrase that is none of its own."""
        whole, wanted = letters(self.text), letters(phrase)
        at = whole.find(wanted) if wanted else -1
        if at < 0:
            return False
        self.heard_ms = max(self.heard_ms, self.audio_ms * (at + len(letters(part))) // len(whole))
        return True

    # --- which sound belongs to which words ---

    def claim(self, phrase: str) -> tuple[int, int] | None:
        """Where a phrase lies in the words, in letters, behind what was claimed before; None if it is not there."""
        wanted, whole = letters(phrase), letters(self.text)
        at = whole.find(wanted, self._said) if wanted else -1
        return None if at < 0 else (at, at + len(wanted))

    def begins_ms(self, letter: int) -> int:
        """Where the sound of this letter begins; of the one that follows what was claimed last, exactly where that
        ended."""
        return self._said_ms if letter == self._said else self._near(self._estimate_ms(letter))

    def ends_ms(self, letter: int) -> int | None:
        """Where the sound up to this letter ends; None while too little has come to say."""
        whole = len(letters(self.text))
        if self.text_done and letter >= whole:
            return self.audio_ms if self.audio_done else None
        expected = self._estimate_ms(letter)
        return self._near(expected) if self.audio_done or self.audio_ms >= expected + _NEAR_MS else None

    def surely_before_ms(self, letter: int) -> int:
        """Sound up to here belongs to what is before the letter, whatever comes."""
        whole = len(letters(self.text))
        last = self.text_done and letter >= whole
        return self.audio_ms if last else min(self.audio_ms, max(0, self._estimate_ms(letter) - _NEAR_MS))

    def claimed(self, letter: int, to_ms: int) -> None:
        self._said, self._said_ms = letter, to_ms

    def _estimate_ms(self, letter: int) -> int:
        if self.text_done and self.audio_done:
            return self.audio_ms * letter // max(1, len(letters(self.text)))
        return self._said_ms + (letter - self._said) * _MS_PER_LETTER

    def _near(self, place_ms: int) -> int:
        """The quietest place within reach."""
        first, last = max(0, place_ms - _NEAR_MS), min(self.audio_ms - _QUIET_MS, place_ms + _NEAR_MS)
        if last < first:
            return self.audio_ms
        loudness = {at: self._loudness(at) for at in range(first, last + 1, 20)}
        enough = min(loudness.values()) * 1.1
        return min((at for at, loud in loudness.items() if loud <= enough), key=lambda at: abs(at - place_ms))

    def _loudness(self, at_ms: int) -> int:
        """Of mu-law: the exponent bits, inverted as they are on the wire."""
        window = self.audio[at_ms * BYTES_PER_MS : (at_ms + _QUIET_MS) * BYTES_PER_MS]
        return sum((~byte & 0x70) >> 4 for byte in window)
