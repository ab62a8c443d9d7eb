"""Models on disk: one file that scores, and beside it what a person reads.

The file is a zip: `model.skops` (arrays and plain values only), `schema.json`, `card.json`, `card.md`, and
`manifest.json` with the SHA-256 of each. Loading refuses with ModelRefused whatever we did not write: a broken or
foreign file, a member that no longer matches its hash, a type that is not on the short list below, arrays that do not
fit the schema, or a model that no longer gives the scores it gave when it was saved. Nothing is ever unpickled and no
code is in the file.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import tempfile
import zipfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from app.errors import BadTable, ModelRefused
from ml.columns import schema_from
from ml.encode import Block
from ml.model import LeadModel, Model, fingerprint, model_from

FORMAT = 1
SUFFIX = ".strowger"
_MEMBERS = ("model.skops", "schema.json", "card.json", "card.md")
_MOST_BYTES = 256 << 20
_LONG_AGO = (1980, 1, 1, 0, 0, 0)
TRUSTED = frozenset(
    {
        ("builtins", "dict"), ("builtins", "list"), ("builtins", "str"), ("builtins", "float"), ("builtins", "int"),
        ("builtins", "type"), ("builtins", "bool"), ("numpy", "ndarray"),
    }
)  # fmt: skip
_PROBES = 32


def place(path: Path) -> Path:
    """The file a model path means: inside it, when it is a folder."""
    return path / f"model{SUFFIX}" if path.is_dir() else path


def save(model: Model, path: Path, card_text: str, probes: Block) -> Model:
    """Writes the model and its readable companions; returns it with its version, which is a hash of its contents."""
    from skops.io import dumps

    path = place(path)
    arrays = _plain(model.to_arrays())
    version = f"{model.card.get('name', 'model')}-{fingerprint(arrays, model.schema)[:12]}"
    probes = probes.take(slice(0, _PROBES))
    arrays["probes"] = {
        "numbers": probes.numbers,
        "codes": probes.codes,
        "expected": model.predict(probes).probability,
    }
    card = {**model.card, "version": version}
    members = {
        "model.skops": dumps(arrays),
        "schema.json": model.schema.to_json().encode(),
        "card.json": json.dumps(card, indent=2, ensure_ascii=False).encode() + b"\n",
        "card.md": card_text.replace("{version}", version).encode(),
    }
    manifest = {
        "format": FORMAT,
        "version": version,
        "sha256": {name: hashlib.sha256(body).hexdigest() for name, body in members.items()},
    }
    members["manifest.json"] = json.dumps(manifest, indent=2).encode() + b"\n"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, zipped(members))
        for name in ("schema.json", "card.json", "card.md"):
            write_whole(path.with_name(f"{path.name}.{name}"), members[name])
    except OSError as error:
        raise BadTable(f"the model cannot be written to {path}: {error.strerror or error}.") from None
    return replace(model, card=card, version=version)


def load(path: Path) -> LeadModel:
    """Raises ModelRefused with one sentence."""
    path = place(path)
    try:
        with zipfile.ZipFile(path) as archive:
            members = {name: member(archive, name) for name in ("manifest.json", *_MEMBERS)}
    except FileNotFoundError:
        raise ModelRefused(f"there is no model at {path}.") from None
    except (OSError, zipfile.BadZipFile, KeyError, RuntimeError, NotImplementedError, EOFError) as error:
        raise ModelRefused(f"{path.name} is not a model file of ours, or it is damaged ({error}).") from None
    version = _verified(path.name, members)
    try:
        arrays = arrays_of(members["model.skops"])
        schema = schema_from(json.loads(members["schema.json"]))
        model = model_from(arrays, schema, json.loads(members["card.json"]), version)
        expected = arrays["probes"]["expected"]
        probes = Block(arrays["probes"]["numbers"], arrays["probes"]["codes"])
        found = model.predict(probes).probability
        same = expected.shape == found.shape and bool(np.allclose(found, expected, rtol=0, atol=1e-9))
    except (KeyError, TypeError, ValueError, IndexError, AttributeError, BadTable) as error:
        raise ModelRefused(f"{path.name} does not fit together ({error}): train it again.") from None
    if not same or fingerprint({k: v for k, v in arrays.items() if k != "probes"}, schema)[:12] != version[-12:]:
        raise ModelRefused(f"{path.name} no longer gives the scores it gave when it was trained: train it again.")
    return LeadModel(model)


def member(archive: zipfile.ZipFile, name: str) -> bytes:
    if archive.getinfo(name).file_size > _MOST_BYTES:
        raise zipfile.BadZipFile(f"{name} is too large")
    return archive.read(name)


def _verified(file: str, members: Mapping[str, bytes]) -> str:
    try:
        manifest = json.loads(members["manifest.json"])
        if manifest["format"] != FORMAT:
            raise ModelRefused(
                f"{file} has format {manifest['format']!r}, this version reads {FORMAT}: train it again."
            )
        hashes: Mapping[str, str] = manifest["sha256"]
        for name in _MEMBERS:
            if hashlib.sha256(members[name]).hexdigest() != hashes[name]:
                raise ModelRefused(f"{file}: {name} does not match its SHA-256: the file was changed or damaged.")
        return str(manifest["version"])
    except (ValueError, KeyError, TypeError) as error:
        raise ModelRefused(f"{file} has no readable manifest ({error}).") from None


def arrays_of(body: bytes) -> dict[str, Any]:
    """Checks every type the file names before anything is built from it, and refuses arrays of objects."""
    from skops.io import get_untrusted_types, loads
    from skops.io.exceptions import UnsupportedTypeException, UntrustedTypesFoundException

    try:
        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            if sum(info.file_size for info in archive.infolist()) > _MOST_BYTES:
                raise ModelRefused("the model file is too large.")
            named = _types_in(json.loads(archive.read("schema.json")))
        strange = sorted(".".join(t) for t in named - TRUSTED) + list(get_untrusted_types(data=body))
        if strange:
            raise ModelRefused(f"the model file names types that no model of ours has: {', '.join(strange[:3])}.")
        arrays = loads(body, trusted=[])
    except (UntrustedTypesFoundException, UnsupportedTypeException, zipfile.BadZipFile, RecursionError) as error:
        raise ModelRefused(f"the model file cannot be trusted ({error}).") from None
    if not isinstance(arrays, dict) or _holds_objects(arrays):
        raise ModelRefused("the model file does not hold a model.")
    return arrays


def _types_in(node: Any) -> set[tuple[str, str]]:
    found: set[tuple[str, str]] = set()
    stack = [node]
    while stack:
        item = stack.pop()
        if isinstance(item, dict):
            if "__class__" in item:
                found.add((str(item.get("__module__")), str(item["__class__"])))
            stack.extend(item.values())
        elif isinstance(item, list):
            stack.extend(item)
    return found


def _plain(value: Any) -> Any:
    """numpy's scalars as Python's, so that the file names as few types as possible."""
    if isinstance(value, dict):
        return {k: _plain(v) for k, v in value.items()}
    if isinstance(value, list):
        return [_plain(v) for v in value]
    return value.item() if isinstance(value, np.generic) else value


def _holds_objects(value: Any) -> bool:
    if isinstance(value, dict):
        return any(_holds_objects(v) for v in value.values())
    if isinstance(value, list):
        return any(_holds_objects(v) for v in value)
    return isinstance(value, np.ndarray) and value.dtype.kind not in "fi"


def zipped(members: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, body in members.items():
            archive.writestr(zipfile.ZipInfo(name, _LONG_AGO), body, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def write_whole(path: Path, body: bytes) -> None:
    """All or nothing, also when two processes write the same file."""
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(body)
        Path(name).chmod(0o644)
        Path(name).replace(path)
    except OSError:
        Path(name).unlink(missing_ok=True)
        raise
