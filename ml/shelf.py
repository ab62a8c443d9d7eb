"""Where model files lie."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Protocol

from app.errors import ModelRefused
from ml.artifacts import SUFFIX, write_whole


class Shelf(Protocol):
    """Where model files lie, named by the hash of their bytes. Another store is these two methods."""

    def keep(self, file: Path) -> str: ...

    def fetch(self, file_sha256: str) -> Path: ...


class FolderShelf:
    """A folder on this machine."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def keep(self, file: Path) -> str:
        """Its hash. The same bytes are kept once."""
        body = file.read_bytes()
        digest = hashlib.sha256(body).hexdigest()
        self._folder.mkdir(parents=True, exist_ok=True)
        write_whole(self.path(digest), body)
        return digest

    def fetch(self, file_sha256: str) -> Path:
        """Raises ModelRefused when it is not there, or is not what was kept under this hash (F30)."""
        path = self.path(file_sha256)
        try:
            found = hashlib.sha256(path.read_bytes()).hexdigest()
        except OSError as error:
            raise ModelRefused(f"the model file {path} cannot be read: {error.strerror or error}.") from None
        if found != file_sha256:
            raise ModelRefused(f"the model file {path} is not the one that was kept: its SHA-256 begins {found[:12]}.")
        return path

    def path(self, file_sha256: str) -> Path:
        return self._folder / f"{file_sha256}{SUFFIX}"
