"""Model files of one workspace: Postgres has them, a folder of this machine holds copies."""

from __future__ import annotations

import tempfile
from contextlib import suppress
from pathlib import Path
from uuid import UUID

from app.errors import ModelRefused
from app.store import model_files
from app.store.connect import Database
from ml.shelf import FolderShelf


class StoredShelf:
    """A copy that was changed or lost is replaced from the database; the hash decides in both places."""

    def __init__(self, database: Database, workspace_id: UUID, folder: Path) -> None:
        self._database, self._workspace = database, workspace_id
        self._folder = FolderShelf(folder)

    def keep(self, file: Path) -> str:
        with self._database.worker(self._workspace) as db:
            model_files.keep(db, file.read_bytes())
        return self._folder.keep(file)

    def fetch(self, file_sha256: str) -> Path:
        """Raises ModelRefused when it is nowhere (F30), and StoreDown."""
        with suppress(ModelRefused):
            return self._folder.fetch(file_sha256)
        with self._database.worker(self._workspace) as db:
            body = model_files.fetch(db, file_sha256)
        if body is None:
            raise ModelRefused(f"there is no model file {file_sha256[:12]}, here or in the database.")
        with tempfile.NamedTemporaryFile() as copy:
            copy.write(body)
            copy.flush()
            self._folder.keep(Path(copy.name))
        return self._folder.fetch(file_sha256)
