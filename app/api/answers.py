"""What we say when there is nobody to talk to: sentences for the carrier's own voice, and TwiML as a response."""

from __future__ import annotations

from fastapi import Response

FULL = "Thank you for calling. All our lines are busy right now. Please call again in a few minutes. Goodbye."
BUSY = (
    "Thank you for calling. All our lines are busy. Please stay on the line: within a minute we will take your call, or"
    " offer to call you back."
)
STILL_BUSY = "Thank you for waiting. Please stay on the line."
TAKEN_OFF = "I am sorry, we called you at a bad moment for our own lines. We will try again another time. Goodbye."
DRAINING = "Thank you for calling. We are just changing over our system. Please call again in a minute. Goodbye."
NOT_OURS = "This number is not in service. Please check the number and call again. Goodbye."
ONE_MOMENT = "One moment please."
OUT_OF_ORDER = (
    "I am sorry, we cannot take your call because of a technical fault. Please call again in a few minutes. Goodbye."
)
RECONNECTING_FAILED = "I am sorry, we lost the connection to our assistant. Please call again. Goodbye."
UNCERTAIN = "I am sorry, I could not note that just now. Please call again in a few minutes. Goodbye."


def spoken(document: str) -> Response:
    """TwiML. Never kept by anything in between: it holds a token."""
    return Response(document, media_type="text/xml", headers={"Cache-Control": "no-store"})


def noted() -> Response:
    """The event is durable."""
    return Response(status_code=204)
