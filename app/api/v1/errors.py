"""What only a request can do wrong. Everything else an endpoint raises is of app/errors.py."""

from __future__ import annotations

from app.errors import BadInput, Conflict, Refused


class NotSignedIn(Refused):
    """No token or key, or one that does not hold: 401."""

    code = "not_signed_in"


class NotAllowed(Refused):
    """Known, and not entitled: 403. For things of another workspace it is NotFound instead."""

    code = "not_allowed"


class BadCursor(BadInput):
    """422: a cursor we did not give out, or gave out for another list."""

    code = "bad_cursor"


class Invalid(BadInput):
    """422 with the fields at fault: what validation beyond the shape of a body found."""

    code = "invalid"

    def __init__(self, message: str, *, fields: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.fields = fields or {}


class Changed(Refused):
    """412: somebody changed it since it was read."""

    code = "changed"


class SameKeyOtherRequest(Conflict):
    """409: an Idempotency-Key that was used for another request."""

    code = "idempotency_key_reused"


class StillRunning(Conflict):
    """409: the same request is under way, or was cut off; nobody knows its end yet."""

    code = "idempotency_key_pending"


class HeldElsewhere(Conflict):
    """409: the call goes on in a process that cannot be reached from this one for what was asked."""

    code = "held_elsewhere"


class TooMany(Refused):
    """429. `after_s` says when to come again."""

    code = "too_many_requests"

    def __init__(self, message: str, *, after_s: float) -> None:
        super().__init__(message)
        self.after_s = after_s
