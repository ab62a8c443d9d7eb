"""Everything on one machine: services, roles and the local exchange, started together and stopped together."""

from __future__ import annotations

import contextlib
import os
import secrets
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from app.embedded.launch import die_with_parent
from app.errors import ServiceNotStarted

READY_TIMEOUT_S = 30.0
STOP_TIMEOUT_S = 20.0


@dataclass(frozen=True, slots=True)
class Account:
    """Credentials the local exchange and the service share; made anew for each start."""

    sid: str
    token: str

    @classmethod
    def fresh(cls) -> Account:
        return cls(sid="AC" + secrets.token_hex(16), token=secrets.token_hex(16))


class Role:
    """One child process running one role (`serve`, `worker`, `beat`), its output in a log file."""

    def __init__(self, name: str, arguments: tuple[str, ...], env: Mapping[str, str], log: Path) -> None:
        self.name = name
        self._arguments = arguments
        self._env = {**os.environ, **env}
        self.log = log
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as out:
            self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
                [sys.executable, "-m", "app.cli", *self._arguments],
                env=self._env,
                stdout=out,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                start_new_session=True,  # Ctrl-C reaches us alone; we stop the roles in order
                preexec_fn=die_with_parent,
            )

    @property
    def alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def stop(self, timeout_s: float = STOP_TIMEOUT_S) -> None:
        if self._process is None or not self.alive:
            return
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()

    def last_words(self, lines: int = 12) -> str:
        text = self.log.read_text(errors="replace") if self.log.exists() else ""
        return "\n".join(text.splitlines()[-lines:])


class Roles:
    """Starts roles in order; stops them in reverse."""

    def __init__(self, env: Mapping[str, str], logs: Path) -> None:
        self._env = env
        self._logs = logs
        self._roles: list[Role] = []

    def __enter__(self) -> Roles:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for role in reversed(self._roles):
            role.stop()

    def start(self, name: str, *arguments: str) -> Role:
        role = Role(name, (name, *arguments), self._env, self._logs / f"{name}.log")
        role.start()
        self._roles.append(role)
        return role

    def fallen(self) -> Iterator[Role]:
        return (role for role in self._roles if not role.alive)


def wait_ready(url: str, role: Role, timeout_s: float = READY_TIMEOUT_S) -> None:
    """Returns once `url` answers 200. Raises ServiceNotStarted with the role's last words."""
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        if not role.alive:
            raise ServiceNotStarted(
                f"`strowger {role.name}` stopped at once; its log {role.log} ends:\n{role.last_words()}"
            )
        try:
            with urllib.request.urlopen(url, timeout=2) as answer:  # noqa: S310 - our own loopback address
                if answer.status == 200:
                    return
        except (urllib.error.URLError, OSError):
            pass
        time.sleep(0.05)
    raise ServiceNotStarted(
        f"{url} did not answer within {timeout_s:.0f} s; the log {role.log} ends:\n{role.last_words()}"
    )
