"""Keeps one Celery worker alive: starts it, watches its pulse, replaces it when it has died or fallen silent."""

from __future__ import annotations

import logging
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping
from uuid import uuid4

from app.errors import ServiceNotStarted
from workers.broker import Broker
from workers.limits import TASK_LIMIT_S
from workers.liveness import PATIENCE_S, PROBE_EVERY_S, Prober, Pulse
from workers.stop import Stop

log = logging.getLogger(__name__)

LOOK_EVERY_S = 0.5
FIRST_PAUSE_S, LONGEST_PAUSE_S = 1.0, 30.0  # between restarts; doubled while workers die young
YOUNG_S = 60.0
GOODBYE_S = TASK_LIMIT_S + 10.0  # a worker that was asked to stop finishes its jobs first


class Supervisor:
    """`command` is what to run for a node's name; `environment` is added to our own for it."""

    def __init__(
        self,
        command: Callable[[str], tuple[str, ...]],
        environment: Mapping[str, str],
        broker: Broker,
        *,
        probe_every_s: float = PROBE_EVERY_S,
        patience_s: float = PATIENCE_S,
    ) -> None:
        self._command = command
        self._environment = dict(os.environ) | dict(environment)
        self._broker = broker
        self._probe_every_s = probe_every_s
        self._patience_s = patience_s
        self._stop = Stop()

    def stop(self) -> None:
        """From another thread: as SIGTERM does."""
        self._stop.ask()

    def run(self) -> None:
        """Returns after a stop was asked for."""
        self._stop.on_signals()
        pause = FIRST_PAUSE_S
        while not self._stop.asked:
            born = time.monotonic()
            self._live()
            if time.monotonic() - born >= YOUNG_S:
                pause = FIRST_PAUSE_S
            if self._stop.wait(pause):
                return
            pause = min(2 * pause, LONGEST_PAUSE_S)

    def _live(self) -> None:
        """One worker from start to end."""
        node = f"{socket.gethostname()}-{uuid4().hex[:8]}"
        worker = subprocess.Popen(self._command(node), env=self._environment)  # noqa: S603 - our own command
        log.info("worker started", extra={"node": node, "pid": worker.pid})
        try:
            self._watch(worker, Prober(node, self._broker))
        finally:
            self._end(worker)

    def _watch(self, worker: subprocess.Popen[bytes], prober: Prober) -> None:
        """Returns when the worker is gone, silent for too long, or no longer wanted."""
        now = time.monotonic()
        pulse, next_probe = Pulse(alive_at=now), now
        while not self._stop.wait(LOOK_EVERY_S):
            if worker.poll() is not None:
                log.warning("worker ended", extra={"status": worker.returncode})
                return
            if (now := time.monotonic()) < next_probe:
                continue
            pulse, next_probe = pulse.looked(now, prober.look()), now + self._probe_every_s
            if pulse.silent(now, self._patience_s):
                log.error("worker reached but silent: replacing it", extra={"pid": worker.pid})
                worker.kill()
                return

    def _end(self, worker: subprocess.Popen[bytes]) -> None:
        """A worker killed here takes its pool along: each child asked the kernel for that."""
        if worker.poll() is None:
            worker.send_signal(signal.SIGTERM)
        try:
            worker.wait(GOODBYE_S)
        except subprocess.TimeoutExpired:
            worker.kill()
            try:
                worker.wait(5)
            except subprocess.TimeoutExpired:
                raise ServiceNotStarted(f"worker {worker.pid} cannot be ended") from None
