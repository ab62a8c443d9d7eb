"""The life of a campaign: a draft is launched, runs, may be paused and go on, and ends for good."""

from __future__ import annotations

from enum import StrEnum

from app.errors import Conflict


class State(StrEnum):
    DRAFT = "draft"
    RUNNING = "running"
    PAUSED = "paused"
    ENDED = "ended"


class Deed(StrEnum):
    LAUNCH = "launch"
    PAUSE = "pause"
    RESUME = "resume"
    END = "end"


_AFTER = {
    (State.DRAFT, Deed.LAUNCH): State.RUNNING,
    (State.RUNNING, Deed.PAUSE): State.PAUSED,
    (State.PAUSED, Deed.RESUME): State.RUNNING,
    (State.DRAFT, Deed.END): State.ENDED,
    (State.RUNNING, Deed.END): State.ENDED,
    (State.PAUSED, Deed.END): State.ENDED,
}


def after(state: State, deed: Deed) -> State:
    """Raises Conflict for a deed that this state does not allow."""
    try:
        return _AFTER[state, deed]
    except KeyError:
        raise Conflict(f"A campaign that is {state} cannot be asked to {deed}.") from None


def between_dials_s(calls_per_minute: int) -> float:
    """Evenly spread: nobody's line is busy because three were dialled at once."""
    return 60.0 / calls_per_minute
