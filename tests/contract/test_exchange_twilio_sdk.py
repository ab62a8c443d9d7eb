"""The official SDK, unmodified, against the exchange: only its base URL is set."""

import asyncio
import io
import wave
from collections.abc import Callable, Coroutine
from typing import Any

import httpx
import pytest
from twilio.base.exceptions import TwilioRestException
from twilio.http.http_client import TwilioHttpClient
from twilio.request_validator import RequestValidator
from twilio.rest import Client
from twilio.rest.content.v1.content import ContentList
from twilio.rest.content.v1.content.approval_create import ApprovalCreateList

from app.exchange.account import Account, Number
from app.exchange.exchange import Exchange
from app.exchange.office import Config
from app.exchange.personas import HangUp, Persona, Speak, Step, Temper
from app.exchange.phones import Pickup
from app.exchange.server import serving
from app.exchange.sound import murmured
from app.exchange.whatsapp import Delays

pytestmark = pytest.mark.realtime

ACCOUNT = Account()
OURS, THEIRS = "+12025550100", "+12025550111"
TWIML = "<Response><Pause length='1'/></Response>"

Scene = Callable[[Client, Exchange], Coroutine[Any, Any, None]]


def scene(play: Scene) -> None:
    async def main() -> None:
        config = Config(calls_per_second=100, ring_delay_s=0.01)
        async with asyncio.timeout(120), serving(port=0, account=ACCOUNT, config=config) as exchange:
            exchange.add_number(Number(OURS, whatsapp=True))
            exchange.messages.delays = Delays(0.01, 0.01, 0.01)
            client = Client(ACCOUNT.sid, ACCOUNT.token, http_client=TwilioHttpClient(timeout=60))
            client.api.base_url = client.content.base_url = exchange.office.config.base_url
            await play(client, exchange)

    asyncio.run(main())


async def until(holds: Callable[[], bool]) -> None:
    while not holds():  # noqa: ASYNC110  the other side is real HTTP, it sets no event
        await asyncio.sleep(0.01)


def answering(*script: Step) -> Persona:
    """Somebody who picks up at once."""
    return Persona("test", "none", murmured, script, Temper(pickup=Pickup(after_s=0.01)))


def test_create_fetch_list_and_end_a_call() -> None:
    async def play(client: Client, exchange: Exchange) -> None:
        exchange.register(THEIRS, answering())
        made = await asyncio.to_thread(client.calls.create, to=THEIRS, from_=OURS, twiml=TWIML)
        assert made.sid.startswith("CA")
        assert (made.status, made.direction, made.queue_time, made.duration) == ("queued", "outbound-api", "0", None)
        assert made.date_created.tzinfo is not None
        await until(lambda: exchange.office.calls[made.sid].status == "in-progress")
        assert (await asyncio.to_thread(client.calls(made.sid).fetch)).status == "in-progress"
        found = await asyncio.to_thread(client.calls.list, to=THEIRS, status="in-progress")
        assert [call.sid for call in found] == [made.sid]
        assert await asyncio.to_thread(client.calls.list, to=OURS) == []
        await asyncio.to_thread(client.calls(made.sid).update, status="completed")
        await until(lambda: exchange.office.calls[made.sid].over)
        ended = await asyncio.to_thread(client.calls(made.sid).fetch)
        assert (ended.status, ended.duration) == ("completed", "0")
        with pytest.raises(TwilioRestException) as refusal:
            await asyncio.to_thread(client.calls(made.sid).update, status="completed")
        assert (refusal.value.status, refusal.value.code) == (400, 21220)

    scene(play)


def test_a_live_call_takes_new_instructions() -> None:
    async def play(client: Client, exchange: Exchange) -> None:
        exchange.register(THEIRS, answering())
        made = await asyncio.to_thread(
            client.calls.create, to=THEIRS, from_=OURS, twiml="<Response><Pause length='600'/></Response>"
        )
        await until(lambda: exchange.office.calls[made.sid].status == "in-progress")
        await asyncio.to_thread(client.calls(made.sid).update, twiml="<Response><Hangup/></Response>")
        await until(lambda: exchange.office.calls[made.sid].over)

    scene(play)


@pytest.mark.parametrize(
    ("asked", "status", "code"),
    [
        ({"to": "12", "from_": OURS, "twiml": TWIML}, 400, 21211),
        ({"to": "+15005550001", "from_": OURS, "twiml": TWIML}, 400, 21217),
        ({"to": "+15005550003", "from_": OURS, "twiml": TWIML}, 400, 21215),
        ({"to": THEIRS, "from_": "+12025550199", "twiml": TWIML}, 400, 21210),
        ({"to": THEIRS, "from_": OURS}, 400, 21205),
    ],
)
def test_the_api_refuses_with_the_carriers_numbers(asked: dict[str, str], status: int, code: int) -> None:
    async def play(client: Client, exchange: Exchange) -> None:
        with pytest.raises(TwilioRestException) as refusal:
            await asyncio.to_thread(client.calls.create, **asked)
        assert (refusal.value.status, refusal.value.code) == (status, code)

    scene(play)


def test_wrong_password_unknown_call_and_foreign_account() -> None:
    async def play(client: Client, exchange: Exchange) -> None:
        async def refused(user: str, password: str, account: str, sid: str) -> tuple[int, int | None]:
            other = Client(user, password, account, http_client=TwilioHttpClient(timeout=60))
            other.api.base_url = exchange.office.config.base_url
            with pytest.raises(TwilioRestException) as refusal:
                await asyncio.to_thread(other.calls(sid).fetch)
            return refusal.value.status, refusal.value.code

        nobody = "CA" + "0" * 32
        assert await refused(ACCOUNT.sid, "wrong", ACCOUNT.sid, nobody) == (401, 20003)
        assert await refused(ACCOUNT.sid, ACCOUNT.token, ACCOUNT.sid, nobody) == (404, 20404)
        assert await refused(ACCOUNT.sid, ACCOUNT.token, "AC" + "9" * 32, nobody) == (404, 20404)
        async with httpx.AsyncClient(base_url=exchange.office.config.base_url) as plain:
            body = (await plain.get(f"/2010-04-01/Accounts/{ACCOUNT.sid}/Calls.json")).json()
        assert body == {
            "code": 20003,
            "message": "Authenticate",
            "more_info": "https://www.twilio.com/docs/errors/20003",
            "status": 401,
        }

    scene(play)


def test_calls_come_in_pages() -> None:
    async def play(client: Client, exchange: Exchange) -> None:
        for _ in range(5):
            await asyncio.to_thread(client.calls.create, to=THEIRS, from_=OURS, twiml=TWIML)
        assert len(await asyncio.to_thread(client.calls.list, page_size=2)) == 5

    scene(play)


def test_a_recorded_call_can_be_fetched_as_sound() -> None:
    async def play(client: Client, exchange: Exchange) -> None:
        exchange.register(THEIRS, answering(Speak("hello there"), HangUp()))
        made = await asyncio.to_thread(
            client.calls.create,
            to=THEIRS,
            from_=OURS,
            twiml="<Response><Pause length='60'/></Response>",
            record=True,
            recording_channels="dual",
        )
        await until(lambda: exchange.office.calls[made.sid].over)
        (recording,) = await asyncio.to_thread(client.recordings.list, call_sid=made.sid)
        assert (recording.status, recording.channels, recording.source) == ("completed", 2, "OutboundAPI")
        url = exchange.office.config.base_url + exchange.office.recordings[recording.sid].uri + ".wav"
        async with httpx.AsyncClient() as plain:
            assert (await plain.get(url)).status_code == 401
            answer = await plain.get(url + "?RequestedChannels=2", auth=(ACCOUNT.sid, ACCOUNT.token))
        with wave.open(io.BytesIO(answer.content)) as sound:
            assert (sound.getnchannels(), sound.getsampwidth(), sound.getframerate()) == (2, 2, 8000)
            assert sound.getnframes() / 8000 == pytest.approx(0.72, abs=0.15)

    scene(play)


def test_a_message_inside_and_outside_of_the_window() -> None:
    async def play(client: Client, exchange: Exchange) -> None:
        asked = {"to": f"whatsapp:{THEIRS}", "from_": f"whatsapp:{OURS}", "body": "Thanks for the call"}
        cold = await asyncio.to_thread(client.messages.create, **asked)
        assert (cold.status, cold.error_code, cold.sid[:2]) == ("queued", None, "SM")
        await until(lambda: exchange.messages.all[cold.sid].status == "undelivered")
        assert (await asyncio.to_thread(client.messages(cold.sid).fetch)).error_code == 63016
        await exchange.messages.receive(f"whatsapp:{THEIRS}", f"whatsapp:{OURS}", "hello")
        warm = await asyncio.to_thread(client.messages.create, **asked)
        await until(lambda: exchange.messages.all[warm.sid].status == "read")
        assert len(await asyncio.to_thread(client.messages.list, to=f"whatsapp:{THEIRS}")) == 2
        with pytest.raises(TwilioRestException) as refusal:
            await asyncio.to_thread(client.messages.create, to=THEIRS, from_=f"whatsapp:{OURS}", body="x")
        assert refusal.value.code == 21910

    scene(play)


def test_a_template_is_made_approved_and_sent() -> None:
    async def play(client: Client, exchange: Exchange) -> None:
        request = ContentList.ContentCreateRequest(
            {
                "friendly_name": "visit",
                "language": "en",
                "variables": {"1": "you", "2": "soon"},
                "types": {"twilio/text": {"body": "Hi {{1}}, see you {{2}}"}},
            }
        )
        made = await asyncio.to_thread(client.content.v1.contents.create, request)
        wish = ApprovalCreateList.ContentApprovalRequest({"name": "visit_1", "category": "UTILITY"})
        approved = await asyncio.to_thread(client.content.v1.contents(made.sid).approval_create.create, wish)
        assert approved.status == "approved"
        sent = await asyncio.to_thread(
            client.messages.create,
            to=f"whatsapp:{THEIRS}",
            from_=f"whatsapp:{OURS}",
            content_sid=made.sid,
            content_variables='{"1":"Ann","2":"Tuesday"}',
        )
        assert sent.body == "Hi Ann, see you Tuesday"
        await until(lambda: exchange.messages.all[sent.sid].status == "read")

    scene(play)


def test_T01_the_sdk_accepts_our_webhook_signature_and_refuses_one_altered_bit() -> None:
    async def play(client: Client, exchange: Exchange) -> None:
        seen: list[tuple[dict[str, str], str]] = []

        async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            headers = {k.lower(): v.strip() for k, _, v in (line.partition(":") for line in head.splitlines()[1:])}
            body = (await reader.readexactly(int(headers["content-length"]))).decode()
            seen.append((headers, body))
            writer.write(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")
            writer.close()

        server = await asyncio.start_server(listen, "127.0.0.1", 0)
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/status?tenant=acme"
        exchange.register(THEIRS, answering())
        events = ["initiated", "ringing", "answered", "completed"]
        await asyncio.to_thread(
            client.calls.create,
            to=THEIRS,
            from_=OURS,
            twiml="<Response/>",
            status_callback=url,
            status_callback_event=events,
        )
        await until(lambda: len(seen) == 4)
        server.close()
        validator = RequestValidator(ACCOUNT.token)
        for number, (headers, body) in enumerate(seen):
            params = dict(httpx.QueryParams(body).items())
            assert params["SequenceNumber"] == str(number)
            signature = headers["x-twilio-signature"]
            assert validator.validate(url, params, signature)
            flipped = chr(ord(params["CallSid"][-1]) ^ 1)
            assert not validator.validate(url, {**params, "CallSid": params["CallSid"][:-1] + flipped}, signature)
            assert not validator.validate(url + "x", params, signature)
        assert [httpx.QueryParams(body)["CallStatus"] for _, body in seen] == [
            "initiated",
            "ringing",
            "in-progress",
            "completed",
        ]

    scene(play)
