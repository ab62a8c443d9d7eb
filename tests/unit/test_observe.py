"""Logs: no telephone number, no forged line."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator

import pytest

from app import observe

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
    assert [json.loads(line)["event"] for line in lines] == ["caller", "first\\nsecond"]


def test_secrets_in_paths_are_not_logged_by_the_server(
    restored_logging: None, capsys: pytest.CaptureFixture[str]
) -> None:
    observe.configure("json")
    logging.getLogger("uvicorn.error").info('127.0.0.1 - "WebSocket /twilio/media/s3cret" [accepted]')
    logging.getLogger("uvicorn.access").info('"POST /twilio/voice"')
    assert "s3cret" not in capsys.readouterr().err
