"""Keys heard as tones: whole sequences right, and nothing reported where there was none."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import typer

from app.evaluation.recordings import Recording, recordings
from app.evaluation.variations import VARIATIONS, varied
from app.telephony import mulaw
from app.telephony.dtmf import KeyDetector

NEEDS = "a list with the columns file, kind and digits (empty: none may be heard), and the recordings it names"
_PIECE = 100 * mulaw.BYTES_PER_MS


def report(data: Path | None, as_json: bool) -> int:
    """Raises BadInput when there is nothing to measure on."""
    known = list(recordings(data, NEEDS))
    tables = {name: _table(known, name) for name in VARIATIONS}
    if as_json:
        typer.echo(json.dumps({"recordings": len(known), "variations": tables}, indent=2))
        return 0
    typer.echo(f"Keys heard as tones in {len(known)} recordings, {sum(r.seconds for r in known):.0f} seconds.")
    typer.echo("Nothing was fitted to recordings: the limits are those of ITU-T Q.23 and Q.24.")
    for name, kinds in tables.items():
        right, total = sum(k["right"] for k in kinds.values()), sum(k["sequences"] for k in kinds.values())
        typer.echo(f"\n{name}: {right} of {total} sequences right ({right / max(total, 1):.1%})")
        for kind, figures in sorted(kinds.items()):
            false = f", {figures['false_keys']} false keys" if figures["false_keys"] else ""
            typer.echo(f"  {kind:<14} {figures['right']:>3} of {figures['sequences']:>3}{false}")
    return 0


def keys_in(sound: bytes) -> str:
    """What is heard in mu-law that comes in pieces of 100 ms."""
    detector, heard = KeyDetector(), ""
    for at in range(0, len(sound), _PIECE):
        told = detector.hear(sound[at : at + _PIECE], at // mulaw.BYTES_PER_MS)
        heard += "".join(tone.digit for tone in told)
    return heard


def _table(known: list[Recording], variation: str) -> dict[str, dict[str, int]]:
    kinds: dict[str, Counter[str]] = {}
    for recording in known:
        digits = str(recording.row.get("digits") or "").upper()
        heard = keys_in(mulaw.encode(varied(recording.samples, variation)))
        counts = kinds.setdefault(str(recording.row.get("kind") or "all"), Counter(right=0, sequences=0, false_keys=0))
        counts["sequences"] += 1
        counts["right"] += heard == digits
        counts["false_keys"] += sum((Counter(heard) - Counter(digits)).values())
    return {kind: dict(counts) for kind, counts in kinds.items()}
