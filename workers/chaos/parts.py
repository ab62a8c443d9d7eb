"""The parts that are killed: a Valkey, a worker and a beat, each a process of its own on this machine."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import psutil

from app.embedded.launch import LOOPBACK, die_with_parent
from app.embedded.valkey import binary

GOODBYE_S = 20.0


class Part:
    """A process that can be started, killed without warning, and started again."""

    def __init__(self, name: str, argv: tuple[str, ...], folder: Path, environment: Mapping[str, str]) -> None:
        self.name = name
        self.log = folder / f"{name}.log"
        self._argv = argv
        self._folder = folder
        self._environment = {**os.environ, **environment}
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603 - our own programs
                self._argv,
                cwd=self._folder,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # so that one signal reaches it and everything it started
                preexec_fn=die_with_parent,
            )

    def kill(self) -> None:
        """SIGKILL to the process and all its children at once, as when a machine goes."""
        if self._process is not None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait(GOODBYE_S)
            self._process = None

    def freeze(self) -> None:
        """SIGSTOP: it still accepts, and never answers again."""
        if self._process is not None:
            os.killpg(self._process.pid, signal.SIGSTOP)

    def stop(self) -> None:
        """As a deploy would: asked first."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(GOODBYE_S)
        except subprocess.TimeoutExpired:
            self.kill()

    def grandchildren(self) -> list[psutil.Process]:
        """Of a worker: the pool below the Celery process below the supervisor."""
        if self._process is None:
            return []
        try:
            children = psutil.Process(self._process.pid).children()
            return [pool for child in children for pool in child.children()]
        except psutil.NoSuchProcess:
            return []


def broker(folder: Path, port: int) -> Part:
    """Keeps nothing: each start is an empty one on the same port."""
    keep_nothing = ("--save", "", "--appendonly", "no")
    return Part("valkey", (binary(), "--bind", LOOPBACK, "--port", str(port), *keep_nothing), folder, {})


def role(name: str, folder: Path, environment: Mapping[str, str], *arguments: str) -> Part:
    """`strowger worker` or `strowger beat`."""
    return Part(name, (sys.executable, "-m", "app.cli", name, *arguments), folder, environment)
