"""Starting a server under a keeper: one per folder, stopped with the last process that uses it."""

from __future__ import annotations

import contextlib
import ctypes
import json
import logging
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import app.embedded.keeper as keeper
from app.embedded.holds import POLL_S, Lifeline, Ownership, somebody_alive
from app.errors import ServiceNotStarted

_log = logging.getLogger(__name__)

LOOPBACK = "127.0.0.1"
READY_TIMEOUT_S = 60.0  # recovery after a power cut replays the log first
_SOON_S = 1.0  # a server without work stops in a fraction of this
STOP_TIMEOUT_S = keeper.KILL_AFTER_S + 5
_URL = "url"  # the file in which a guest finds the address
_LIBC = ctypes.CDLL(None)


@dataclass(frozen=True, slots=True)
class User:
    """Whom a server runs as."""

    uid: int
    gid: int


@dataclass(frozen=True, slots=True)
class Program:
    """A server to run: `folder` holds its locks and its log, `home` is where it runs."""

    name: str
    argv: tuple[str, ...]
    folder: Path
    home: Path
    user: User | None = None
    stop_signal: signal.Signals = signal.SIGTERM


def die_with_parent() -> None:
    """For `preexec_fn`: the kernel ends this child when the thread that made it ends. Does nothing outside Linux."""
    if sys.platform == "linux":
        _LIBC.prctl(keeper.PR_SET_PDEATHSIG, signal.SIGTERM)


def free_port(wanted: int = 0) -> int:
    """`wanted` if it is free, else any free one: a port that stays the same from start to start is kind to tools."""
    for port in (wanted, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with contextlib.suppress(OSError):
                probe.bind((LOOPBACK, port))
                return int(probe.getsockname()[1])
    raise ServiceNotStarted(f"no free port on {LOOPBACK}: close something that listens there and try again")


class Server:
    """A running server. It lives while anybody holds a share in it: we do until `stop` or `release`."""

    def __init__(self, program: Program, process: subprocess.Popen[bytes], lifeline: Lifeline) -> None:
        self.name = program.name
        self._log = log_of(program)
        self._process = process
        self._lifeline = lifeline

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def wait_ready(self, ready: Callable[[], bool]) -> None:
        """Raises ServiceNotStarted, with the last words of the server's log, when it ends or takes too long."""
        give_up_at = time.monotonic() + READY_TIMEOUT_S
        while not ready():
            if not self.alive or time.monotonic() > give_up_at:
                self.stop()
                raise ServiceNotStarted(f"{self.name} did not start; {self._log} ends: {last_words(self._log)}")
            time.sleep(POLL_S)

    def release(self) -> None:
        """Gives up our share and does not wait: other processes may still use the server."""
        self._lifeline.release()
        self._process.returncode = self._process.poll() or 0  # its end is none of our business any more

    def stop(self) -> None:
        """Gives up our share and waits for the server to end, unless guests keep it alive: then it ends with them."""
        self._lifeline.release()
        for patience_s in (_SOON_S, STOP_TIMEOUT_S):
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(patience_s)
                return
            if somebody_alive(self._log.parent):
                return
        _log.warning("%s has not stopped yet; see %s", self.name, self._log)


class Guest:
    """Our share in a server that another process runs."""

    def __init__(self, folder: Path) -> None:
        """Waits until the server is ready. Raises ServiceNotStarted when that does not happen."""
        self._lifeline = Lifeline(folder)
        give_up_at = time.monotonic() + READY_TIMEOUT_S
        while not (folder / _URL).exists():
            if time.monotonic() > give_up_at:
                self.stop()
                raise ServiceNotStarted(f"the server that another Strowger started in {folder} did not become ready")
            time.sleep(POLL_S)
        self.url = (folder / _URL).read_text()

    def release(self) -> None:
        self._lifeline.release()

    def stop(self) -> None:
        """The server goes on for the others."""
        self._lifeline.release()


@dataclass(frozen=True, slots=True)
class Service:
    """A running service. `url` is good for its owner's rights; `notice` is a sentence a person should see once."""

    url: str
    server: Server | Guest
    notice: str | None = None

    def stop(self) -> None:
        self.server.stop()


def joined(folder: Path, notice: str | None = None) -> Service:
    """The service that another process runs in this folder."""
    guest = Guest(folder)
    return Service(guest.url, guest, notice)


def opened(program: Program, url: str, server: Server, notice: str | None = None) -> Service:
    """The service that we run, from now on to be found by guests."""
    write_secret(program.folder / "url.new", url)
    (program.folder / "url.new").rename(program.folder / _URL)
    return Service(url, server, notice)


def run(program: Program, ownership: Ownership) -> Server:
    """Starts the program under a keeper, which takes the ownership over."""
    (program.folder / _URL).unlink(missing_ok=True)
    lifeline = Lifeline(program.folder)
    plan = {
        "argv": program.argv,
        "folder": str(program.home),
        "lifeline": str(program.folder / "lifeline"),
        "stop_signal": int(program.stop_signal),
        "owner": ownership.fd,
        "uid": program.user.uid if program.user else None,
        "gid": program.user.gid if program.user else None,
    }
    with log_of(program).open("wb") as log:
        process = subprocess.Popen(  # noqa: S603 - our own interpreter on our own file
            [sys.executable, "-I", "-S", keeper.__file__, json.dumps(plan)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            pass_fds=[ownership.fd],
            start_new_session=True,  # a terminal's Ctrl-C is for us, who still need the server to finish
            env=_environment(),
        )
    return Server(program, process, lifeline)


def log_of(program: Program) -> Path:
    return program.folder / "log"


def last_words(log: Path, lines: int = 5) -> str:
    try:
        return " | ".join(log.read_text(errors="replace").strip().splitlines()[-lines:]) or "nothing"
    except OSError:
        return "nothing"


def write_secret(path: Path, text: str) -> None:
    """Readable by us alone from the first byte on."""
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(fd, "w") as file:
        file.write(text)


def finish(argv: Sequence[str], *, user: User | None, home: Path) -> None:
    """Runs a helper program to its end. Raises ServiceNotStarted with its last words."""
    try:
        done = subprocess.run(  # noqa: S603 - programs of the wheel with arguments of ours
            argv,
            cwd=home,
            env=_environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            user=user.uid if user else None,
            group=user.gid if user else None,
            extra_groups=[] if user else None,
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise ServiceNotStarted(f"could not run {argv[0]}: {error}") from error
    if done.returncode:
        words = " | ".join((done.stderr or done.stdout).strip().splitlines()[-5:])
        raise ServiceNotStarted(f"{Path(argv[0]).name} failed: {words}")


def _environment() -> dict[str, str]:
    """Nothing of ours: a PGDATA, a PYTHONPATH or an API key in the environment is none of the server's business."""
    return {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}
