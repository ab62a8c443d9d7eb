"""Logs: no telephone number, no forged line."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator

import pytest

from app import logs, observe

PHONE = "+12025550111"


def test_T20_a_number_is_a_hash_and_its_last_two_digits() -> None:
    shown = observe.masked(PHONE)
    assert shown.endswith("..11")
    assert PHONE[1:8] not in shown
    assert observe.masked(PHONE) == shown
    assert observe.masked("+12025550211") != shown
    assert observe.masked("") == observe.masked(None) == "withheld"


@pytest.fixture
def restored_logging() -> Iterator[None]:
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = before, level


def test_T27_a_name_with_a_newline_cannot_forge_a_line(
    restored_logging: None, capsys: pytest.CaptureFixture[str]
) -> None:
    observe.configure("json")
    observe.log("test").warning("caller", name='eve\n{"level": "info", "event": "all is well"}')
    logging.getLogger("some.library").warning("first\nsecond")
    lines = capsys.readouterr().err.strip().splitlines()
    assert [json.loads(line)["said"] for line in lines] == ["caller", "first second"]


def test_secrets_in_paths_are_not_logged_by_the_server(
    restored_logging: None, capsys: pytest.CaptureFixture[str]
) -> None:
    observe.configure("json")
    logging.getLogger("uvicorn.error").info('127.0.0.1 - "WebSocket /twilio/media/s3cret" [accepted]')
    logging.getLogger("uvicorn.access").info('"POST /twilio/voice"')
    assert "s3cret" not in capsys.readouterr().err


@pytest.mark.parametrize("style", ["json", "console"])
def test_T20_a_traceback_tells_places_and_nothing_that_was_said(
    style: str, restored_logging: None, capsys: pytest.CaptureFixture[str]
) -> None:
    observe.configure(style)
    sentence = "my card is 4111"
    try:
        raise KeyError(f"{PHONE} said {sentence}")
    except KeyError:
        logging.getLogger("some.library").exception("a handler failed")
    written = capsys.readouterr().err
    assert "KeyError at test_observe.py:" in written
    assert PHONE[1:] not in written
    assert "card" not in written
    assert len(written.splitlines()) == 1


def test_T20_an_error_inside_a_task_group_is_told_by_its_own_place() -> None:
    assert logs.where(ExceptionGroup("unhandled", [ValueError("a name")])) == "ValueError"


def test_T20_a_number_given_as_a_value_is_not_written(
    restored_logging: None, capsys: pytest.CaptureFixture[str]
) -> None:
    observe.configure("json")
    sid = "CA" + "0123456789" * 3
    observe.log("test").info("call refused", caller=PHONE, call=sid)
    said = json.loads(capsys.readouterr().err)
    assert (said["caller"], said["call"]) == ("[number]", sid)
