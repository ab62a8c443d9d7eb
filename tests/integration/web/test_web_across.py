"""A live call, and people of ours whose requests come to a process that does not hold it: another behind the same port,
or one of another machine that shares the database and Redis."""

from __future__ import annotations

import asyncio
import base64
import fractions
import json
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx2
import numpy as np
import psutil
import psycopg
import pytest
from aiortc import MediaStreamTrack, RTCPeerConnection, RTCSessionDescription
from av import AudioFrame
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from app.api.issuer import Issuer
from app.secret_key import SecretKey
from app.settings import Settings, load
from app.store.workspaces import seed_demo
from app.telephony import mulaw

from .conftest import PUBLIC, TOKEN, Server, send, serving

pytestmark = [pytest.mark.integration, pytest.mark.realtime]

SECRET = "a secret of the tests that is long enough"
FRAME_S = 0.02
MOST_TRIES = 20
LOUD = 1000.0  # of 32768: a person of ours, and nobody else
AUDIBLE = 50.0
Eventually = Callable[..., None]


def hum(hertz: float, loudness: float, rate: int = 8000) -> np.ndarray:
    """20 ms, a whole number of waves."""
    return (loudness * np.sin(2 * np.pi * hertz * np.arange(rate // 50) / rate)).astype(np.int16)


def level(samples: np.ndarray) -> float:
    return float(np.sqrt(np.mean(samples.astype(np.float64) ** 2)))


@dataclass
class Caller:
    """A person who hums on the phone, too softly to be taken for a voice, and hears all that is said to them."""

    line: ClientConnection
    sid: str
    heard: list[float] = field(default_factory=list)  # how loud each frame was
    code: int | None = None  # the line was closed with
    gone: threading.Event = field(default_factory=threading.Event)

    def hum(self) -> None:
        sound = base64.b64encode(mulaw.encode(hum(300, 400))).decode()
        at_ms = 0
        while not self.gone.wait(FRAME_S):
            try:
                send(
                    self.line, self.sid, "media", media={"track": "inbound", "timestamp": str(at_ms), "payload": sound}
                )
            except ConnectionClosed:
                return
            at_ms += 20

    def hear(self) -> None:
        try:
            while True:
                frame = json.loads(self.line.recv())
                if frame["event"] == "mark":
                    send(self.line, self.sid, "mark", mark=frame["mark"])
                elif frame["event"] == "media":
                    self.heard.append(level(mulaw.decode(base64.b64decode(frame["media"]["payload"]))))
        except ConnectionClosed as closed:
            self.code = closed.rcvd.code if closed.rcvd else 1006
        finally:
            self.gone.set()


@dataclass(frozen=True)
class Site:
    """`two` processes behind one port, and `far`: another machine. `token` is of an agent of the workspace."""

    url: str
    two: Server
    far: Server
    token: str

    @contextmanager
    def call(self) -> Iterator[Caller]:
        sid = "CA" + uuid.uuid4().hex
        caller = Caller(self.two.begin(sid), sid)
        threads = [threading.Thread(target=one) for one in (caller.hum, caller.hear)]
        for thread in threads:
            thread.start()
        try:
            yield caller
        finally:
            caller.gone.set()
            caller.line.close()
            for thread in threads:
                thread.join()

    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}

    def at(self, server: Server) -> httpx2.Client:
        return httpx2.Client(base_url=f"http://127.0.0.1:{server.port}/api/v1", headers=self.headers(), timeout=60)

    @contextmanager
    def beside(self, caller: Caller) -> Iterator[httpx2.Client]:
        """A client with one connection, to the process that does not hold the call."""
        for _ in range(MOST_TRIES):
            with self.at(self.two) as client:
                stream = client.get("/me").extensions["network_stream"]
                if self._process(stream.get_extra_info("client_addr")[1]) != self._holder(caller):
                    yield client
                    return
        raise AssertionError("every connection came to the process that holds the call")

    def ticket(self, server: Server, caller: Caller) -> httpx2.Response:
        with self.at(server) as client:
            return client.post("/tickets", json={"purpose": "listen", "call_sid": caller.sid})

    @contextmanager
    def listening_beside(self, caller: Caller) -> Iterator[ClientConnection]:
        for _ in range(MOST_TRIES):
            answer = self.ticket(self.two, caller)
            assert answer.status_code == 201, answer.text
            with self._listening(answer.json()["ticket"], caller) as ear:
                if self._process(ear.socket.getsockname()[1]) != self._holder(caller):
                    yield ear
                    return
            self.at(self.two).get("/me")  # a ticket and a socket in turn would meet the same process for ever
        raise AssertionError("every socket came to the process that holds the call")

    def _listening(self, ticket: str, caller: Caller) -> ClientConnection:
        return connect(f"ws://127.0.0.1:{self.two.port}/api/v1/calls/{caller.sid}/listen?ticket={ticket}")

    def _holder(self, caller: Caller) -> int:
        return self._process(caller.line.socket.getsockname()[1])

    def _process(self, port: int) -> int:
        """Which of the two has the connection that comes from this port of ours."""
        for child in psutil.Process(self.two.process.pid).children():
            if any(one.raddr and one.raddr.port == port for one in child.net_connections("tcp")):
                return int(child.pid)
        raise AssertionError(f"nobody has the connection from port {port}")

    def kinds(self, caller: Caller) -> list[str]:
        """Of the facts in the call's log."""
        query = "select e.kind from call_events e join calls c on c.id = e.call_id where c.call_sid = %s order by e.seq"
        with psycopg.connect(self.url) as db:
            return [str(row[0]) for row in db.execute(query, (caller.sid,))]


def an_agent(url: str, workspace: uuid.UUID, settings: Settings) -> str:
    user = uuid.uuid4()
    with psycopg.connect(url) as db:
        db.execute("insert into members (workspace_id, user_id, role) values (%s, %s, 'agent')", (workspace, user))
    return Issuer(SecretKey.of(settings)).token(user, workspace, "agent", datetime.now(UTC))


@pytest.fixture(scope="module")
def site(
    fresh_database: Callable[[], AbstractContextManager[str]],
    valkey_server: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Site]:
    with fresh_database() as url:
        workspace = seed_demo(
            url, playbook_name="northlight_solar", playbook_yaml="business: {name: Northlight Solar}\n"
        )
        settings = load(
            public_url=PUBLIC,
            twilio_auth_token=TOKEN,
            database_url=url,
            secret_key=SECRET,
            data_dir=tmp_path_factory.mktemp("across"),
        )
        shared = {"REDIS_URL": valkey_server, "STROWGER_SECRET_KEY": SECRET}
        with serving(settings, processes=2, **shared) as two, serving(settings, **shared) as far:
            yield Site(url, two, far, an_agent(url, workspace, settings))


# --- another process of the same machine ---


def test_a_whisper_and_a_hang_up_find_the_process_that_holds_the_call(site: Site, eventually: Eventually) -> None:
    with site.call() as caller, site.beside(caller) as rep:
        whispered = rep.post(f"/calls/{caller.sid}/whisper", json={"text": "mention the warranty"})
        assert whispered.status_code == 200, whispered.text
        eventually(lambda: "Hinted" in site.kinds(caller))
        assert rep.post(f"/calls/{caller.sid}/hangup").status_code == 200
        assert caller.gone.wait(60)
        assert caller.code == 1000
        eventually(lambda: rep.post(f"/calls/{caller.sid}/hangup").status_code == 409)


def test_a_listener_hears_a_call_that_another_process_holds_to_its_end(site: Site) -> None:
    with site.call() as caller, site.listening_beside(caller) as ear:
        pieces = [np.frombuffer(ear.recv(timeout=60), "<i2") for _ in range(100)]
        assert {len(piece) for piece in pieces} == {160}
        assert min(level(piece) for piece in pieces) > AUDIBLE  # nothing is missing of what the caller hums
        with site.at(site.two) as rep:
            assert rep.post(f"/calls/{caller.sid}/hangup").status_code == 200
        for _ in ear:  # until it is closed
            pass
        assert ear.close_code == 1000


def test_a_listener_who_leaves_costs_the_call_nothing(site: Site) -> None:
    with site.call() as caller:
        with site.listening_beside(caller) as ear:
            ear.recv(timeout=60)
        with site.listening_beside(caller) as ear:
            assert level(np.frombuffer(ear.recv(timeout=60), "<i2")) > AUDIBLE
        assert not caller.gone.is_set()


class Microphone(MediaStreamTrack):  # type: ignore[misc]
    kind = "audio"

    def __init__(self) -> None:
        super().__init__()
        self._sent = 0
        self._began = time.monotonic()

    async def recv(self) -> AudioFrame:
        await asyncio.sleep(max(0.0, self._began + self._sent * FRAME_S - time.monotonic()))
        frame = AudioFrame.from_ndarray(hum(400, 12_000, 48_000).reshape(1, -1), format="s16", layout="mono")
        frame.sample_rate, frame.time_base = 48_000, fractions.Fraction(1, 48_000)
        frame.pts = self._sent * 960
        self._sent += 1
        return frame


async def until(holds: Callable[[], Any]) -> None:
    async with asyncio.timeout(60):
        while not await asyncio.to_thread(holds):  # noqa: ASYNC110 - other processes: there is nothing to wait on
            await asyncio.sleep(0.05)


async def phone(rep: httpx2.Client, caller: Caller) -> tuple[RTCPeerConnection, list[float]]:
    """Connected to the call; and how loud what comes from it is, frame by frame."""
    peer, heard = RTCPeerConnection(), []
    listening: list[asyncio.Task[None]] = []

    async def listen(track: MediaStreamTrack) -> None:
        while True:
            heard.append(level((await track.recv()).to_ndarray()))

    peer.on("track", lambda track: listening.append(asyncio.ensure_future(listen(track))))
    peer.addTrack(Microphone())
    await peer.setLocalDescription(await peer.createOffer())
    offer = {"sdp": peer.localDescription.sdp, "type": "offer", "call_sid": caller.sid}
    answer = await asyncio.to_thread(lambda: rep.post("/phone/offer", json=offer))
    assert answer.status_code == 200, answer.text
    await peer.setRemoteDescription(RTCSessionDescription(answer.json()["sdp"], "answer"))
    return peer, heard


def test_a_call_is_taken_over_and_handed_back_through_a_process_that_does_not_hold_it(site: Site) -> None:
    async def take_over(rep: httpx2.Client, caller: Caller) -> None:
        peer, heard = await phone(rep, caller)
        taken = await asyncio.to_thread(rep.post, f"/calls/{caller.sid}/takeover")
        assert taken.status_code == 200, taken.text
        await until(lambda: "SteppedAside" in site.kinds(caller))
        caller.heard.clear()
        await until(lambda: sum(one > LOUD for one in caller.heard) > 25)  # the caller hears us ...
        await until(lambda: sum(one > AUDIBLE for one in heard) > 25)  # ... and we the caller
        back = await asyncio.to_thread(rep.post, f"/calls/{caller.sid}/handback")
        assert back.status_code == 200, back.text
        await until(lambda: "CameBack" in site.kinds(caller))
        await peer.close()

    with site.call() as caller, site.beside(caller) as rep:
        asyncio.run(take_over(rep, caller))
        assert not caller.gone.is_set()


def test_a_telephone_that_goes_away_hands_the_call_back(site: Site) -> None:
    async def take_over(rep: httpx2.Client, caller: Caller) -> None:
        peer, _ = await phone(rep, caller)
        await asyncio.to_thread(rep.post, f"/calls/{caller.sid}/takeover")
        await until(lambda: "SteppedAside" in site.kinds(caller))
        await until(lambda: caller.heard and caller.heard[-1] > LOUD)
        await peer.close()
        await until(lambda: "CameBack" in site.kinds(caller))

    with site.call() as caller, site.beside(caller) as rep:
        asyncio.run(take_over(rep, caller))


def test_a_bad_offer_is_refused_by_the_process_that_holds_the_call(site: Site) -> None:
    with site.call() as caller, site.beside(caller) as rep:
        offer = {"sdp": "this is no offer", "type": "offer", "call_sid": caller.sid}
        answer = rep.post("/phone/offer", json=offer)
        assert (answer.status_code, answer.json()["code"]) == (400, "bad_input")


# --- another machine ---


def test_a_whisper_and_a_hang_up_find_another_machine(site: Site, eventually: Eventually) -> None:
    with site.call() as caller, site.at(site.far) as rep:
        whispered = rep.post(f"/calls/{caller.sid}/whisper", json={"text": "mention the warranty"})
        assert whispered.status_code == 200, whispered.text
        eventually(lambda: "Hinted" in site.kinds(caller))
        assert rep.post(f"/calls/{caller.sid}/hangup").status_code == 200
        assert caller.gone.wait(60)
        assert caller.code == 1000


def test_what_has_sound_is_refused_by_another_machine_in_so_many_words(site: Site) -> None:
    with site.call() as caller, site.at(site.far) as rep:
        offer = {"sdp": "an offer nobody reads", "type": "offer", "call_sid": caller.sid}
        asked = {
            "takeover": rep.post(f"/calls/{caller.sid}/takeover"),
            "handback": rep.post(f"/calls/{caller.sid}/handback"),
            "phone": rep.post("/phone/offer", json=offer),
            "listen": site.ticket(site.far, caller),
        }
        found = {name: (answer.status_code, answer.json()["code"]) for name, answer in asked.items()}
        assert found == dict.fromkeys(asked, (409, "held_elsewhere"))
        assert {answer.headers["content-type"] for answer in asked.values()} == {"application/problem+json"}
        ticket = site.ticket(site.two, caller).json()["ticket"]
        with pytest.raises(InvalidStatus) as refused:
            connect(f"ws://127.0.0.1:{site.far.port}/api/v1/calls/{caller.sid}/listen?ticket={ticket}")
        assert json.loads(refused.value.response.body or b"")["code"] == "held_elsewhere"
