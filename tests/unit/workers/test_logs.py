"""What a log line of the workers may hold."""

from __future__ import annotations

import json
import logging
import sys

from workers.logs import OneLine


def line(message: str, *, error: BaseException | None = None, as_json: bool = True) -> str:
    record = logging.LogRecord("workers", logging.INFO, "x.py", 1, message, (), None)
    if error is not None:
        try:
            raise error
        except type(error):
            record.exc_info = sys.exc_info()
    return OneLine(as_json=as_json).format(record)


def test_T20_numbers_of_people_and_texts_of_errors_are_not_written() -> None:
    written = line("no answer from +1 202-555-0111", error=ValueError("key (phone)=(+12025550111)"))
    entry = json.loads(written)
    del entry["at"]  # whose milliseconds may be any three digits
    assert "555" not in json.dumps(entry)
    assert entry["error"].startswith("ValueError at test_logs.py:")


def test_T27_a_line_break_in_a_message_starts_no_line() -> None:
    assert "\n" not in line('done\n{"level": "error"}', as_json=False)


def test_T20_a_traceback_inside_a_message_is_cut_off() -> None:
    assert "secret" not in line("Task failed\nTraceback (most recent call last):\n  secret")


def test_T20_the_text_of_an_error_is_not_written_when_a_library_repeats_it() -> None:
    error = ValueError("Ann asked for a visit")
    written = line(f"Task handler raised error: {error!r}", error=error)
    assert "Ann" not in written
    assert "Task handler raised error: ValueError" in written
