"""One `strowger up` for all browser tests of a run, whichever of its processes they are in.

The process that starts the run holds a share in the folder, and so does each that uses it; a guard of its own process
runs the service, ends it when the last share is gone (however that process ended) and clears up.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

from app.embedded.holds import Lifeline

START_S, END_S = 180.0, 60.0
LOG = "up.log"
ROOT = Path(__file__).parents[2]


class Share:
    """While it is held the service runs, once somebody has asked for it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(exist_ok=True)
        folder.chmod(0o755)  # the user that Postgres runs as must be able to enter
        self._lifeline = Lifeline(folder)
        self._guard: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Unless it runs. One process at a time."""
        if not (self.folder / LOG).exists():
            (self.folder / LOG).touch()
            command = [sys.executable, "-m", "tests.browser.running", str(self.folder)]
            self._guard = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.DEVNULL, start_new_session=True)

    def told(self) -> str:
        return (self.folder / LOG).read_text()

    def release(self) -> None:
        self._lifeline.release()

    def end(self) -> None:
        """For the process that started the run: waits until everything is gone."""
        started = (self.folder / LOG).exists()
        self.release()
        give_up_at = time.monotonic() + END_S
        while started and self.folder.exists() and time.monotonic() < give_up_at:
            time.sleep(0.1)
        shutil.rmtree(self.folder, ignore_errors=True)


def guard(folder: Path) -> None:
    """Runs the service until nobody holds a share."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with (folder / LOG).open("wb") as out:
        running = subprocess.Popen(
            [sys.executable, "-m", "app.cli", "up", "--port", str(port)],
            cwd=ROOT,
            stdout=out,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            env={**os.environ, "STROWGER_DATA_DIR": str(folder / "data")},
        )
    fd = os.open(folder / "lifeline", os.O_RDWR)
    fcntl.flock(fd, fcntl.LOCK_EX)  # waits for the last share; whoever comes now waits until we are gone
    running.terminate()
    running.wait(END_S)
    shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    guard(Path(sys.argv[1]))
