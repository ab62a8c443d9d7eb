"""Log lines of every process: one line each, without personal data (T20, T27).

What could hold a number, a name or a sentence is the text of a foreign exception and the values around it, so neither
is written at all: the type of an error and the places it came through are.
"""

from __future__ import annotations

import json
import logging
import re
import sys
import traceback
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import TextIO

# What the logging library itself puts into a record; everything else was given as `extra`.
_ALWAYS = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "taskName", "data", "fields"}
_LEADING = frozenset({"at", "level", "from", "said"})
_NUMBER = re.compile(r"\+?\d[\d\s().-]{6,}\d")
_E164 = re.compile(r"\+\d{7,15}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_PLACES = 3


class OneLine(logging.Formatter):
    """`as_json` for machines; otherwise for a person at a terminal."""

    def __init__(self, *, as_json: bool) -> None:
        super().__init__()
        self._as_json = as_json

    def format(self, record: logging.LogRecord) -> str:
        said: dict[str, object] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "from": record.name,
            "said": clean(_without_words_of(record)),
        }
        given = {name: value for name, value in record.__dict__.items() if name not in _ALWAYS}
        given |= getattr(record, "fields", {})
        said |= {name: _shown(value) for name, value in given.items() if name not in _LEADING}
        if record.exc_info and record.exc_info[1]:
            said["error"] = where(record.exc_info[1])
        if self._as_json:
            return json.dumps(said, default=str)
        rest = " ".join(f"{name}={value}" for name, value in said.items() if name not in _LEADING)
        return f"{str(said['at'])[11:23]} {said['level']:7} {said['from']}: {said['said']} {rest}".rstrip()


class Log:
    """A logger that takes what belongs to the line by name: `log.info("call refused", reason="full")`."""

    def __init__(self, name: str) -> None:
        self._logger = logging.getLogger(name)

    def info(self, said: str, **fields: object) -> None:
        self._logger.info(said, extra={"fields": fields})

    def warning(self, said: str, **fields: object) -> None:
        self._logger.warning(said, extra={"fields": fields})

    def error(self, said: str, **fields: object) -> None:
        self._logger.error(said, extra={"fields": fields})


def clean(text: str) -> str:
    """One line, and nothing in it that looks like a telephone number."""
    return _CONTROL.sub(" ", _NUMBER.sub("[number]", text.partition("\nTraceback")[0]))


def where(error: BaseException) -> str:
    """The type of the error and the last places it came through, innermost first: never its text."""
    if isinstance(error, BaseExceptionGroup):
        return "; ".join(where(one) for one in error.exceptions)
    frames = traceback.extract_tb(error.__traceback__)[-_PLACES:]
    places = ", ".join(f"{frame.filename.rpartition('/')[2]}:{frame.lineno}" for frame in reversed(frames))
    return f"{type(error).__name__} at {places}" if places else type(error).__name__


class Unfailing(logging.StreamHandler[TextIO]):
    """A line that cannot be written, as to a full disk, is dropped and counted; the next one is tried again (F24)."""

    def __init__(self, stream: TextIO, dropped: Callable[[], None]) -> None:
        super().__init__(stream)
        self._dropped = dropped

    def handleError(self, record: logging.LogRecord) -> None:
        if isinstance(sys.exception(), OSError):
            self._dropped()
        else:
            super().handleError(record)


def set_up(
    style: str,
    *,
    level: int = logging.INFO,
    quiet: Iterable[str] = (),
    dropped: Callable[[], None] = lambda: None,
) -> None:
    """Everything logged in this process goes through here. `style` is "json" or "console"; of the `quiet` libraries
    only warnings are kept. `dropped` is called for each line that could not be written."""
    handler = Unfailing(sys.stderr, dropped)
    handler.setFormatter(OneLine(as_json=style == "json"))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name in quiet:
        logging.getLogger(name).setLevel(logging.WARNING)


def _without_words_of(record: logging.LogRecord) -> str:
    """The message. Some libraries put the text of an exception into it as well."""
    words = str(record.exc_info[1]) if record.exc_info else ""
    return record.getMessage().replace(words, "...") if words else record.getMessage()


def _shown(value: object) -> object:
    """Identifiers may hold many digits; a telephone number is told by its plus sign."""
    return _CONTROL.sub(" ", _E164.sub("[number]", value)) if isinstance(value, str) else value
