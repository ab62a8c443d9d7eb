"""Text models on disk: one file, checked like every model file of ours (`ml.artifacts`): hashes, plain values only, and
the answers it gave when it was saved."""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from app.errors import BadTable, ModelRefused
from ml.artifacts import arrays_of, member, write_whole, zipped
from ml.text.model import TextModel, model_from

FORMAT = 1
SUFFIX = ".words"
_MEMBERS = ("model.skops", "card.json", "card.md")
_PROBES = 16


def save(model: TextModel, path: Path, probes: Sequence[str], card_text: str = "") -> TextModel:
    """Writes the file and the card beside it; returns the model with its version, a hash of its contents. Raises
    BadTable when it cannot be written."""
    from skops.io import dumps

    arrays = model.to_arrays()
    version = f"{model.card.get('name', 'words')}-{_fingerprint(arrays)}"
    probes = list(probes[:_PROBES])
    arrays["probes"] = {"texts": json.dumps(probes), "expected": model.scores(probes)}
    card = {**model.card, "version": version}
    members = {
        "model.skops": dumps(arrays),
        "card.json": json.dumps(card, indent=2, ensure_ascii=False).encode() + b"\n",
        "card.md": card_text.replace("{version}", version).encode(),
    }
    hashes = {name: hashlib.sha256(body).hexdigest() for name, body in members.items()}
    manifest = {"text_format": FORMAT, "version": version, "sha256": hashes}
    members["manifest.json"] = json.dumps(manifest, indent=2).encode() + b"\n"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, zipped(members))
        if card_text:
            write_whole(path.with_name(f"{path.name}.card.md"), members["card.md"])
    except OSError as error:
        raise BadTable(f"the model cannot be written to {path}: {error.strerror or error}.") from None
    return replace(model, card=card, version=version)


def load(path: Path) -> TextModel:
    """Raises ModelRefused with one sentence."""
    try:
        with zipfile.ZipFile(path) as archive:
            members = {name: member(archive, name) for name in ("manifest.json", *_MEMBERS)}
    except FileNotFoundError:
        raise ModelRefused(f"there is no text model at {path}.") from None
    except (OSError, zipfile.BadZipFile, KeyError, RuntimeError, NotImplementedError, EOFError) as error:
        raise ModelRefused(f"{path.name} is not a text model of ours, or it is damaged ({error}).") from None
    version = _verified(path.name, members)
    try:
        arrays = arrays_of(members["model.skops"])
        probes = arrays.pop("probes")
        same = _fingerprint(arrays) == version[-12:]
        model = model_from(arrays, json.loads(members["card.json"]), version)
        found = model.scores(json.loads(probes["texts"]))
        same = same and bool(np.allclose(found, probes["expected"], rtol=0, atol=1e-4))
    except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
        raise ModelRefused(f"{path.name} does not fit together ({error}): train it again.") from None
    if not same:
        raise ModelRefused(f"{path.name} no longer gives the answers it gave when it was trained: train it again.")
    return model


def _verified(file: str, members: Mapping[str, bytes]) -> str:
    try:
        manifest = json.loads(members["manifest.json"])
        if manifest.get("text_format") != FORMAT:
            raise ModelRefused(f"{file} is not a text model of this version's format: train it again.")
        for name in _MEMBERS:
            if hashlib.sha256(members[name]).hexdigest() != manifest["sha256"][name]:
                raise ModelRefused(f"{file}: {name} does not match its SHA-256: the file was changed or damaged.")
        return str(manifest["version"])
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ModelRefused(f"{file} has no readable manifest ({error}).") from None


def _fingerprint(arrays: Mapping[str, Any]) -> str:
    digest = hashlib.sha256()
    for key in sorted(arrays):
        value = arrays[key]
        digest.update(key.encode())
        if isinstance(value, Mapping):
            digest.update(_fingerprint(value).encode())
        elif isinstance(value, np.ndarray):
            digest.update(repr((value.shape, value.dtype.str)).encode() + np.ascontiguousarray(value).tobytes())
        else:
            digest.update(repr(value).encode())
    return digest.hexdigest()[:12]
