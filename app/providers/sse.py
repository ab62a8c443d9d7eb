"""Server-sent events from bytes, without a socket. Source: the HTML standard, "interpreting an event stream".

By hand because what splits text into lines for us splits at more than line ends: JSON may hold U+2028 as it is.
"""

from __future__ import annotations

MOST_BYTES = 1024 * 1024  # of one event


class EventStream:
    """Feed bytes as they come; get the data of each event that is complete."""

    def __init__(self) -> None:
        self._rest = b""
        self._data: list[bytes] = []

    def feed(self, received: bytes) -> list[str]:
        """Raises ValueError for an event that does not end, or is no UTF-8."""
        *lines, self._rest = (self._rest + received).split(b"\n")
        if len(self._rest) > MOST_BYTES:
            raise ValueError("an event without an end")
        found = []
        for line in (raw.removesuffix(b"\r") for raw in lines):
            if line.startswith(b"data:"):
                self._data.append(line[5:].removeprefix(b" "))
            elif not line and self._data:
                found.append(b"\n".join(self._data).decode())
                self._data.clear()
        return found
