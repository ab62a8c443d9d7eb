"""A server with live sockets is told to stop: nobody is cut off, newcomers are told, and it goes with the last call."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import httpx2
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from app.settings import Settings
from app.telephony.signature import sign

from .conftest import ACCOUNT, BUSINESS, CALLER, PUBLIC, TOKEN, spoken, stream_of, verbs

pytestmark = [pytest.mark.integration, pytest.mark.realtime]


@dataclass
class Server:
    process: subprocess.Popen[bytes]
    port: int

    def post(self, path: str, **form: str) -> httpx2.Response:
        body = {"AccountSid": ACCOUNT, **form}
        headers = {
            "X-Twilio-Signature": sign(TOKEN, PUBLIC + path, body.items()),
            "Content-Type": "application/x-www-form-urlencoded",
        }
        return httpx2.post(f"http://127.0.0.1:{self.port}{path}", content=urlencode(body), headers=headers, timeout=10)

    def get(self, path: str) -> httpx2.Response:
        return httpx2.get(f"http://127.0.0.1:{self.port}{path}", timeout=10)

    def ring(self, sid: str) -> httpx2.Response:
        return self.post("/twilio/voice", CallSid=sid, From=CALLER, To=BUSINESS, Direction="inbound")

    def begin(self, sid: str) -> ClientConnection:
        """A call whose stream is open and whose greeting has begun."""
        url, parameters = stream_of(self.ring(sid))
        path = urlsplit(url).path
        signature = {"X-Twilio-Signature": sign(TOKEN, PUBLIC.replace("https", "wss") + path)}
        line = connect(f"ws://127.0.0.1:{self.port}{path}", additional_headers=signature)
        start = {"accountSid": ACCOUNT, "callSid": sid, "streamSid": f"MZ{sid}", "customParameters": parameters}
        send(line, sid, "start", start=start)
        hear(line, sid, marks=2)
        return line


def send(line: ClientConnection, sid: str, event: str, **body: object) -> None:
    line.send(json.dumps({"event": event, "streamSid": f"MZ{sid}", "sequenceNumber": "1", **body}))


def hear(line: ClientConnection, sid: str, marks: int) -> None:
    """Echoes marks, so many of them; raises ConnectionClosed when the line is closed before."""
    while marks:
        frame = json.loads(line.recv(timeout=10))
        if frame["event"] == "mark":
            send(line, sid, "mark", mark=frame["mark"])
            marks -= 1


def press_one_and_hear_the_goodbye(line: ClientConnection, sid: str) -> int:
    """Returns the code the socket was closed with."""
    send(line, sid, "dtmf", dtmf={"track": "inbound_track", "digit": "1"})
    return hear_to_the_end(line, sid)


def hear_to_the_end(line: ClientConnection, sid: str) -> int:
    with pytest.raises(ConnectionClosed) as closed:
        hear(line, sid, marks=1000)
    assert closed.value.rcvd is not None
    return closed.value.rcvd.code


def silence(line: ClientConnection, sid: str) -> None:
    """One frame, as comes every 20 ms while a call is up."""
    send(line, sid, "media", media={"track": "inbound", "chunk": "1", "timestamp": "20", "payload": "/" * 216})


@pytest.fixture
def server(settings: Settings, request: pytest.FixtureRequest) -> Iterator[Server]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    assert settings.database_url is not None
    env = {
        **os.environ,
        "STROWGER_PUBLIC_URL": PUBLIC,
        "TWILIO_ACCOUNT_SID": ACCOUNT,
        "TWILIO_AUTH_TOKEN": TOKEN,
        "DATABASE_URL": settings.database_url.get_secret_value(),
        "STROWGER_LOG": "json",
        "STROWGER_DRAIN_LIMIT_S": str(getattr(request, "param", 60)),
    }
    script = Path(__file__).with_name("scripted_server.py")
    process = subprocess.Popen([sys.executable, str(script), str(port)], env=env)
    try:
        deadline = time.monotonic() + 30
        while True:
            try:
                if httpx2.get(f"http://127.0.0.1:{port}/health/ready").status_code == 200:
                    break
            except httpx2.TransportError:
                assert process.poll() is None, "the server did not start"
                assert time.monotonic() < deadline, "the server did not get ready"
                time.sleep(0.05)
        yield Server(process, port)
    finally:
        process.kill()
        process.wait()


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
    assert server.process.wait(timeout=10) == 0


@pytest.mark.parametrize("server", [0.2], indirect=True)
def test_F20_at_the_drain_limit_the_last_callers_hear_a_goodbye(server: Server) -> None:
    line = server.begin("CA1")
    server.process.send_signal(signal.SIGTERM)
    assert hear_to_the_end(line, "CA1") == 1000
    assert verbs(server.post("/twilio/after-stream?stream=1", CallSid="CA1")) == ["Hangup"]
    assert server.process.wait(timeout=10) == 0


def test_a_server_without_calls_leaves_at_once(server: Server) -> None:
    server.process.send_signal(signal.SIGTERM)
    assert server.process.wait(timeout=5) == 0
