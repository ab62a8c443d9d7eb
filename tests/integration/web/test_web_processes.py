"""Two processes behind one port: calls are spread over both, outlive the death of one, and are drained from both."""

from __future__ import annotations

import re
import signal
from collections.abc import Callable, Iterator

import psutil
import pytest
from websockets.protocol import State
from websockets.sync.client import ClientConnection

from app.settings import Settings

from .conftest import Server, press_one_and_hear_the_goodbye, serving, silence, spoken, verbs

pytestmark = [pytest.mark.integration, pytest.mark.realtime]

Eventually = Callable[..., None]


@pytest.fixture
def two(settings: Settings) -> Iterator[Server]:
    with serving(settings, processes=2) as server:
        yield server


def active(server: Server) -> float:
    """Of both: whichever answers."""
    found = re.search(r"^calls_active (\S+)$", server.get("/metrics").text, re.MULTILINE)
    assert found is not None
    return float(found[1])


def both_ready(server: Server) -> bool:
    """Requests that follow one another go to one process and then to the other."""
    return all(server.get("/health/ready").status_code == 200 for _ in range(4))


def end(server: Server, line: ClientConnection, sid: str) -> None:
    silence(line, sid)
    assert press_one_and_hear_the_goodbye(line, sid) == 1000
    assert verbs(server.post("/twilio/after-stream?stream=1", CallSid=sid)) == ["Hangup"]


def test_F21_a_process_that_dies_takes_no_call_with_it(two: Server, eventually: Eventually) -> None:
    eventually(lambda: both_ready(two))
    lines: dict[str, ClientConnection] = {}
    for sid in ("CA1", "CA2", "CA3", "CA4"):
        lines[sid] = two.begin(sid)
        eventually(lambda: active(two) == len(lines))  # told to both, which the next call is spread by
    psutil.Process(two.process.pid).children()[0].kill()

    def lost() -> list[str]:
        return [sid for sid, line in lines.items() if line.state is State.CLOSED]

    eventually(lambda: lost() and active(two) == 4 - len(lost()))
    assert len(lost()) < 4, "they had been spread"
    for sid in lost():
        again = two.post("/twilio/after-stream?stream=1", CallSid=sid)
        assert verbs(again) == ["Connect", "Redirect"]
        lines[sid] = two.stream(again, sid)
    for sid, line in lines.items():
        end(two, line, sid)
    eventually(lambda: both_ready(two))
    assert len(psutil.Process(two.process.pid).children()) == 2


def test_F20_sigterm_drains_every_process_and_they_leave_with_the_last_call(
    two: Server, eventually: Eventually
) -> None:
    eventually(lambda: both_ready(two))
    lines = {sid: two.begin(sid) for sid in ("CA1", "CA2")}
    two.process.send_signal(signal.SIGTERM)
    eventually(lambda: {two.get("/health/ready").status_code for _ in range(4)} == {503})
    refused = two.ring("CA3")
    assert refused.status_code == 200
    assert "call again" in spoken(refused)
    for sid, line in lines.items():
        assert two.process.poll() is None
        end(two, line, sid)
    assert two.process.wait(timeout=60) == 0
