"""Which model estimates the chance of a sale during the calls of a workspace: its champion, else the one we ship.

Which one is champion is asked in the transaction in which a call begins; its file is read once per process, and again
when another becomes champion. A file that is refused (F30) or gone is passed over, and said so.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from threading import Lock

from app import observe
from app.errors import ModelRefused
from app.sales import live
from app.sales.live import LiveModel
from app.sales.registry import fallbacks
from app.store import model_files, models
from app.store.connect import Connection

log = observe.log(__name__)

MOST_KEPT = 256  # some hundred bytes each


class LiveModels:
    """Shared by the threads that begin calls."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, LiveModel] = OrderedDict()
        self._lock = Lock()

    def serving(self, db: Connection) -> LiveModel:
        """Of the workspace of this transaction."""
        for entry in fallbacks(models.serving(db, live.TARGET)):
            try:
                return self._model(db, entry.file_sha256, entry.version)
            except ModelRefused as error:
                log.warning("a model was refused", model=entry.version, error=str(error))
        return live.shipped()

    def _model(self, db: Connection, sha256: str, version: str) -> LiveModel:
        with self._lock:
            if found := self._kept.get(sha256):
                self._kept.move_to_end(sha256)
                return found
        body = model_files.fetch(db, sha256)
        if body is None:
            raise ModelRefused("its file is gone.")
        if hashlib.sha256(body).hexdigest() != sha256:
            raise ModelRefused("its file is not the one that was kept.")
        model = live.from_file(body)
        if model.version != version:
            raise ModelRefused(f"its file holds {model.version}.")
        with self._lock:
            self._kept[sha256] = model
            if len(self._kept) > MOST_KEPT:
                self._kept.popitem(last=False)
        return model
