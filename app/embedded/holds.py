"""Who uses a server and who runs it, as locks on two files that the kernel takes back however a process ends.

`owner` is held by the keeper of a folder's one server. `lifeline` is shared by the processes that use the server.
"""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path

from app.errors import ServiceNotStarted

POLL_S = 0.01
_HANDOVER_S = 15.0  # how long the server of a start that was killed may take to stop


class InUse(ServiceNotStarted):
    """Another process runs the server of this folder."""


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
        """Waits for a server that is still stopping. Raises InUse when one is in use."""
        self.fd = os.open(folder / "owner", os.O_RDWR | os.O_CREAT, 0o600)
        give_up_at = time.monotonic() + _HANDOVER_S
        in_use = 0
        while not _try_lock(self.fd, fcntl.LOCK_EX):
            in_use = in_use + 1 if somebody_alive(folder) else 0
            if in_use * POLL_S > 0.5 or time.monotonic() > give_up_at:
                os.close(self.fd)
                raise InUse(
                    f"another Strowger is already running its {name} in {folder}: stop that one, or give this one its "
                    "own folder with STROWGER_DATA_DIR"
                )
            time.sleep(POLL_S)

    def release(self) -> None:
        """Our copy; the keeper's, if there is one, keeps the folder owned."""
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1


def somebody_alive(folder: Path) -> bool:
    """Does any process use the server of this folder?"""
    fd = os.open(folder / "lifeline", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        return not _try_lock(fd, fcntl.LOCK_EX)
    finally:
        os.close(fd)


def _try_lock(fd: int, kind: int) -> bool:
    try:
        fcntl.flock(fd, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
