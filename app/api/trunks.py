"""Lines between the processes behind one port, for what does not fit into news: sound, and what a browser's telephone
offers. A Unix socket for each process, in a folder of the parent's that no other user may enter.

Whoever asks writes one line, is answered with one, and hears the sound after it where sound was asked for.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TypeVar

from app import observe
from app.errors import BadInput, StrowgerError

log = observe.log(__name__)

ANSWER_S = 5.0  # the first browser of a process has it load WebRTC
_MOST_BYTES = 256 * 1024  # of a line; the longest offer that is taken, escaped


@dataclass(frozen=True, slots=True)
class Ask:
    """To listen to a call, or, with the offer (`sdp`) of the telephone of `who`, to speak on it."""

    call_sid: str
    who: str = ""
    sdp: str | None = None


@dataclass(frozen=True, slots=True)
class Reply:
    """Done, with the answer to an offer; or `code` and `detail` of the error that kept it from being done."""

    sdp: str = ""
    code: str | None = None
    detail: str = ""


_Line = TypeVar("_Line", Ask, Reply)


class Unanswered(StrowgerError):
    """The process at the other end is gone, or answers nothing."""

    code = "unanswered"


@dataclass(frozen=True, slots=True)
class Trunk:
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def say(self, line: Ask | Reply) -> None:
        self.writer.write(json.dumps(asdict(line)).encode() + b"\n")
        await self.writer.drain()

    async def hear(self, kind: type[_Line]) -> _Line:
        """Raises BadInput."""
        try:
            return kind(**json.loads(await self.reader.readline()))
        except (ValueError, TypeError) as error:
            raise BadInput(f"not a {kind.__name__} of a process") from error


class Trunks:
    def __init__(self, folder: Path, place: int) -> None:
        self._folder, self._place = folder, place

    @asynccontextmanager
    async def open(self, answer: Callable[[Trunk], Awaitable[None]]) -> AsyncIterator[None]:
        """While inside, `answer` is called for each line that another process opens."""

        async def opened(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            try:
                await answer(Trunk(reader, writer))
            except (BadInput, OSError) as error:  # who asked is gone
                log.info("a line between processes ended", error=str(error))
            finally:
                writer.close()

        path = self._socket(self._place)
        path.unlink(missing_ok=True)  # of a process that died here
        server = await asyncio.start_unix_server(opened, path, limit=_MOST_BYTES)
        try:
            yield
        finally:
            server.close()

    @asynccontextmanager
    async def asking(self, place: int, ask: Ask) -> AsyncIterator[tuple[Reply, Trunk]]:
        """The reply of the process at `place`, and the line it came over. Raises Unanswered."""
        try:
            async with asyncio.timeout(ANSWER_S):
                trunk = Trunk(*await asyncio.open_unix_connection(self._socket(place), limit=_MOST_BYTES))
        except OSError as error:
            raise Unanswered("the process is gone") from error
        try:
            try:
                async with asyncio.timeout(ANSWER_S):
                    await trunk.say(ask)
                    reply = await trunk.hear(Reply)
            except (OSError, BadInput) as error:
                raise Unanswered("the process does not answer") from error
            yield reply, trunk
        finally:
            trunk.writer.close()

    def _socket(self, place: int) -> Path:
        return self._folder / f"{place}.sock"
