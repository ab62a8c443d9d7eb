"""`python -m app.providers.offline.build_pack`: renders the voice pack. For developers; needs flite on PATH.

Says every part of every playbook in app/playbooks, and the small words of `vocabulary`.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from app.dialog.playbook import parse
from app.providers.offline import synthesis, vocabulary, voice_pack
from app.providers.offline.clips import key, write
from app.providers.offline.synthesis import Synthesizer


def playbook_parts(folder: Path) -> set[str]:
    """Raises BadPlaybook."""
    books = sorted(folder.glob("*.yaml"))
    return {part for book in books for part in parse(book.read_text(encoding="utf-8"), book.name).spoken_parts()}


def render(texts: Iterable[str], synthesizer: Synthesizer) -> dict[str, bytes]:
    """One clip for each text that sounds different. A text without an end is spoken as one that goes on."""
    by_key = {key(text): text for text in sorted(texts) if key(text)}
    spoken = [text if text[-1] in ".?!" else f"{text.rstrip(',')}," for text in by_key.values()]
    with ThreadPoolExecutor(os.cpu_count()) as threads:
        return dict(zip(by_key.values(), threads.map(synthesizer.render, spoken), strict=True))


def main() -> int:
    synthesizer = synthesis.flite(voice_pack.SPEAKER)
    if synthesizer is None:
        print("flite is not on PATH; install it (Debian: apt install flite) to build the voice pack", file=sys.stderr)  # noqa: T201
        return 1
    parts = playbook_parts(voice_pack.default_path().parent.parent) | set(vocabulary.fragments())
    clips = render(parts, synthesizer)
    path = voice_pack.default_path()
    path.parent.mkdir(parents=True, exist_ok=True)
    write(path, clips)
    print(f"{path}: {len(clips)} clips, {path.stat().st_size / 1e6:.1f} MB")  # noqa: T201
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
