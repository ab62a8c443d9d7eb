"""Starting a server under a keeper: one per folder, stopped with the last process that uses it."""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from app.embedded import keeper
from app.errors import ServiceNotStarted

LOOPBACK = "127.0.0.1"
READY_TIMEOUT_S = 60.0  # recovery after a power cut replays the log first
STOP_TIMEOUT_S = keeper.KILL_AFTER_S + 5
_HANDOVER_S = 15.0  # how long the server of a start that was killed may take to stop
_POLL_S = 0.01
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


class Lifeline:
    """A process's share in a server. While any share is held, the server runs."""

    def __init__(self, folder: Path) -> None:
        self._fd = os.open(folder / "lifeline", os.O_RDWR | os.O_CREAT, 0o600)
        fcntl.flock(self._fd, fcntl.LOCK_SH)

    def release(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


class Ownership:
    """The right to run the one server of a folder; handed to its keeper, and free again when that has ended."""

    def __init__(self, name: str, folder: Path) -> None:
        """Waits for a server that is still stopping. Raises ServiceNotStarted when one is in use."""
        try:
            self.fd = os.open(folder / "owner", os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            reason = f"cannot use {folder} for {name} ({error.strerror})"
            raise ServiceNotStarted(f"{reason}: set STROWGER_DATA_DIR to a folder of your own") from error
        give_up_at = time.monotonic() + _HANDOVER_S
        in_use = 0
        while not _try_lock(self.fd, fcntl.LOCK_EX):
            in_use = in_use + 1 if self._somebody_alive(folder) else 0
            if in_use * _POLL_S > 0.5 or time.monotonic() > give_up_at:
                os.close(self.fd)
                raise ServiceNotStarted(
                    f"another Strowger is already running its {name} in {folder}: stop that one, or give this one its "
                    "own folder with STROWGER_DATA_DIR"
                )
            time.sleep(_POLL_S)

    def release(self) -> None:
        """Our copy; the keeper's, if there is one, keeps the folder owned."""
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1

    @staticmethod
    def _somebody_alive(folder: Path) -> bool:
        fd = os.open(folder / "lifeline", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            return not _try_lock(fd, fcntl.LOCK_EX)
        finally:
            os.close(fd)


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
            time.sleep(_POLL_S)

    def release(self) -> None:
        """Gives up our share and does not wait: other processes may still use the server."""
        self._lifeline.release()
        self._process.returncode = self._process.poll() or 0  # its end is none of our business any more

    def stop(self) -> None:
        """Gives up our share and waits for the server to end. Raises ServiceNotStarted when others keep it alive."""
        self._lifeline.release()
        try:
            self._process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired as error:
            raise ServiceNotStarted(f"{self.name} did not stop: another process still uses it") from error


def run(program: Program, ownership: Ownership) -> Server:
    """Starts the program under a keeper, which takes the ownership over."""
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


def _try_lock(fd: int, kind: int) -> bool:
    try:
        fcntl.flock(fd, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _environment() -> dict[str, str]:
    """Nothing of ours: a PGDATA, a PYTHONPATH or an API key in the environment is none of the server's business."""
    return {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}
