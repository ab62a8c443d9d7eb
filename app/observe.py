"""Logs and metrics. Neither ever holds a telephone number, a name or a sentence: see `masked`.

Metric names are those of the observability contract with dots as underscores, as Prometheus wants them.
"""

from __future__ import annotations

import hashlib
import hmac
import logging
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager

from prometheus_client import Counter, Gauge, Histogram

from app import logs

# Per process: the same number is the same hash within one run of the logs and cannot be looked up afterwards.
_KEY = secrets.token_bytes(32)

UVICORN = ("uvicorn", "uvicorn.error", "uvicorn.access")
QUIET = (*UVICORN, "httpx", "httpx2", "twilio.http_client", "websockets")  # their lines name paths, which hold tokens

WEBHOOK_SECONDS = Histogram(
    "webhook_seconds",
    "Time to answer a carrier's webhook.",
    ["route", "status"],
    buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0),
)
WEBHOOKS_REPEATED = Counter("webhooks_repeated", "Webhooks that had been received before.", ["route"])
WEBHOOKS_REFUSED = Counter("webhooks_refused", "Webhooks and sockets that were not authentic.", ["route"])
CALLS_ACTIVE = Gauge("calls_active", "Calls that hold a seat now.", multiprocess_mode="livesum")
CALLS_ADMITTED = Counter("calls_admitted", "Calls that were given a seat.")
CALLS_SHED = Counter("calls_shed", "Calls answered with a spoken refusal or sent elsewhere.", ["reason"])
SEATS_REFUSED = Counter("seats_refused", "Calls not placed for want of a seat.", ["reason"])
CALLS_QUEUED = Counter("calls_queued", "Calls asked to wait for a seat, each once.")
CALLS_ENDED = Counter("calls_ended", "Conversations by the reason they ended.", ["reason"])
CALLS_RESUMED = Counter("calls_resumed", "Media streams opened again after one was lost.")
CALL_SETUP_SECONDS = Histogram(
    "call_setup_seconds", "From the ring to the media stream.", buckets=(0.1, 0.25, 0.5, 1, 2, 4, 8, 16)
)
DRAIN_REMAINING = Gauge("drain_remaining", "Calls a draining process still waits for.", multiprocess_mode="livesum")
OPT_OUTS = Counter("opt_outs", "Opt-outs taken outside a conversation, by channel.", ["channel"])
DIAL_DECISIONS = Counter("dial_decisions", "What the gate said to an outbound call.", ["decision", "rule"])
LOG_LINES_DROPPED = Counter("log_lines_dropped", "Lines of the log that could not be written, as to a full disk.")
RECORDINGS_LOST = Counter("recordings_lost", "Calls whose sound was to be kept and could not be written.")
STORE_FAILURES = Counter("store_failures", "Webhooks that could not be made durable.", ["route"])
LOOP_LAG_SECONDS = Histogram(
    "event_loop_lag_seconds", "How late the event loop ran a timer.", buckets=(0.001, 0.005, 0.02, 0.05, 0.1, 0.5, 2)
)
LOOP_LAG_P99_SECONDS = Gauge(
    "event_loop_lag_p99_seconds", "The worst of the processes, over some seconds.", multiprocess_mode="livemax"
)
LOOP_BLOCKED = Counter("event_loop_blocked", "Times the event loop stood still for half a second.")
PHRASES_BYTES = Gauge(
    "phrases_bytes", "Sound of lines kept in memory for being said again.", multiprocess_mode="livesum"
)
CALL_SHARE = Gauge("call_core_share", "What a call costs: share of a core.", multiprocess_mode="livemax")


def configure(style: str, level: int = logging.INFO) -> None:
    """`style` is "json" or "console". Everything logged by libraries goes through the same writer."""
    logs.set_up(style, level=level, quiet=QUIET, dropped=LOG_LINES_DROPPED.inc)
    for name in UVICORN:
        logging.getLogger(name).handlers.clear()


def log(name: str) -> logs.Log:
    return logs.Log(name)


def masked(phone: str | None) -> str:
    """A telephone number for a log line: a keyed hash and the last two digits, or "withheld"."""
    if not phone:
        return "withheld"
    digest = hmac.new(_KEY, phone.encode(), hashlib.sha256).hexdigest()[:10]
    return f"{digest}..{phone[-2:]}"


@contextmanager
def timed(histogram: Histogram) -> Iterator[None]:
    began = time.perf_counter()
    try:
        yield
    finally:
        histogram.observe(time.perf_counter() - began)
