"""Media Streams, the carrier's end: one WebSocket for one call.

After `connected` and `start` the caller's voice leaves as 160-byte frames every 20 ms; what the other side sends is
put into a playout buffer and marks come back when they are reached. Key order and string counters are the carrier's.
"""

from __future__ import annotations

import asyncio
import json
from binascii import Error as Base64Error
from binascii import a2b_base64, b2a_base64
from typing import Any
from urllib.parse import urlsplit

from app.errors import CarrierFault, Disconnected
from app.exchange.account import iso
from app.exchange.edges import MediaSocket
from app.exchange.leg import Leg, StreamLog
from app.exchange.playout import Playout
from app.exchange.sound import FRAME_MS, QUIET
from app.exchange.verbs import Stream
from app.exchange.wire import Wire
from app.telephony.signature import sign

REAL_TIME = 12_500  # bytes a second of speech as frames of ours, marks included
_CATCHING_UP_S = 0.5  # after a slow link is free again, what comes had piled up
CONGESTED_BYTES = 64 * 1024  # about four seconds of frames the other side has not read
_QUIET64 = b2a_base64(QUIET, newline=False).decode()


async def converse(leg: Leg, verb: Stream) -> None:
    """Returns when the other side closes the socket or it breaks; cancelled when the call ends or is redirected."""
    sid = leg.office.sids.new("MZ")
    try:
        url = stream_url(verb, plain=leg.office.config.plain_sockets)
        if leg.faults.handshake_delay_ms:
            await asyncio.sleep(leg.faults.handshake_delay_ms / 1000)
        headers = {"X-Twilio-Signature": sign(leg.office.account.token, url), "User-Agent": "Twilio.TmeWs/1.0"}
        socket = await leg.office.sockets.connect(url, headers)
    except CarrierFault as fault:
        leg.office.alert(fault.number, str(fault), leg.call.sid)
        _tell(leg, verb, sid, "stream-error", f"{fault.number}: {fault}")
        return
    stream = MediaStream(leg, verb, sid, socket)
    stream.log.url = url
    leg.streams.append(stream.log)
    stream.begin()
    _tell(leg, verb, sid, "stream-started")
    leg.listeners.append(stream.hear)
    leg.key_listeners.append(stream.key)
    try:
        with leg.hearing(stream.pull):
            await stream.listen()
        stream.log.ended_by = stream.log.ended_by or "server"
    finally:
        leg.listeners.remove(stream.hear)
        leg.key_listeners.remove(stream.key)
        await stream.end()
        if stream.broken:
            leg.office.alert(31924, "the media socket broke off", leg.call.sid)
            _tell(leg, verb, sid, "stream-error", "31924: the media socket broke off")
        _tell(leg, verb, sid, "stream-stopped")


def stream_url(verb: Stream, *, plain: bool = False) -> str:
    """The URL to connect to: a query is not supported and is left out. Raises CarrierFault 31922 or 31923."""
    parts = urlsplit(verb.url)
    if parts.scheme != "wss" and not (plain and parts.scheme == "ws"):
        raise CarrierFault(31922, f"the scheme of a stream URL must be wss, not {parts.scheme or 'nothing'}")
    if not parts.hostname:
        raise CarrierFault(31923, f"not a stream URL: {verb.url!r}")
    return verb.url.partition("?")[0].partition("#")[0]


def _tell(leg: Leg, verb: Stream, sid: str, event: str, error: str = "") -> None:
    form = (
        ("AccountSid", leg.call.account_sid),
        ("CallSid", leg.call.sid),
        ("StreamSid", sid),
        ("StreamName", verb.name or sid),
        ("StreamEvent", event),
        *((("StreamError", error),) if error else ()),
        ("Timestamp", iso(leg.office.clock.now())),
    )
    leg.notices.post(verb.status_callback, form, verb.status_method)


class MediaStream:
    """Attached to a leg: `hear`, `key` and `pull` are called by it; `listen` reads what the other side sends."""

    def __init__(self, leg: Leg, verb: Stream, sid: str, socket: MediaSocket) -> None:
        self._leg, self._verb, self._sid, self._socket = leg, verb, sid, socket
        self._wire = Wire(socket, leg.faults, leg.dice)
        self._playout = Playout()
        self._sequence = 0
        self._chunk = 0
        self._frames = 0
        self._warned: set[int] = set()
        self._over = False
        self.broken = False
        self.log = StreamLog(sid, verb.url, gaps=self._playout.gaps)

    # to the other side

    def begin(self) -> None:
        self._wire.send('{"event":"connected","protocol":"Call","version":"1.0.0"}')
        self._send(
            "start",
            start={
                "accountSid": self._leg.call.account_sid,
                "streamSid": self._sid,
                "callSid": self._leg.call.sid,
                "tracks": ["inbound"],
                "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1},
                "customParameters": dict(self._verb.parameters),
            },
        )

    def hear(self, said: bytes) -> None:
        """20 ms of the caller's voice."""
        at_ms = self._frames * FRAME_MS
        self._frames += 1
        faults = self._leg.faults
        if faults.slow_read_ms is not None:
            self._read_slowly(at_ms, *faults.slow_read_ms)
        if faults.freeze_socket_after_ms is not None and at_ms >= faults.freeze_socket_after_ms:
            return
        if faults.reset_socket_after_ms is not None and at_ms >= faults.reset_socket_after_ms:
            self.broken = True
            self._socket.reset()
            return
        if self._socket.waiting_bytes() > CONGESTED_BYTES:
            self._warn(31930, "the other side reads too slowly: audio was dropped")
            return
        self._sequence += 1
        self._chunk += 1
        payload = _QUIET64 if said == QUIET else b2a_base64(said, newline=False).decode()
        self._wire.send(
            f'{{"event":"media","sequenceNumber":"{self._sequence}","media":{{"track":"inbound",'
            f'"chunk":"{self._chunk}","timestamp":"{at_ms}","payload":"{payload}"}},"streamSid":"{self._sid}"}}'
        )

    def _read_slowly(self, at_ms: int, from_ms: int, to_ms: int) -> None:
        if at_ms == from_ms // FRAME_MS * FRAME_MS:
            self._socket.read_at(self._leg.faults.slow_read * REAL_TIME)
        elif at_ms == to_ms // FRAME_MS * FRAME_MS:
            self.log.freed_at = asyncio.get_running_loop().time()
            self._socket.read_at(None)

    def key(self, digit: str) -> None:
        self._send("dtmf", dtmf={"track": "inbound_track", "digit": digit})

    def pull(self) -> bytes:
        """20 ms for the caller's ear."""
        frame, due = self._playout.pull()
        for name in due:
            self._send("mark", mark={"name": name})
        return frame

    async def end(self) -> None:
        """Says `stop` and closes, unless the other side has gone."""
        if not self._over:
            self.log.ended_by = "carrier"
            if self._leg.faults.lost_stop:
                self._socket.reset()
                return
            self._send("stop", stop={"accountSid": self._leg.call.account_sid, "callSid": self._leg.call.sid})
            self._wire.flush()
        await self._socket.close()

    def _send(self, event: str, **body: dict[str, Any]) -> None:
        faults = self._leg.faults
        if faults.freeze_socket_after_ms is not None and self._frames * FRAME_MS >= faults.freeze_socket_after_ms:
            return
        self._sequence += 1
        message = {"event": event, "sequenceNumber": str(self._sequence), **body, "streamSid": self._sid}
        self._wire.send(json.dumps(message, separators=(",", ":")))

    # from the other side

    async def listen(self) -> None:
        try:
            while True:
                frame = await self._socket.receive()
                if self._frozen:
                    await asyncio.Event().wait()  # ends with the call
                if self.log.freed_at and asyncio.get_running_loop().time() < self.log.freed_at + _CATCHING_UP_S:
                    self.log.piled_bytes += len(frame)
                self._command(frame)
        except Disconnected:
            self._over = True

    @property
    def _frozen(self) -> bool:
        after = self._leg.faults.freeze_socket_after_ms
        return after is not None and self._frames * FRAME_MS >= after

    def _command(self, frame: str | bytes) -> None:
        if isinstance(frame, bytes):
            self._warn(31950, "binary frames are not accepted")
            return
        try:
            message = json.loads(frame)
            event = message["event"]
            if message.get("streamSid") != self._sid:
                return  # silently, as the carrier does
            match event:
                case "media":
                    self._play(a2b_base64(message["media"]["payload"], strict_mode=True))
                case "mark":
                    name = message["mark"]["name"]
                    if not isinstance(name, str):
                        raise TypeError("a mark's name is a string")
                    self.log.marks += 1
                    if self._playout.mark(name):
                        self._send("mark", mark={"name": name})
                case "clear":
                    self.log.clears_at.append(asyncio.get_running_loop().time())
                    for name in self._playout.clear():
                        self._send("mark", mark={"name": name})
                case _:
                    raise ValueError(f"unknown event {event!r}")
        except (ValueError, KeyError, TypeError, AttributeError, Base64Error) as error:
            self._warn(31950, f"malformed message: {error}")

    def _play(self, mulaw: bytes) -> None:
        if self._playout.waiting_ms == 0:
            self.log.spurts_at.append(asyncio.get_running_loop().time())
        self.log.audio_bytes += len(mulaw)
        if not self._playout.put(mulaw):
            self._warn(31931, "more than ten minutes of audio wait: the rest was dropped")

    def _warn(self, number: int, message: str) -> None:
        """Once per stream."""
        if number not in self._warned:
            self._warned.add(number)
            self._leg.office.alert(number, message, self._leg.call.sid)
