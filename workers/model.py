"""The lead models of this process, and making the shipped one where there is none yet.

A workspace's scores come from its champion; a challenger on trial scores beside it, unseen. Each file is loaded once
per process, by its hash, and stays. One that is refused (F30) is passed over: the champion before it serves, in the end
the model that ships with us, and the caller is told, so that somebody looks.

The model that ships with us is trained from simulated calls on a machine's first start. That takes longer than a task
may, so it happens beside the worker, in a process of its own: `python -m workers.model DATA_DIR`. Until it is done
leads wait, and messages do not. (Not in a pool's parent either: threads of numerical libraries do not survive a fork.)
"""

from __future__ import annotations

import fcntl
import subprocess
import sys
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol
from uuid import UUID

from app.errors import BadTable, ModelRefused
from app.sales.lead import LeadHistory, Score
from app.sales.priority import Yardstick
from app.sales.registry import Entry, Stage, at, fallbacks

if TYPE_CHECKING:
    from ml.model import LeadModel
    from ml.shelf import Shelf

MOST_LOADED = 64  # a worker may serve many workspaces; a model takes a few megabytes at most


@dataclass(frozen=True, slots=True)
class Judged:
    """`row` is what the models looked at; `refused` are versions that should have scored and could not, and why;
    `yardstick` is what the model that scored brings to the workspace's cuts."""

    score: Score
    shadow: Score | None = None
    row: Mapping[str, object] | None = None
    refused: tuple[tuple[str, str], ...] = ()
    yardstick: Yardstick | None = None


class Judge(Protocol):
    def __call__(self, workspace_id: UUID, entries: tuple[Entry, ...], history: LeadHistory) -> Judged | None: ...


class Models:
    """`entries` are the workspace's registry. None while the shipped model is needed and still being made."""

    def __init__(self, data_dir: Path, shelf_of: Callable[[UUID], Shelf]) -> None:
        self._data_dir, self._shelf_of = data_dir, shelf_of
        self._loaded: OrderedDict[str, LeadModel] = OrderedDict()
        self._shipped: LeadModel | None = None

    def __call__(self, workspace_id: UUID, entries: tuple[Entry, ...], history: LeadHistory) -> Judged | None:
        from ml import lead_row

        row = lead_row(history)
        refused: list[tuple[str, str]] = []

        def scored(entry: Entry) -> tuple[LeadModel, Score] | None:
            try:
                model = self.own(workspace_id, entry)
                return model, model.score(row)
            except (ModelRefused, BadTable) as error:
                refused.append((entry.version, str(error)))
                return None

        found = next((done for done in map(scored, fallbacks(entries)) if done is not None), None)
        if found is None:
            shipped = self.shipped()
            if shipped is None:
                return None
            found = shipped, shipped.score(row)
        model, score = found
        challenger = at(entries, Stage.SHADOW)
        beside = scored(challenger) if challenger else None
        return Judged(score, beside[1] if beside else None, row, tuple(refused), model.yardstick)

    def own(self, workspace_id: UUID, entry: Entry) -> LeadModel:
        """Loaded once. Raises ModelRefused when its file is not there or does not hold, and StoreDown."""
        import ml.artifacts as artifacts

        if entry.file_sha256 not in self._loaded:
            model = artifacts.load(self._shelf_of(workspace_id).fetch(entry.file_sha256))
            if model.version != entry.version:
                raise ModelRefused(f"the file of {entry.version} holds {model.version}.")
            self._loaded[entry.file_sha256] = model
        self._loaded.move_to_end(entry.file_sha256)
        if len(self._loaded) > MOST_LOADED:
            self._loaded.popitem(last=False)
        return self._loaded[entry.file_sha256]

    def shipped(self) -> LeadModel | None:
        if self._shipped is None:
            self._shipped = load(self._data_dir)
        return self._shipped


def load(data_dir: Path, *, wait: bool = False) -> LeadModel | None:
    """The shipped model; None when another process is making it and we do not `wait`. Raises ModelRefused (F30)."""
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
