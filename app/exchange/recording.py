"""What was said and heard on a call, kept as audio, and the carrier's recordings made of it."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from app.exchange.account import API_VERSION, rfc2822
from app.exchange.sound import BYTES_PER_MS, RATE
from app.telephony import mulaw

PROVENANCE = "synthetic speech on the right channel"


class Tape:
    """Both sides of a call side by side: `said` by the person on the phone, and `heard` by that person."""

    def __init__(self) -> None:
        self.said = bytearray()
        self.heard = bytearray()

    def add(self, said: bytes, heard: bytes) -> None:
        self.said += said
        self.heard += heard

    @property
    def ms(self) -> int:
        return len(self.said) // BYTES_PER_MS

    def wav(self) -> bytes:
        """Stereo: caller left, agent as heard right, marked as partly synthetic."""
        return wav([bytes(self.said), bytes(self.heard)], comment=PROVENANCE)

    def save(self, path: Path) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(self.wav())
        return path


def wav(channels: list[bytes], comment: str = "") -> bytes:
    """Mu-law channels of equal length as 16-bit PCM at 8 kHz; `comment` goes into a LIST/INFO chunk."""
    samples = np.stack([mulaw.decode(channel) for channel in channels], axis=1).astype("<i2").tobytes()
    align = 2 * len(channels)
    chunks = _chunk(b"fmt ", struct.pack("<HHIIHH", 1, len(channels), RATE, RATE * align, align, 16))
    if comment:
        chunks += _chunk(b"LIST", b"INFO" + _chunk(b"ICMT", comment.encode() + b"\0") + _chunk(b"ISFT", b"Strowger\0"))
    chunks += _chunk(b"data", samples)
    return b"RIFF" + struct.pack("<I", 4 + len(chunks)) + b"WAVE" + chunks


def _chunk(name: bytes, body: bytes) -> bytes:
    return name + struct.pack("<I", len(body)) + body + b"\0" * (len(body) % 2)


def read_wav(data: bytes) -> bytes:
    """Mono mu-law of a WAV file: PCM16 or mu-law at 8 kHz; channels are averaged. Raises ValueError for other kinds."""
    if data[:4] != b"RIFF" or data[8:12] != b"WAVE":
        raise ValueError("not a WAV file")
    at, form, channels, rate = 12, 0, 1, 0
    while at + 8 <= len(data):
        name, size = data[at : at + 4], int.from_bytes(data[at + 4 : at + 8], "little")
        body = data[at + 8 : at + 8 + size]
        if name == b"fmt ":
            form, channels, rate = struct.unpack("<HHI", body[:8])
        elif name == b"data":
            if rate != RATE or form not in {1, 7}:
                raise ValueError(f"WAV format {form} at {rate} Hz; give PCM or mu-law at 8000 Hz")
            if form == 7 and channels == 1:
                return body
            pcm = mulaw.decode(body) if form == 7 else np.frombuffer(body[: len(body) // 2 * 2], "<i2")
            mono = pcm[: len(pcm) // channels * channels].reshape(-1, channels).mean(axis=1)
            return mulaw.encode(mono.astype(np.int16))
        at += 8 + size + size % 2
    raise ValueError("a WAV file without audio")


@dataclass(slots=True)
class Recording:
    """The REST resource. `tracks` holds one mu-law track, or two: channel 1 and channel 2."""

    sid: str
    account_sid: str
    call_sid: str
    source: str
    started_at: datetime
    status: str = "in-progress"
    tracks: tuple[bytes, ...] = ()
    conference_sid: str | None = None

    @property
    def seconds(self) -> int:
        return round(len(self.tracks[0]) / RATE) if self.tracks else 0

    @property
    def uri(self) -> str:
        return f"/{API_VERSION}/Accounts/{self.account_sid}/Recordings/{self.sid}"

    def wav(self, channels: int) -> bytes:
        """One channel mixes both tracks; two need a recording made with two."""
        tracks = list(self.tracks)
        if channels < len(tracks):
            both = sum(mulaw.decode(track).astype(np.int32) for track in tracks)
            tracks = [mulaw.encode(np.clip(both, -32768, 32767).astype(np.int16))]
        return wav(tracks)

    def json(self) -> dict[str, Any]:
        return {
            "sid": self.sid,
            "account_sid": self.account_sid,
            "call_sid": self.call_sid,
            "conference_sid": self.conference_sid,
            "channels": len(self.tracks) or 1,
            "duration": str(self.seconds) if self.status == "completed" else None,
            "source": self.source,
            "status": self.status,
            "start_time": rfc2822(self.started_at),
            "date_created": rfc2822(self.started_at),
            "date_updated": rfc2822(self.started_at),
            "price": None,
            "price_unit": "USD",
            "error_code": None,
            "encryption_details": None,
            "api_version": API_VERSION,
            "uri": f"{self.uri}.json",
            "media_url": self.uri,
            "subresource_uris": {},
        }

    def form(self, base_url: str) -> tuple[tuple[str, str], ...]:
        """The parameters of its status callback. The URL carries no extension."""
        return (
            ("AccountSid", self.account_sid),
            ("CallSid", self.call_sid),
            ("RecordingSid", self.sid),
            ("RecordingUrl", base_url + self.uri),
            ("RecordingStatus", self.status),
            ("RecordingDuration", str(self.seconds)),
            ("RecordingChannels", str(len(self.tracks) or 1)),
            ("RecordingStartTime", rfc2822(self.started_at) or ""),
            ("RecordingSource", self.source),
            ("RecordingTrack", "both"),
        )
