"""The edges over real sockets, in real time; kept few."""

import asyncio
import json
from base64 import b64encode
from contextlib import asynccontextmanager

import pytest
from websockets.asyncio.server import serve
from websockets.http11 import Response

from app.errors import CarrierFault, Disconnected, ServiceNotStarted
from app.exchange.account import Number
from app.exchange.edges import Request
from app.exchange.network import HttpWebhooks, NetworkSockets, Routes
from app.exchange.personas import HangUp, InterruptAfter, Persona
from app.exchange.server import serving
from app.exchange.sound import murmured

pytestmark = pytest.mark.realtime


@pytest.mark.parametrize(
    ("url", "located"),
    [
        ("https://calls.test/voice?x=1", "http://127.0.0.1:8000/voice?x=1"),
        ("wss://calls.test/media/1", "ws://127.0.0.1:8000/media/1"),
        ("https://calls.test:8443/voice", "https://calls.test:8443/voice"),
        ("https://other.test/voice#rc=1", "https://other.test/voice"),
        ("wss://other.test/media", "wss://other.test/media"),
        ("wss://127.0.0.1:9000/media", "ws://127.0.0.1:9000/media"),
        ("https://127.0.0.1:9000/x", "https://127.0.0.1:9000/x"),
    ],
)
def test_a_route_carries_an_address_to_this_machine(url: str, located: str) -> None:
    assert Routes({"https://calls.test/": "http://127.0.0.1:8000"}).locate(url) == located


def promptly(main):
    """Runs it, but for no longer than ten seconds: what hangs must fail here and not stop the suite."""

    async def limited():
        async with asyncio.timeout(10):
            return await main

    return asyncio.run(limited())


@asynccontextmanager
async def a_server(handler, **options):
    async with serve(handler, "127.0.0.1", 0, compression=None, **options) as server:
        yield server.sockets[0].getsockname()[1]


def test_frames_go_both_ways_and_the_close_is_noticed():
    async def main():
        seen = []

        async def handler(connection):
            seen.append(
                (connection.request.path, connection.request.headers["Host"], connection.request.headers["X-A"])
            )
            async for frame in connection:
                await connection.send(frame.upper())
                await connection.send(b"\x00\x01")
                if frame == "bye":
                    return

        async with a_server(handler) as port:
            sockets = NetworkSockets(Routes({"https://calls.test": f"http://127.0.0.1:{port}"}))
            socket = await sockets.connect("wss://calls.test/media/1", {"X-A": "b"})
            socket.send("hello")
            socket.send("bye")
            frames = [await socket.receive() for _ in range(4)]
            with pytest.raises(Disconnected):
                await socket.receive()
            with pytest.raises(Disconnected):
                await socket.receive()
            socket.send("into the void")
            await socket.close()
        return seen, frames

    seen, frames = promptly(main())
    assert seen == [("/media/1", "calls.test", "b")]
    assert frames == ["HELLO", b"\x00\x01", "BYE", b"\x00\x01"]


def test_a_long_message_in_pieces_arrives_whole():
    async def main():
        async def handler(connection):
            await connection.send(part for part in ["a" * 100_000, "b" * 100_000])
            await connection.wait_closed()

        async with a_server(handler) as port:
            socket = await NetworkSockets().connect(f"wss://127.0.0.1:{port}/", {})
            frame = await socket.receive()
            await socket.close()
            return frame

    assert promptly(main()) == "a" * 100_000 + "b" * 100_000


def test_a_reset_is_seen_as_a_lost_connection_by_the_other_side():
    async def main():
        codes = []

        async def handler(connection):
            await connection.wait_closed()
            codes.append(connection.close_code)

        async with a_server(handler) as port:
            socket = await NetworkSockets().connect(f"wss://127.0.0.1:{port}/", {})
            socket.reset()
            with pytest.raises(Disconnected):
                await socket.receive()
        return codes

    assert promptly(main()) == [1006]


def test_refusals_have_their_numbers():
    async def main():
        def refuse(connection, request):
            return Response(403, "Forbidden", connection.protocol.reject(403, "").headers, b"")

        numbers = []

        async def number(url):
            with pytest.raises(CarrierFault) as fault:
                await NetworkSockets().connect(url, {})
            numbers.append(fault.value.number)

        async def handler(connection):
            pass

        async with a_server(handler, process_request=refuse) as port:
            await number(f"wss://127.0.0.1:{port}/")
        await number(f"wss://127.0.0.1:{port}/")
        return numbers

    assert promptly(main()) == [31920, 31902]


def test_a_webhook_that_cannot_connect_and_one_that_is_not_answered():
    async def main():
        async def silent(reader, writer):
            await reader.read()
            writer.close()

        webhooks = HttpWebhooks()
        server = await asyncio.start_server(silent, "127.0.0.1", 0)
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        unanswered = await webhooks.send(Request(url, read_s=0.1))
        server.close()
        await server.wait_closed()
        refused = await webhooks.send(Request(url))
        nonsense = await webhooks.send(Request("http://"))
        await webhooks.close()
        return [reply.failure for reply in (unanswered, refused, nonsense)]

    assert promptly(main()) == ["rt", "ct", "ct"]


def test_a_whole_call_in_real_time():
    """From the webhook over TwiML and a media stream to the hang-up, over real HTTP and a real WebSocket."""

    async def main():
        received = []

        async def media(connection):
            sid = None
            async for frame in connection:
                message = json.loads(frame)
                received.append(message["event"])
                if message["event"] == "start":
                    sid = message["streamSid"]
                    payload = b64encode(murmured("hello, who is calling?")).decode()
                    await connection.send(
                        json.dumps({"event": "media", "streamSid": sid, "media": {"payload": payload}})
                    )

        async with a_server(media) as port:
            twiml = f'<Response><Connect><Stream url="wss://127.0.0.1:{port}/media"/></Connect></Response>'

            async def voice(reader, writer):
                head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
                length = int(head.partition("content-length:")[2].split()[0])
                await reader.readexactly(length)
                head = f"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nContent-Length: {len(twiml)}\r\n\r\n"
                writer.write((head + twiml).encode())
                writer.close()

            web = await asyncio.start_server(voice, "127.0.0.1", 0)
            url = f"http://127.0.0.1:{web.sockets[0].getsockname()[1]}/voice"
            async with serving(port=0) as exchange:
                exchange.add_number(Number("+12025550100", voice_url=url))
                person = Persona("", "", murmured, (InterruptAfter(200, "it is me"), HangUp()))
                record = await exchange.dial_in("+12025550111", "+12025550100", person)
            web.close()
        return record, received

    record, received = promptly(main())
    assert record.alerts == ()
    assert received[:2] == ["connected", "start"]
    assert received[-1] == "stop"
    assert received.count("media") == pytest.approx(record.tape.ms / 20, abs=3)
    assert record.handset.heard


def test_a_port_that_is_taken_is_said_in_one_sentence():
    async def main():
        server = await asyncio.start_server(lambda reader, writer: None, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(ServiceNotStarted, match=rf"the exchange cannot listen on 127\.0\.0\.1:{port}"):
            async with serving(port=port):
                pass
        server.close()

    promptly(main())
