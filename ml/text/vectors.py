"""Vectors of word pieces from the `wordllama` package: two files, read directly.

The package's own loader looks in the wrong folder and then asks a network, so its code is never imported. Reading takes
a few tenths of a second and is done when vectors are first asked for.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.errors import ModelRefused

Floats = NDArray[np.float32]
WIDTH = 256
_WEIGHTS = Path("weights") / "l2_supercat_256.safetensors"
_TOKENS = Path("tokenizers") / "l2_supercat_tokenizer_config.json"


@dataclass(frozen=True, slots=True)
class Vectors:
    """One row per word piece. `version` is a hash of both files: a model knows which vectors it was trained with."""

    table: Floats
    version: str
    _tokenizer: Any

    def pieces(self, texts: list[str]) -> list[NDArray[np.intp]]:
        """The rows of each text's pieces; none for a text without words."""
        size = len(self.table)
        encoded = self._tokenizer.encode_batch_fast(texts, add_special_tokens=False)
        return [np.array([piece for piece in one.ids if piece < size], dtype=np.intp) for one in encoded]


@cache
def installed() -> Vectors:
    """Raises ModelRefused when the package is not there, or is not laid out as the locked version is."""
    from safetensors import SafetensorError
    from safetensors.numpy import load
    from tokenizers import Tokenizer

    spec = find_spec("wordllama")
    if spec is None or not spec.submodule_search_locations:
        raise ModelRefused("models of words need the package wordllama: install the locked requirements.")
    folder = Path(spec.submodule_search_locations[0])
    try:
        weights, tokens = (folder / _WEIGHTS).read_bytes(), (folder / _TOKENS).read_bytes()
        table = load(weights)["embedding.weight"].astype(np.float32)
    except (OSError, KeyError, SafetensorError) as error:
        raise ModelRefused(f"the word vectors in {folder} cannot be read ({error}).") from None
    if table.ndim != 2 or table.shape[1] != WIDTH:
        raise ModelRefused(f"the word vectors in {folder} have another shape than ours: {table.shape}.")
    tokenizer = Tokenizer.from_buffer(tokens)
    tokenizer.no_padding()
    tokenizer.no_truncation()
    version = hashlib.sha256(weights + tokens).hexdigest()[:12]
    return Vectors(table, version, tokenizer)
