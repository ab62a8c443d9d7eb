"""What the exchange needs from outside: a way to call a webhook and a way to open a media socket.

Both exist twice: over the network (`network.py`) and in memory (`memory.py`), so that the same calls run against a
real service in real time and against a function on the virtual clock.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

Form = tuple[tuple[str, str], ...]  # pairs in the order sent; a name may repeat


@dataclass(frozen=True, slots=True)
class Request:
    """One webhook call. `form` travels in the body of a POST and in the query of a GET. Limits in seconds."""

    url: str
    form: Form = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    method: str = "POST"
    connect_s: float = 5.0
    read_s: float = 15.0


@dataclass(frozen=True, slots=True)
class Reply:
    """`failure` is "" for an answer of any status, "ct" when no connection came about, "rt" when no answer came."""

    status: int = 0
    body: bytes = b""
    content_type: str = "text/xml"
    failure: str = ""

    @property
    def text(self) -> str:
        return self.body.decode("utf-8", "replace")

    @property
    def kind(self) -> str:
        """The content type without its parameters."""
        return self.content_type.partition(";")[0].strip().lower()


class Webhooks(Protocol):
    async def send(self, request: Request) -> Reply:
        """Never raises for what the other side does: a failure is a Reply."""
        ...


class MediaSocket(Protocol):
    """The exchange's end of a WebSocket."""

    def send(self, text: str) -> None:
        """Hands over one text frame; never waits. Does nothing once the socket is closed."""
        ...

    def waiting_bytes(self) -> int:
        """What was sent but the other side has not taken yet."""
        ...

    async def receive(self) -> str | bytes:
        """The next frame. Raises Disconnected."""
        ...

    def read_at(self, bytes_per_s: float | None) -> None:
        """From now on nothing is taken from the other side faster than that; None: as fast as it comes."""
        ...

    async def close(self, code: int = 1000) -> None: ...

    def reset(self) -> None:
        """Breaks the connection off without a closing handshake."""
        ...


class Sockets(Protocol):
    async def connect(self, url: str, headers: Mapping[str, str]) -> MediaSocket:
        """Raises CarrierFault: 31901 no answer in time, 31902 refused, 31920 the handshake was not accepted."""
        ...
