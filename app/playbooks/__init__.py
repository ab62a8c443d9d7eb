"""The playbooks that ship with Strowger, and where a playbook's text comes from."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from app.errors import BadSetting


def text_of(name: str) -> str:
    """A file by its path, or a shipped playbook by its name. Raises BadSetting."""
    shipped = Path(str(files(__name__))) / f"{name}.yaml"
    for candidate in (Path(name), shipped):
        if candidate.is_file():
            return candidate.read_text(encoding="utf-8")
    raise BadSetting(f"STROWGER_PLAYBOOK={name} is neither a file nor a shipped playbook. Example: northlight_solar")
