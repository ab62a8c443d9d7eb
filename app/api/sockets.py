"""Uvicorn's WebSockets, with two ways round for calls, of which each sends fifty small frames a second.

Uvicorn queues every message for the application's task and stops reading from the socket until it was taken: another
turn of the event loop and two calls into the kernel for each frame, which together cost more than what is done with it.
A socket may ask for its messages past the queue. And the library's parser, made for every frame there is, takes some
ten times as long as a whole message of text needs (RFC 6455, section 5.2); what is anything else goes through it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import apply_mask  # type: ignore[attr-defined]

from app.api.low_water import LowWater

if TYPE_CHECKING:
    from websockets.http11 import Request

PAST_THE_QUEUE = "strowger.past_the_queue"  # of a socket's extensions (ASGI): a PastTheQueue

_WHOLE_TEXT, _MASKED, _LENGTH = 0x81, 0x80, 0x7F
_IN_TWO, _IN_EIGHT = 126, 127  # bytes the length follows
_MASK = 4  # bytes

Message: TypeAlias = dict[str, Any]
Take: TypeAlias = Callable[[Message], None]
PastTheQueue: TypeAlias = Callable[[Take], None]


def text_at(data: bytes, at: int, most: int) -> tuple[int, int] | None:
    """Where the words of a message begin and end, if at `at` there is a whole message of masked text, in one frame, of
    at most `most` bytes; None for any other frame. An end beyond `data`: the rest has not come."""
    not_here = at, len(data) + 1
    if data[at] != _WHOLE_TEXT:
        return None
    if at + 1 == len(data):
        return not_here
    size, begins = data[at + 1] & _LENGTH, at + 2 + _MASK
    if not data[at + 1] & _MASKED or size == _IN_EIGHT:
        return None
    if size == _IN_TWO:
        if at + 4 > len(data):
            return not_here
        size, begins = int.from_bytes(data[at + 2 : at + 4], "big"), at + 4 + _MASK
    return (begins, begins + size) if size <= most else None


class _Taken:
    """Stands where Uvicorn's queue was. What comes is taken at once, so it is always empty."""

    def __init__(self, take: Take) -> None:
        self.put_nowait = take


class Sockets(WebSocketsSansIOProtocol):
    """A socket whose application has asked for it hands each message over as it is read, the last one included; from
    then on there is nothing to `receive`."""

    _plain = True  # nothing but whole messages of text has come
    _begun = b""  # one of which the rest has not come
    _low_water: LowWater | None = None

    def data_received(self, data: bytes) -> None:
        if self._plain and self.handshake_complete:  # a client sends nothing before
            data = self._texts(self._begun + data)
        if data:
            super().data_received(data)

    def _texts(self, data: bytes) -> bytes:
        """Takes whole messages of text off the beginning. Returns what is for the library, as all after it is."""
        at, self._begun, largest = 0, b"", 0
        while at < len(data):
            place = text_at(data, at, self.config.ws_max_size)
            if place is None:
                self._plain = False
                return data[at:]
            begins, ends = place
            if ends > len(data):
                self._begun = data[at:]
                break
            self.frames, self.curr_msg_data_type = (
                [apply_mask(data[begins:ends], data[begins - _MASK : begins])],
                "text",
            )
            self.send_receive_event_to_app()
            at, largest = ends, max(largest, ends - at)
        if largest and self._low_water is not None:
            self._low_water.read(largest)
        return b""

    def handle_connect(self, event: Request) -> None:
        super().handle_connect(event)
        if self.handshake_initiated and not self.handshake_complete:
            extensions: dict[str, Any] = {PAST_THE_QUEUE: self._past_the_queue}
            self.scope["extensions"] = {**(self.scope["extensions"] or {}), **extensions}

    def _past_the_queue(self, take: Take) -> None:
        waiting, self.queue = self.queue, _Taken(take)  # type: ignore[assignment]
        while not waiting.empty():
            take(waiting.get_nowait())  # type: ignore[arg-type]
        if not self.transport.is_closing():
            self.transport.resume_reading()
        self._low_water = LowWater(self.transport)
        self.read_paused = True  # for Uvicorn, which stops no socket twice
