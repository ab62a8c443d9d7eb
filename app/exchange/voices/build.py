"""`python -m app.exchange.voices.build`: records the callers' sayings. For developers; needs flite on PATH."""

from __future__ import annotations

import os
import sys
from concurrent.futures import ThreadPoolExecutor

from app.exchange import voices
from app.providers.offline import clips, synthesis


def main() -> int:
    sayings = {text for lines in voices.sayings().values() for text in lines}
    texts = sorted(sayings | {*voices.halves(), *voices.listening()})
    for voice in voices.voices():
        synthesizer = synthesis.flite(voice)
        if synthesizer is None:
            print("flite is not on PATH; install it (Debian: apt install flite) to record callers", file=sys.stderr)  # noqa: T201
            return 1
        with ThreadPoolExecutor(os.cpu_count()) as threads:
            recorded = dict(zip(texts, threads.map(synthesizer.render, texts), strict=True))
        path = voices.folder() / f"{voice}.zip"
        clips.write(path, recorded)
        print(f"{path}: {len(recorded)} clips, {path.stat().st_size / 1e6:.1f} MB")  # noqa: T201
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
