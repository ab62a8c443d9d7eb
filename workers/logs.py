"""Log lines of the workers and the beat: one line each, without personal data (T20, T27).

Tasks carry ids only. What could still hold a number or a name is the text of a foreign exception, so its text is not
written at all: its type and the place in our code are.
"""

from __future__ import annotations

import json
import logging
import re
import sys
import traceback
from datetime import UTC, datetime
from typing import Any

_ALWAYS = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "taskName", "data"}
_LEADING = frozenset({"at", "level", "from", "said"})
_NUMBER = re.compile(r"\+?\d[\d\s().-]{6,}\d")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]+")


class OneLine(logging.Formatter):
    """`as_json` for machines; otherwise for a person at a terminal."""

    def __init__(self, *, as_json: bool) -> None:
        super().__init__()
        self._as_json = as_json

    def format(self, record: logging.LogRecord) -> str:
        said: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "from": record.name,
            "said": clean(record.getMessage()),
        }
        said |= {name: value for name, value in record.__dict__.items() if name not in _ALWAYS}
        if record.exc_info and record.exc_info[1]:
            said["error"] = where(record.exc_info[1])
        if self._as_json:
            return json.dumps(said, default=str)
        rest = " ".join(f"{name}={value}" for name, value in said.items() if name not in _LEADING)
        return f"{said['at'][11:23]} {said['level']:7} {said['from']}: {said['said']} {rest}".rstrip()


def clean(text: str) -> str:
    """One line, and nothing in it that looks like a telephone number."""
    return _CONTROL.sub(" ", _NUMBER.sub("[number]", text.partition("\nTraceback")[0]))


def where(error: BaseException) -> str:
    """The type of the error and where it was raised: never its text."""
    frames = traceback.extract_tb(error.__traceback__)
    place = f" at {frames[-1].filename.rpartition('/')[2]}:{frames[-1].lineno}" if frames else ""
    return f"{type(error).__name__}{place}"


def set_up(style: str) -> None:
    """`style` is "json" or "console"."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(OneLine(as_json=style == "json"))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO)
    for chatty in ("twilio.http_client", "urllib3", "kombu", "amqp", "celery.worker.strategy", "celery.app.trace"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
