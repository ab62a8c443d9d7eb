"""What a bad day at the telephone company looks like, as knobs. Every choice is made by a seeded generator."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Faults:
    """None of it by default.

    duplicate_callbacks     extra copies of every status callback
    late_callbacks_ms       each callback waits 0 to this long, so they also arrive out of order
    lost_stop               a stream ends without `stop`: the connection just breaks
    reset_socket_after_ms   the media socket breaks this long after the stream began; the call goes on
    freeze_socket_after_ms  from then on nothing is sent or read on the media socket, which stays open
    slow_read_ms            from and to which ms of the stream its socket is read at `slow_read` of real time
    burst                   this many frames are held back now and then, and arrive together
    jitter_ms               every frame is 0 to this late, in order
    handshake_delay_ms      the media socket is opened this much later
    echo_ms                 what the person hears comes back in their own sound so much later, `echo_db` as loud
    """

    duplicate_callbacks: int = 0
    late_callbacks_ms: int = 0
    lost_stop: bool = False
    reset_socket_after_ms: int | None = None
    freeze_socket_after_ms: int | None = None
    slow_read_ms: tuple[int, int] | None = None
    slow_read: float = 0.25
    burst: int = 0
    jitter_ms: int = 0
    handshake_delay_ms: int = 0
    echo_ms: int = 0
    echo_db: float = -20.0
    seed: int = 0


NONE = Faults()
