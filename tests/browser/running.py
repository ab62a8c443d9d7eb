"""One `strowger up` for all browser tests of a run, whichever of its processes they are in.

Each that uses it holds a share in the folder; a guard of its own process runs it, ends it when the last share is gone
(however that process ended) and clears up.
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

from app.embedded.holds import Lifeline, somebody_alive

START_S, END_S = 180.0, 60.0
LOG = "up.log"
ROOT = Path(__file__).parents[2]


class Share:
    """While it is held the service runs. Waits for one that is just ending, and then starts another."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        while True:
            folder.mkdir(exist_ok=True)
            folder.chmod(0o755)  # the user that Postgres runs as must be able to enter
            self._lifeline = Lifeline(folder)
            if (folder / "lifeline").exists():  # or a guard has just cleared up
                break
            self._lifeline.release()
        self._guard: subprocess.Popen[bytes] | None = None
        if not (folder / LOG).exists():
            (folder / LOG).touch()
            command = [sys.executable, "-m", "tests.browser.running", str(folder)]
            self._guard = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.DEVNULL, start_new_session=True)

    def told(self) -> str:
        return (self.folder / LOG).read_text()

    def release(self) -> None:
        """The last one waits until everything is gone."""
        alone = not _others(self._lifeline, self.folder)
        give_up_at = time.monotonic() + END_S
        while alone and self.folder.exists() and time.monotonic() < give_up_at:
            time.sleep(0.1)


def _others(lifeline: Lifeline, folder: Path) -> bool:
    lifeline.release()
    return folder.exists() and somebody_alive(folder)


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
