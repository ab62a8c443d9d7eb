"""The same sound at another volume: mu-law in, mu-law out, without a click where it changes."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from app.telephony import mulaw

RAMP_MS = 20  # from one volume to the other, sample by sample
_RAMP_BYTES = RAMP_MS * mulaw.BYTES_PER_MS


def gain(decibels: float) -> float:
    """As a factor of the amplitude."""
    return float(10 ** (decibels / 20))


def played_at(sound: bytes, before: float, after: float) -> bytes:
    """`sound` at the gain `after`, coming from `before` within its first RAMP_MS."""
    if before == after:
        return sound.translate(_table(after)) if after != 1.0 else sound
    head, rest = sound[:_RAMP_BYTES], sound[_RAMP_BYTES:]
    slope = np.linspace(before, after, len(head), endpoint=False)
    return mulaw.encode((mulaw.decode(head) * slope).astype(np.int16)) + played_at(rest, after, after)


@lru_cache(maxsize=8)
def _table(factor: float) -> bytes:
    return mulaw.encode((mulaw.decode(bytes(range(256))) * factor).astype(np.int16))
