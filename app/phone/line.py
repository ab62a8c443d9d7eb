"""A browser as a carrier: says over `receive_text` what a media stream says, does what comes over `send_text`."""

from __future__ import annotations

import asyncio
import json
from base64 import b64decode, b64encode
from collections.abc import Mapping
from typing import Any

from app.errors import Disconnected
from app.exchange.recording import Tape
from app.phone.earpiece import FRAME_MS, SILENCE, Earpiece
from app.telephony import mulaw

KEYS = frozenset("0123456789*#")
_WAITING = 500  # frames; ten seconds


class BrowserLine:
    """Implements the bridge's Socket. `said` takes 20 ms of the person's sound, `heard` gives 20 ms of ours."""

    def __init__(self, call_sid: str, account_sid: str, token: str) -> None:
        self._sid = "MZ" + call_sid[2:]
        self._frames: asyncio.Queue[str | None] = asyncio.Queue(_WAITING)
        self._ear = Earpiece()
        self._at_ms = 0
        self._last = SILENCE
        self._gone = False
        self.over = asyncio.Event()
        self.tape = Tape()
        started = {
            "callSid": call_sid,
            "accountSid": account_sid,
            "streamSid": self._sid,
            "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1},
            "customParameters": {"token": token},
        }
        self._tell("start", start=started)

    # --- the bridge's side ---

    async def receive_text(self) -> str:
        frame = await self._frames.get()
        if frame is None:
            raise Disconnected("the browser is gone")
        return frame

    async def send_text(self, text: str) -> None:
        if self._gone:
            raise Disconnected("the browser is gone")
        message = json.loads(text)
        match message["event"]:
            case "media":
                self._ear.speak(b64decode(message["media"]["payload"]))
            case "mark":
                self._marked(self._ear.mark(message["mark"]["name"]))
            case "clear":
                self._marked(self._ear.clear())

    async def close(self, code: int = 1000) -> None:
        self.over.set()

    # --- the browser's side ---

    def said(self, sound: bytes) -> None:
        """20 ms of mu-law."""
        self._last = sound
        media = {"track": "inbound", "timestamp": str(self._at_ms), "payload": b64encode(sound).decode()}
        self._at_ms += len(sound) // mulaw.BYTES_PER_MS
        self._tell("media", media=media)

    def keyed(self, digit: str) -> None:
        if digit in KEYS:
            self._tell("dtmf", dtmf={"track": "inbound_track", "digit": digit})

    def heard(self) -> bytes:
        """The next 20 ms for the earpiece; called once for each 20 ms that pass."""
        sound, marks = self._ear.frame()
        self._marked(marks)
        self.tape.add(self._last, sound)
        self._last = SILENCE
        return sound

    @property
    def playing(self) -> bool:
        return self._ear.playing

    def hung_up(self) -> None:
        """The browser is gone. Twice is once."""
        if not self._gone:
            self._gone = True
            self._tell("stop", stop={})
            self._put(None)

    def _marked(self, names: list[str]) -> None:
        for name in names:
            self._tell("mark", mark={"name": name})

    def _tell(self, event: str, **body: Mapping[str, Any]) -> None:
        self._put(json.dumps({"event": event, "streamSid": self._sid, "sequenceNumber": "1", **body}))

    def _put(self, frame: str | None) -> None:
        if not self._frames.full():
            self._frames.put_nowait(frame)


SILENT_MS = FRAME_MS
