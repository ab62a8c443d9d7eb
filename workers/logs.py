"""Log lines of the workers and the beat."""

from __future__ import annotations

from app import logs
from app.logs import OneLine, clean, where

__all__ = ["OneLine", "clean", "set_up", "where"]

CHATTY = ("twilio.http_client", "urllib3", "kombu", "amqp", "celery.worker.strategy", "celery.app.trace")


def set_up(style: str) -> None:
    """`style` is "json" or "console"."""
    logs.set_up(style, quiet=CHATTY)
