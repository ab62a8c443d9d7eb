"""The lead model of this process, and making one where there is none yet.

The model that ships with us is trained from simulated calls on a machine's first start. That takes longer than a task
may, so it happens beside the worker, in a process of its own: `python -m workers.model DATA_DIR`. Until it is done
leads wait, and messages do not. (Not in a pool's parent either: threads of numerical libraries do not survive a fork.)
"""

from __future__ import annotations

import fcntl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from app.sales.lead import LeadHistory, Score

if TYPE_CHECKING:
    from ml.model import LeadModel


class Model:
    """`Model(data_dir)(history)` is a score, or None while the model is being made. Raises ModelRefused (F30)."""

    def __init__(self, data_dir: Path) -> None:
        self._data_dir = data_dir
        self._loaded: LeadModel | None = None

    def __call__(self, history: LeadHistory) -> Score | None:
        from ml import lead_row

        if self._loaded is None:
            self._loaded = load(self._data_dir)
        return self._loaded.score(lead_row(history)) if self._loaded is not None else None


def load(data_dir: Path, *, wait: bool = False) -> LeadModel | None:
    """None when another process is making it and we do not `wait`."""
    with _alone(data_dir, wait=wait) as alone:
        if not alone:
            return None
        from ml import default_model

        return default_model(data_dir)


@contextmanager
def making_ready(data_dir: Path) -> Iterator[None]:
    """Makes the model meanwhile, if there is none; looking takes a moment, too."""
    maker = subprocess.Popen([sys.executable, "-m", __name__, str(data_dir)])  # noqa: S603 - this very module
    try:
        yield
    finally:
        maker.kill()
        maker.wait()


@contextmanager
def _alone(data_dir: Path, *, wait: bool) -> Iterator[bool]:
    """Whether no other process of this machine is at it. The kernel frees the lock of one that is killed."""
    data_dir.mkdir(parents=True, exist_ok=True)
    with (data_dir / "model.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True


if __name__ == "__main__":
    load(Path(sys.argv[1]), wait=True)
