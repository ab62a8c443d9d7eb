"""One port, several processes behind it: `strowger serve --processes N`.

The parent accepts connections and hands each, unread, to a process: a media socket to the one that has room and holds
the fewest calls, anything else in turn. It looks at the first bytes without taking them (MSG_PEEK). Left to the kernel,
sockets that live for minutes would pile up where they happened to be accepted. It passes on what the processes tell
each other, starts one anew when it dies, and on SIGTERM lets all of them drain and leaves after the last.
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
import tempfile
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field

from prometheus_client import multiprocess

from app import observe
from app.api.neighbours import CHANNEL
from app.api.news import MOST_BYTES, Lost, Standing, read, write
from app.embedded.launch import die_with_parent
from app.errors import BadInput

log = observe.log(__name__)

MEDIA = b"GET /twilio/media/"
FIRST_BYTES_S = 0.5  # a client that sends nothing is handed on: how long it may take is the server's business
BLOCKED_S = 1.0  # a process that has not said for so long how it stands gets no connection while another has
SETTLING_S = (
    1.0  # a media socket handed over counts so long by itself: it may not yet be among those a process tells of
)
RESTART_S = 1.0  # from one start of a process to the next
BACKLOG = 2048
NOT_YET = Standing(0, room=False, ready=False)


@dataclass(slots=True)
class Child:
    place: int
    channel: socket.socket
    process: asyncio.subprocess.Process
    began: float
    standing: Standing = NOT_YET
    stood_at: float = 0.0
    given: deque[float] = field(default_factory=deque)  # when it was handed a media socket
    waiting: list[bytes] = field(default_factory=list)

    def blocked(self, now: float) -> bool:
        return now - self.stood_at > BLOCKED_S

    def burden(self, now: float) -> tuple[bool, bool, int]:
        """Whom a call goes to first: the smallest."""
        while self.given and now - self.given[0] > SETTLING_S:
            self.given.popleft()
        return self.blocked(now), not self.standing.room, self.standing.calls + len(self.given)


class Front:
    def __init__(self, listener: socket.socket, processes: int, env: Mapping[str, str]) -> None:
        self._listener, self._processes = listener, processes
        self._env = dict(env)
        self._children: dict[int, Child] = {}
        self._turn = 0
        self._leaving = asyncio.Event()
        self._failed = 0
        self._trunks = ""  # the folder of the lines between processes

    async def run(self) -> int:
        """Returns the exit code once every process has left after SIGTERM or SIGINT, or one could not begin."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._leave, number)
        with (
            tempfile.TemporaryDirectory(prefix="strowger-metrics-") as metrics,
            tempfile.TemporaryDirectory(prefix="strowger-trunks-") as trunks,
        ):
            self._env["PROMETHEUS_MULTIPROC_DIR"] = metrics
            self._trunks = trunks
            async with asyncio.TaskGroup() as group:
                accepting = group.create_task(self._accept(group), name="accept")
                keeping = [group.create_task(self._keep(place, metrics)) for place in range(self._processes)]
                await asyncio.wait(keeping)
                accepting.cancel()
        return self._failed

    # --- processes ---

    async def _keep(self, place: int, metrics: str) -> None:
        loop = asyncio.get_running_loop()
        while True:
            child = await self._start(place)
            code = await child.process.wait()
            self._forget(child)
            multiprocess.mark_process_dead(child.process.pid, path=metrics)  # type: ignore[no-untyped-call]
            if self._leaving.is_set():
                self._failed = self._failed or max(code, 0)
                return
            if child.standing.ready:
                log.error("a process died; its calls go on in the others", place=place, code=code)
                await asyncio.sleep(max(0.0, child.began + RESTART_S - loop.time()))
                if self._leaving.is_set():
                    return
            else:
                log.error("a process did not get ready", place=place, code=code)
                self._failed = code if code > 0 else 1
                self._leave(signal.SIGTERM)
                return

    async def _start(self, place: int) -> Child:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        ours.setblocking(False)
        with theirs:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, *sys.orig_argv[1:]),  # the same command, which sees from CHANNEL what it is
                env={**os.environ, **self._env, CHANNEL: f"{place}:{theirs.fileno()}:{self._trunks}"},
                pass_fds=(theirs.fileno(),),
                preexec_fn=die_with_parent,
                start_new_session=True,  # Ctrl-C reaches the parent alone
            )
        loop = asyncio.get_running_loop()
        child = Child(place, ours, process, loop.time())
        self._children[place] = child
        loop.add_reader(ours.fileno(), self._hear, child)
        if self._leaving.is_set():
            process.terminate()
        return child

    def _forget(self, child: Child) -> None:
        loop = asyncio.get_running_loop()
        loop.remove_reader(child.channel.fileno())
        loop.remove_writer(child.channel.fileno())
        child.channel.close()
        del self._children[child.place]
        self._tell_others(child.place, write(Lost(), child.place))

    def _leave(self, number: int) -> None:
        """Again, from a person at a keyboard: the processes know what a second SIGINT means."""
        self._leaving.set()
        for child in self._children.values():
            child.process.send_signal(number)

    # --- news ---

    def _hear(self, child: Child) -> None:
        while True:
            try:
                datagram = child.channel.recv(MOST_BYTES)
                _, news = read(datagram)
            except BlockingIOError:
                return
            except (OSError, BadInput) as error:
                log.error("unreadable news", place=child.place, error=str(error))
                return
            if isinstance(news, Standing):
                child.standing, child.stood_at = news, asyncio.get_running_loop().time()
            self._tell_others(child.place, datagram)

    def _tell_others(self, place: int, datagram: bytes) -> None:
        for child in self._children.values():
            if child.place != place:
                child.waiting.append(datagram)
                self._flush(child)

    def _flush(self, child: Child) -> None:
        loop = asyncio.get_running_loop()
        try:
            while child.waiting:
                child.channel.send(child.waiting[0])
                del child.waiting[0]
        except (BlockingIOError, InterruptedError):
            loop.add_writer(child.channel.fileno(), self._flush, child)
        except OSError:  # it is dying: `_keep` sees to it
            child.waiting.clear()
        else:
            loop.remove_writer(child.channel.fileno())

    # --- connections ---

    async def _accept(self, group: asyncio.TaskGroup) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                connection, _ = await loop.sock_accept(self._listener)
            except OSError as error:  # no descriptor left: the backlog waits
                log.error("cannot accept", error=str(error))
                await asyncio.sleep(0.1)
                continue
            group.create_task(self._hand_over(connection), name="hand over")

    async def _hand_over(self, connection: socket.socket) -> None:
        with connection:
            first = await self._first_bytes(connection)
            if child := self._choose(media=first.startswith(MEDIA)):
                try:
                    socket.send_fds(child.channel, [b"c"], [connection.fileno()])
                except OSError as error:
                    log.error("a connection was lost on its way", place=child.place, error=str(error))

    async def _first_bytes(self, connection: socket.socket) -> bytes:
        loop = asyncio.get_running_loop()
        readable = asyncio.Event()
        loop.add_reader(connection.fileno(), readable.set)
        try:
            async with asyncio.timeout(FIRST_BYTES_S):
                await readable.wait()
            return connection.recv(len(MEDIA), socket.MSG_PEEK)
        except (TimeoutError, OSError):
            return b""
        finally:
            loop.remove_reader(connection.fileno())

    def _choose(self, *, media: bool) -> Child | None:
        children, now = list(self._children.values()), asyncio.get_running_loop().time()
        if not children:
            return None
        if media:
            chosen = min(children, key=lambda child: child.burden(now))
            chosen.given.append(now)
            return chosen
        self._turn += 1
        able = [child for child in children if child.stood_at and not child.blocked(now)] or children
        return able[self._turn % len(able)]


def run(host: str, port: int, processes: int, env: Mapping[str, str]) -> int:
    """Returns the exit code. `env` is added to the processes' environment."""
    listener = socket.create_server((host, port), backlog=BACKLOG)
    listener.setblocking(False)
    with listener:
        return asyncio.run(Front(listener, processes, env).run())
