"""How words are pronounced: the dictionary inside pocketsphinx (cmudict), and `words.dict` for those it lacks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from importlib.resources import files
from pathlib import Path

Spoken = tuple[str, str]
"""A word, numbered when it is not its first pronunciation ("the(2)"), and its phones ("DH IY")."""


@cache
def dictionary() -> Mapping[str, tuple[Spoken, ...]]:
    """Every word with all its pronunciations; 0.15 s and some 40 MB, in the process that recognises."""
    import pocketsphinx

    found: dict[str, tuple[Spoken, ...]] = {}
    for path in (Path(pocketsphinx.get_model_path("en-us/cmudict-en-us.dict")), supplement()):
        with path.open(encoding="utf-8") as lines:
            for word, phones in read(lines):
                name = word.partition("(")[0]
                found[name] = (*found.get(name, ()), (word, phones))
    return found


def supplement() -> Path:
    return Path(str(files("app.providers.offline") / "words.dict"))


def read(lines: Iterable[str]) -> Iterable[Spoken]:
    """Lines of `word PH OH N Z`; empty lines and comments after # are left out."""
    for line in lines:
        word, _, phones = line.partition("#")[0].strip().partition(" ")
        if phones:
            yield word, phones.strip()
