"""A server with live sockets is told to stop: nobody is cut off, newcomers are told, and it goes with the last call."""

from __future__ import annotations

import signal

import pytest

from .conftest import Server, hear_to_the_end, press_one_and_hear_the_goodbye, silence, spoken, verbs

pytestmark = [pytest.mark.integration, pytest.mark.realtime]


def test_F20_sigterm_with_live_calls_drops_none_refuses_new_ones_and_leaves_with_the_last(server: Server) -> None:
    lines = {sid: server.begin(sid) for sid in ("CA1", "CA2")}
    server.process.send_signal(signal.SIGTERM)
    while server.get("/health/ready").status_code != 503:
        pass
    refused = server.ring("CA3")
    assert refused.status_code == 200
    assert verbs(refused) == ["Say", "Hangup"]
    assert "call again" in spoken(refused)
    for sid, line in lines.items():
        silence(line, sid)
        assert server.process.poll() is None
        assert press_one_and_hear_the_goodbye(line, sid) == 1000
        assert verbs(server.post("/twilio/after-stream?stream=1", CallSid=sid)) == ["Hangup"]
    assert server.process.wait(timeout=60) == 0


@pytest.mark.parametrize("server", [0.2], indirect=True)
def test_F20_at_the_drain_limit_the_last_callers_hear_a_goodbye(server: Server) -> None:
    line = server.begin("CA1")
    server.process.send_signal(signal.SIGTERM)
    assert hear_to_the_end(line, "CA1") == 1000
    assert verbs(server.post("/twilio/after-stream?stream=1", CallSid="CA1")) == ["Hangup"]
    assert server.process.wait(timeout=60) == 0


def test_a_server_without_calls_leaves_at_once(server: Server) -> None:
    server.process.send_signal(signal.SIGTERM)
    assert server.process.wait(timeout=60) == 0
