"""The other processes behind the same port, as one of them sees them: a socket pair to the parent (see app/front.py).

Over it come their news, and connections that the parent accepted and chose us for; over it go our news and, several
times a second, how we stand.
"""

from __future__ import annotations

import asyncio
import socket
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from app import observe
from app.api.news import MOST_BYTES, Joined, News, Standing, read, write
from app.api.switchboard import Switchboard
from app.api.trunks import Trunks
from app.errors import BadInput

log = observe.log(__name__)

STANDING_S = 0.2
CHANNEL = "STROWGER_CHANNEL"  # environment: "PLACE:FD:FOLDER", set by the parent alone; the folder is for trunks


class Neighbours:
    def __init__(self, place: int, channel: socket.socket, trunks: Trunks) -> None:
        self._place, self._channel = place, channel
        self.trunks = trunks
        self._channel.setblocking(False)
        self._waiting: deque[bytes] = deque()
        self._connections: asyncio.Queue[socket.socket] = asyncio.Queue()

    @classmethod
    def by(cls, spelled: str) -> Neighbours:
        """From the value of CHANNEL."""
        place, descriptor, folder = spelled.split(":", 2)
        return cls(int(place), socket.socket(fileno=int(descriptor)), Trunks(Path(folder), int(place)))

    def tell(self, news: News) -> None:
        """Never waits. Order is kept."""
        self._waiting.append(write(news, self._place))
        self._flush()

    @asynccontextmanager
    async def listening(self, board: Switchboard, ready: Callable[[], bool]) -> AsyncIterator[None]:
        """While inside, the board shows the others' calls."""
        loop = asyncio.get_running_loop()
        loop.add_reader(self._channel.fileno(), self._take, board)
        try:
            self.tell(Joined())
            async with asyncio.TaskGroup() as group:
                standing = group.create_task(self._stand(board, ready), name="standing")
                yield
                standing.cancel()
        finally:
            loop.remove_reader(self._channel.fileno())
            loop.remove_writer(self._channel.fileno())

    async def connections(self) -> AsyncIterator[socket.socket]:
        """Accepted by the parent, nothing read from them yet. Never ends."""
        while True:
            yield await self._connections.get()

    async def _stand(self, board: Switchboard, ready: Callable[[], bool]) -> None:
        while True:
            self.tell(board.standing(ready=ready()))
            await asyncio.sleep(STANDING_S)

    def _take(self, board: Switchboard) -> None:
        try:
            while True:
                datagram, descriptors, _, _ = socket.recv_fds(self._channel, MOST_BYTES, 1)
                if descriptors:
                    self._connections.put_nowait(socket.socket(fileno=descriptors[0]))
                elif datagram:
                    board.told(*read(datagram))
        except BlockingIOError:
            pass
        except (OSError, BadInput) as error:  # without a descriptor left, the connection is closed; the rest goes on
            log.error("the channel to the parent", error=str(error))

    def _flush(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            while self._waiting:
                self._channel.send(self._waiting[0])
                self._waiting.popleft()
        except (BlockingIOError, InterruptedError):
            loop.add_writer(self._channel.fileno(), self._flush)
        except OSError:  # the parent is gone, and we go with it
            self._waiting.clear()
        else:
            loop.remove_writer(self._channel.fileno())


__all__ = ["CHANNEL", "Neighbours", "Standing"]
