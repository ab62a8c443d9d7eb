"""`python -m app.providers.offline.espeak TEXT`: speaks with espeak-ng, as a WAV on standard output.

A program of its own, run as a child process: the GPL-3 library it loads never enters ours.
"""

from __future__ import annotations

import ctypes
import io
import sys
import wave

SYNCHRONOUS = 2
UTF8 = 1
CHARACTERS = 1  # position type
WORDS_PER_MINUTE = 160
RATE = 1  # parameter number


def speak(text: str, voice: str = "en-us") -> bytes:
    """A WAV, 16 bits mono. Raises RuntimeError when the library is unusable."""
    import espeakng_loader

    library = ctypes.CDLL(espeakng_loader.get_library_path())
    rate = library.espeak_Initialize(SYNCHRONOUS, 0, espeakng_loader.get_data_path().encode(), 0)
    if rate <= 0 or library.espeak_SetVoiceByName(voice.encode()) != 0:
        raise RuntimeError(f"espeak-ng has no voice {voice!r}")
    pieces: list[bytes] = []

    def take(samples: int | None, count: int, _events: int) -> int:
        if samples and count > 0:
            pieces.append(ctypes.string_at(samples, 2 * count))
        return 0

    callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p)(take)
    library.espeak_SetSynthCallback(callback)
    library.espeak_SetParameter(RATE, WORDS_PER_MINUTE, 0)
    said = text.encode() + b"\0"
    if library.espeak_Synth(said, ctypes.c_size_t(len(said)), 0, CHARACTERS, 0, UTF8, None, None) != 0:
        raise RuntimeError("espeak-ng failed")
    library.espeak_Synchronize()
    return _wav(b"".join(pieces), rate)


def _wav(pcm: bytes, rate: int) -> bytes:
    made = io.BytesIO()
    with wave.open(made, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(rate)
        out.writeframes(pcm)
    return made.getvalue()


if __name__ == "__main__":
    sys.stdout.buffer.write(speak(" ".join(sys.argv[1:])))
