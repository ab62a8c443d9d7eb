"""The whole web process against a real database, with scripted speech and a carrier that signs what it sends."""

from __future__ import annotations

import base64
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Semaphore
from typing import Self
from urllib.parse import urlencode, urlsplit
from uuid import UUID
from xml.etree import ElementTree

import httpx2
import psutil
import psycopg
import pytest
from starlette.testclient import TestClient, WebSocketTestSession
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from app.api.conversations import Host
from app.api.records import Records
from app.api.switchboard import Switchboard
from app.api.wire import Wire
from app.main import create_app
from app.settings import Settings, load
from app.store.calls import CallRow
from app.store.connect import Database
from app.telephony.signature import sign

from .scripted_server import ScriptedStudio

PUBLIC = "https://calls.example.com"
TOKEN = "0123456789abcdef0123456789abcdef"
ACCOUNT = "AC" + "0" * 31 + "1"
CALLER, BUSINESS = "+12025550111", "+12025550100"


class Watched:
    """Conversations whose end can be waited for: the test's socket would otherwise cancel what is still being kept."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self.over = Semaphore(0)

    @property
    def ready(self) -> bool:
        return self._host.ready

    async def __aenter__(self) -> Self:
        await self._host.__aenter__()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._host.__aexit__(*exc)

    def expect(self, playbook: str, call: CallRow) -> None:
        self._host.expect(playbook, call)

    async def hold(self, wire: Wire, call: CallRow, token: str) -> str:
        try:
            return await self._host.hold(wire, call, token)
        finally:
            self.over.release()


@dataclass
class Twilio:
    """Sends what the carrier sends, signed as the carrier signs it: over the configured address."""

    client: TestClient
    studio: ScriptedStudio
    watched: Watched
    token: str = TOKEN

    def post(self, path: str, /, *, signed_as: str | None = None, **form: str) -> httpx2.Response:
        body = {"AccountSid": ACCOUNT, "ApiVersion": "2010-04-01", **form}
        signature = signed_as if signed_as is not None else sign(self.token, PUBLIC + path, body.items())
        headers = {"X-Twilio-Signature": signature, "Content-Type": "application/x-www-form-urlencoded"}
        return self.client.post(path, content=urlencode(body), headers=headers)

    def ring(self, sid: str = "CA1", /, path: str = "/twilio/voice", **form: str) -> httpx2.Response:
        usual = {"CallSid": sid, "From": CALLER, "To": BUSINESS, "Direction": "inbound", "CallStatus": "ringing"}
        return self.post(path, **{**usual, **form})

    def status(self, sid: str, status: str, sequence: int, **form: str) -> httpx2.Response:
        usual = {"CallSid": sid, "CallStatus": status, "SequenceNumber": str(sequence), "From": CALLER, "To": BUSINESS}
        return self.post("/twilio/status", **{**usual, **form})

    def open_stream(self, path: str, *, signature: str | None = None) -> AbstractContextManager[WebSocketTestSession]:
        url = "wss" + PUBLIC.removeprefix("https") + path
        signed = sign(self.token, url) if signature is None else signature
        return self.client.websocket_connect(path, headers={"X-Twilio-Signature": signed})

    @contextmanager
    def stream(self, answer: httpx2.Response, sid: str = "CA1") -> Iterator[Stream]:
        """The media stream the TwiML asks for, started."""
        url, parameters = stream_of(answer)
        with self.open_stream(urlsplit(url).path) as socket:
            stream = Stream(socket, sid)
            stream.start(parameters)
            yield stream
            socket.close(1006)
            assert self.watched.over.acquire(timeout=60)


@dataclass
class Stream:
    """The carrier's end of a media socket. Echoes marks at once: everything is heard as soon as it is sent."""

    socket: WebSocketTestSession
    call_sid: str
    sid: str = "MZ1"

    def send(self, event: str, **body: object) -> None:
        self.socket.send_text(json.dumps({"event": event, "streamSid": self.sid, **body}))

    def start(self, parameters: dict[str, str], **changes: str) -> None:
        self.socket.send_text('{"event": "connected", "protocol": "Call", "version": "1.0.0"}')
        start = {
            "accountSid": ACCOUNT,
            "callSid": self.call_sid,
            "streamSid": self.sid,
            "tracks": ["inbound"],
            "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1},
            "customParameters": parameters,
            **changes,
        }
        self.send("start", sequenceNumber="1", start=start)

    def listen(self, marks: int = 1) -> int:
        """Bytes of audio until so many marks came."""
        heard = 0
        while marks:
            message = json.loads(self.socket.receive_text())
            if message["event"] == "media":
                heard += len(base64.b64decode(message["media"]["payload"]))
            elif message["event"] == "mark":
                self.send("mark", sequenceNumber="2", mark=message["mark"])
                marks -= 1
        return heard

    def press(self, digit: str) -> None:
        self.send("dtmf", sequenceNumber="3", dtmf={"track": "inbound_track", "digit": digit})

    def until_closed(self) -> int:
        """Listens to the end; the code the socket was closed with."""
        while True:
            message = self.socket.receive()
            if message["type"] == "websocket.close":
                return int(message["code"])
            if message["type"] == "websocket.send":
                frame = json.loads(message["text"])
                if frame["event"] == "mark":
                    self.send("mark", sequenceNumber="2", mark=frame["mark"])

    def hang_up(self) -> None:
        self.send("stop", sequenceNumber="9", stop={"accountSid": ACCOUNT, "callSid": self.call_sid})


def stream_of(answer: httpx2.Response) -> tuple[str, dict[str, str]]:
    """URL and parameters of the <Stream> in an answer."""
    root = ElementTree.fromstring(answer.text)
    stream = root.find("Connect/Stream")
    assert stream is not None, answer.text
    return stream.attrib["url"], {p.attrib["name"]: p.attrib["value"] for p in stream}


def verbs(answer: httpx2.Response) -> list[str]:
    return [child.tag for child in ElementTree.fromstring(answer.text)]


def asked_next(answer: httpx2.Response) -> str:
    """The path the carrier asks after this document."""
    redirect = ElementTree.fromstring(answer.text).find("Redirect")
    assert redirect is not None, answer.text
    return (redirect.text or "").removeprefix(PUBLIC)


def spoken(answer: httpx2.Response) -> str:
    return " ".join(say.text or "" for say in ElementTree.fromstring(answer.text).iter("Say"))


@pytest.fixture
def settings(postgres_url: str, workspace: UUID, tmp_path: Path) -> Settings:
    return load(
        public_url=PUBLIC,
        twilio_account_sid=ACCOUNT,
        twilio_auth_token=TOKEN,
        database_url=postgres_url,
        redis_url="redis://127.0.0.1:1/0",
        data_dir=tmp_path,
        max_calls=3,
        log="json",
    )


Running = Callable[[Settings], AbstractContextManager[Twilio]]


@pytest.fixture
def running() -> Running:
    @contextmanager
    def run(settings: Settings) -> Iterator[Twilio]:
        studio = ScriptedStudio()
        watched: list[Watched] = []

        def hosting(settings: Settings, records: Records, board: Switchboard) -> Watched:
            watched.append(Watched(Host(records, board, studio, account_sid=settings.twilio_account_sid)))
            return watched[-1]

        app = create_app(settings, hosting=hosting)
        with TestClient(app, base_url="http://internal:8000", raise_server_exceptions=False) as client:
            yield Twilio(client, studio, watched[-1])

    return run


@pytest.fixture
def twilio(settings: Settings, running: Running) -> Iterator[Twilio]:
    with running(settings) as one:
        yield one


@pytest.fixture
def rows(postgres_url: str) -> Callable[..., list[tuple[object, ...]]]:
    """Looks into the database as its owner."""

    def look(query: str) -> list[tuple[object, ...]]:
        with psycopg.connect(postgres_url, autocommit=True) as db:
            return db.execute(query).fetchall()

    return look


@pytest.fixture
def outage(postgres_url: str) -> Callable[[], AbstractContextManager[None]]:
    """While inside, nobody can connect to the database and every connection to it is cut."""
    server, _, name = postgres_url.rpartition("/")

    @contextmanager
    def down() -> Iterator[None]:
        with psycopg.connect(f"{server}/postgres", autocommit=True) as owner:
            owner.execute(f'alter database "{name}" allow_connections false')
            owner.execute("select pg_terminate_backend(pid) from pg_stat_activity where datname = %s", (name,))
            try:
                yield
            finally:
                owner.execute(f'alter database "{name}" allow_connections true')

    return down


@pytest.fixture
def store(database: Database) -> Database:
    return database


# --- a server process of its own ---


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
        return httpx2.post(f"http://127.0.0.1:{self.port}{path}", content=urlencode(body), headers=headers, timeout=60)

    def get(self, path: str) -> httpx2.Response:
        return httpx2.get(f"http://127.0.0.1:{self.port}{path}", timeout=60)

    def ring(self, sid: str) -> httpx2.Response:
        return self.post("/twilio/voice", CallSid=sid, From=CALLER, To=BUSINESS, Direction="inbound")

    def begin(self, sid: str) -> ClientConnection:
        """A call whose stream is open and whose greeting has begun."""
        return self.stream(self.ring(sid), sid)

    def stream(self, answer: httpx2.Response, sid: str) -> ClientConnection:
        """The stream the TwiML asks for, open, with the first words on the way."""
        url, parameters = stream_of(answer)
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
        frame = json.loads(line.recv(timeout=60))
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
    """Listens on a free port; the fixture's parameter is the drain limit in seconds."""
    with serving(settings, drain_limit_s=getattr(request, "param", 60)) as one:
        yield one


@contextmanager
def serving(settings: Settings, *, drain_limit_s: float = 60, processes: int = 1, **more: str) -> Iterator[Server]:
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
        "STROWGER_DRAIN_LIMIT_S": str(drain_limit_s),
        **more,
    }
    script = Path(__file__).with_name("scripted_server.py")
    process = subprocess.Popen([sys.executable, str(script), str(port), str(processes)], env=env)
    try:
        deadline = time.monotonic() + 120
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
        behind = psutil.Process(process.pid).children() if process.poll() is None else []
        process.kill()
        for one in behind:  # who misses their parent would wait for the calls of each other
            with suppress(psutil.NoSuchProcess):
                one.kill()
        process.wait()
