"""Everything that is kept about one person, as one file that other programs can read (C42; GDPR Art. 15, 20)."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO, Any
from uuid import UUID

from app.store import erasures
from app.store.connect import Connection

FORMAT = "strowger.dossier/1"
_LONGEST = 200  # letters of a name inside of the archive


@dataclass(frozen=True, slots=True)
class Dossier:
    """`kept`: rows by table. `not_told`: tables that are left out, each with the reason."""

    lead_id: UUID
    made_at: datetime
    kept: Mapping[str, list[dict[str, Any]]]
    not_told: Mapping[str, str]
    call_sids: tuple[str, ...]


def read(db: Connection, lead_id: UUID, at: datetime) -> Dossier:
    """With the eyes of the connection: row-level security keeps other workspaces out."""
    kept = erasures.rows(db, lead_id)
    return Dossier(lead_id, at, kept, erasures.not_told(db), tuple(erasures.sids(kept)))


def write(out: IO[bytes], dossier: Dossier, folder: Path) -> None:
    """A zip: `dossier.json`, and the sound of the calls as far as it lies in this folder."""
    sounds = tuple(_sounds(folder, dossier.call_sids))
    told = {
        "format": FORMAT,
        "lead_id": str(dossier.lead_id),
        "made_at": dossier.made_at.isoformat(),
        "kept": dossier.kept,
        "not_told": dossier.not_told,
        "sounds": [name for name, _ in sounds],
    }
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("dossier.json", json.dumps(told, indent=1, ensure_ascii=False))
        for name, path in sounds:
            archive.write(path, name)


def _sounds(folder: Path, sids: Iterable[str]) -> Iterable[tuple[str, Path]]:
    """A call may have several, in several folders."""
    wanted = frozenset(sids)
    for path in sorted(folder.glob("**/*.wav")):
        if path.stem in wanted:
            yield "sounds/" + "-".join(path.relative_to(folder).parts)[-_LONGEST:], path
