"""Speech made on the spot by a program on this machine, for what the voice pack does not hold.

Each utterance is one run of the program: nothing of it lives in our process. espeak-ng is GPL-3, which is why it is an
optional extra (`pip install strowger[espeak]`) and is loaded by a child process only.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec

from app.errors import ProviderDown, ProviderRefused
from app.providers.offline import loudness

LIMIT_S = 10.0


@dataclass(frozen=True, slots=True)
class Synthesizer:
    """A command that reads text from its last argument and writes a WAV to its standard output."""

    name: str
    command: tuple[str, ...]

    def render(self, text: str) -> bytes:
        """Mu-law at 8000 Hz. Blocks; run it in a thread. Raises ProviderRefused or ProviderDown."""
        try:
            done = subprocess.run(  # noqa: S603  # the command is ours, the text is one argument of it
                [*self.command, text], stdin=subprocess.DEVNULL, capture_output=True, timeout=LIMIT_S, check=False
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise ProviderDown(f"{self.name} did not speak {text!r}: {error}") from error
        if done.returncode != 0:
            reason = done.stderr.decode(errors="replace").strip().splitlines()[-1:] or ["no reason given"]
            raise ProviderRefused(f"{self.name} could not speak {text!r}: {reason[0]}")
        return loudness.telephone(done.stdout)


def flite(voice: str = "slt", speed: float = 1.0) -> Synthesizer | None:
    """None when flite is not on PATH. `voice` must be one of flite's own: it would load any file or address."""
    found = shutil.which("flite")
    if found is None:
        return None
    pace = () if speed == 1.0 else ("--setf", f"duration_stretch={1 / speed:.3f}")
    return Synthesizer("flite", (found, "-voice", voice, *pace, "-o", "/dev/stdout", "-t"))


def espeak() -> Synthesizer | None:
    """None when the extra is not installed."""
    if find_spec("espeakng_loader") is None:
        return None
    return Synthesizer("espeak-ng", (sys.executable, "-m", "app.providers.offline.espeak"))


def available() -> Sequence[Synthesizer]:
    """Best first; possibly none."""
    return [synthesizer for synthesizer in (flite(), espeak()) if synthesizer is not None]
