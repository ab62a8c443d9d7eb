"""Media Streams as the carrier speaks them, seen from the application's end of the socket."""

import asyncio
from base64 import b64decode
from itertools import pairwise
from time import process_time

import pytest
from twilio.request_validator import RequestValidator

from app.exchange.account import Account
from app.exchange.faults import Faults
from app.exchange.office import Instruction
from app.exchange.personas import HangUp, InterruptAfter, Persona, Press, Silence, Speak, WaitForAgent
from app.exchange.sound import QUIET, is_loud, murmur, murmured

STREAM = (
    '<Response><Connect><Stream url="wss://app.test/media/t0ken?x=1" name="main"'
    ' statusCallback="https://app.test/stream">'
    '<Parameter name="lead_id" value="4711"/></Stream></Connect>'
    "<Redirect>/after</Redirect></Response>"
)
PAGES = {"/voice": STREAM, "/after": "<Response><Hangup/></Response>"}


async def listen(server):
    await server.drain()


def test_the_socket_is_opened_without_the_query_and_its_signature_holds_before_the_sdk(town):
    town = town(PAGES, listen)
    town.call(Silence(100), HangUp())
    (server,) = town.servers
    assert server.url == "wss://app.test/media/t0ken"
    validator, signature = RequestValidator(Account().token), server.headers["X-Twilio-Signature"]
    assert validator.validate(server.url, {}, signature)
    assert not validator.validate(server.url.replace("wss", "https"), {}, signature)
    assert not validator.validate(server.url + "x", {}, signature)


def test_connected_and_start_come_first_and_are_the_carriers_to_the_letter(town):
    town = town(PAGES, listen)
    record = town.call(Silence(100), HangUp())
    connected, start = (message for _, message in town.servers[0].received[:2])
    assert connected == {"event": "connected", "protocol": "Call", "version": "1.0.0"}
    sid = start["streamSid"]
    assert sid.startswith("MZ")
    assert len(sid) == 34
    assert start == {
        "event": "start",
        "sequenceNumber": "1",
        "start": {
            "accountSid": Account().sid,
            "streamSid": sid,
            "callSid": record.call.sid,
            "tracks": ["inbound"],
            "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1},
            "customParameters": {"lead_id": "4711"},
        },
        "streamSid": sid,
    }


def test_frames_of_160_bytes_leave_every_20_ms_with_counters_as_text(town):
    town = town(PAGES, listen)
    town.call(Silence(3000), HangUp())
    frames = town.servers[0].of("media")
    assert len(frames) == pytest.approx(150, abs=2)
    assert all(after - before == pytest.approx(0.02, abs=1e-6) for (before, _), (after, _) in pairwise(frames))
    for number, (_, message) in enumerate(frames):
        assert message == {
            "event": "media",
            "sequenceNumber": str(number + 2),
            "media": {
                "track": "inbound",
                "chunk": str(number + 1),
                "timestamp": str(number * 20),
                "payload": message["media"]["payload"],
            },
            "streamSid": town.servers[0].sid,
        }
        assert b64decode(message["media"]["payload"]) == QUIET
        assert len(message["media"]["payload"]) == 216


def test_what_the_caller_says_arrives_sample_by_sample(town):
    town = town(PAGES, listen)
    town.call(Silence(100), Speak("good morning"), Silence(100), HangUp())
    sound = b"".join(b64decode(message["media"]["payload"]) for _, message in town.servers[0].of("media"))
    assert sound.strip(b"\xff") == murmured("good morning").strip(b"\xff")


def test_keys_are_told_one_by_one(town):
    town = town(PAGES, listen)
    town.call(Silence(100), Press("4#"), HangUp())
    messages = [message for _, message in town.servers[0].of("dtmf")]
    assert [message["dtmf"] for message in messages] == [
        {"track": "inbound_track", "digit": "4"},
        {"track": "inbound_track", "digit": "#"},
    ]
    numbers = [int(m["sequenceNumber"]) for _, m in town.servers[0].received if "sequenceNumber" in m]
    assert numbers == list(range(1, len(numbers) + 1))


def test_hanging_up_sends_stop_and_closes(town):
    town = town(PAGES, listen)
    record = town.call(Silence(500), HangUp())
    last = town.servers[0].received[-1][1]
    assert last["event"] == "stop"
    assert last["stop"] == {"accountSid": Account().sid, "callSid": record.call.sid}
    assert record.streams[0].ended_by == "carrier"
    assert town.got("/after") == []


def test_audio_plays_at_real_time_and_its_mark_comes_when_it_has_been_played(town):
    async def attend(server):
        await server.next("start")
        began = asyncio.get_running_loop().time()
        await server.play(murmur(1000), "first")
        await server.play(murmur(500), "second")
        echoes = []
        for _ in range(2):
            message = await server.next("mark")
            echoes.append((message["mark"], round(asyncio.get_running_loop().time() - began, 2)))
        town.echoes = echoes
        await server.drain()

    class WithEchoes(town):
        pass

    town = WithEchoes(PAGES, attend)
    record = town.call(WaitForAgent(500), HangUp())
    (first, first_at), (second, second_at) = town.echoes
    assert (first, second) == ({"name": "first"}, {"name": "second"})
    assert first_at == pytest.approx(1.0, abs=0.041)
    assert second_at - first_at == pytest.approx(0.5, abs=0.001)
    assert bytes(record.tape.heard).strip(b"\xff") == (murmur(1000) + murmur(500)).strip(b"\xff")


def test_a_mark_on_an_empty_buffer_comes_back_at_once(town):
    times = []

    async def attend(server):
        await server.next("start")
        times.append(asyncio.get_running_loop().time())
        await server.send("mark", mark={"name": "now"})
        assert (await server.next("mark"))["mark"] == {"name": "now"}
        times.append(asyncio.get_running_loop().time())
        await server.drain()

    town(PAGES, attend).call(Silence(300), HangUp())
    assert times[1] == times[0]


def test_clear_echoes_all_marks_at_once_and_the_caller_hears_silence(town):
    names = []

    async def attend(server):
        await server.next("start")
        for index in range(5):
            await server.play(murmur(2000), f"m{index}")
        while len(server.of("media")) < 50:
            await server.next()
        await server.send("clear")
        before = asyncio.get_running_loop().time()
        while len(names) < 5:
            names.append((await server.next("mark"))["mark"]["name"])
        assert asyncio.get_running_loop().time() - before <= 0.021
        await server.drain()

    record = town(PAGES, attend).call(Silence(5000), HangUp())
    assert names == ["m0", "m1", "m2", "m3", "m4"]
    (stretch,) = record.handset.heard
    assert stretch.to_ms - stretch.from_ms == pytest.approx(1000, abs=60)


def test_closing_the_socket_continues_the_twiml(town):
    async def attend(server):
        await server.next("start")
        await asyncio.sleep(1)

    town = town(PAGES, attend)
    record = town.call()
    assert record.streams[0].ended_by == "server"
    assert len(town.got("/after")) == 1
    assert record.call.status == "completed"


def test_the_stream_reports_its_life(town):
    town = town(PAGES, listen)
    record = town.call(Silence(200), HangUp())
    started, stopped = town.got("/stream")
    sid = record.streams[0].sid
    assert started == {
        "AccountSid": Account().sid,
        "CallSid": record.call.sid,
        "StreamSid": sid,
        "StreamName": "main",
        "StreamEvent": "stream-started",
        "Timestamp": started["Timestamp"],
    }
    assert stopped["StreamEvent"] == "stream-stopped"


def test_a_refused_handshake_is_31920_and_the_call_goes_on(town):
    town = town(PAGES)
    record = town.call()
    assert [alert.number for alert in record.alerts] == [31920]
    (error,) = town.got("/stream")
    assert (error["StreamEvent"], "31920" in error["StreamError"]) == ("stream-error", True)
    assert len(town.got("/after")) == 1


@pytest.mark.parametrize(("url", "number"), [("ws://app.test/m", 31922), ("https://a/m", 31922), ("wss:///m", 31923)])
def test_a_wrong_url_is_reported(town, url: str, number: int) -> None:
    record = town({"/voice": STREAM.replace("wss://app.test/media/t0ken?x=1", url)}, listen).call()
    assert number in [alert.number for alert in record.alerts]


@pytest.mark.parametrize(
    "frame",
    [
        "hello",
        "[]",
        "{}",
        '{"event":"sing","streamSid":"SID"}',
        '{"event":"media","streamSid":"SID"}',
        '{"event":"media","streamSid":"SID","media":{"payload":"%%%"}}',
        '{"event":"media","streamSid":"SID","media":{"payload":7}}',
        '{"event":"mark","streamSid":"SID","mark":{}}',
        '{"event":"mark","streamSid":"SID"}',
        b"\x00\x01",
    ],
)
def test_F18_a_malformed_message_is_31950_once_and_the_stream_goes_on(town, frame) -> None:
    async def attend(server):
        await server.next("start")
        for _ in range(3):
            if isinstance(frame, bytes):
                await server.socket.send_bytes(frame)
            else:
                await server.socket.send_text(frame.replace("SID", server.sid))
        await server.send("mark", mark={"name": "still here"})
        assert (await server.next("mark"))["mark"]["name"] == "still here"
        await server.drain()

    record = town(PAGES, attend).call(Silence(300), HangUp())
    assert [alert.number for alert in record.alerts] == [31950]


def test_a_message_for_another_stream_is_ignored_silently(town):
    async def attend(server):
        await server.next("start")
        sid, server.sid = server.sid, "MZ" + "0" * 32
        await server.play(murmur(500), "lost")
        server.sid = sid
        await server.drain()

    town = town(PAGES, attend)
    record = town.call(Silence(1000), HangUp())
    assert (record.alerts, record.handset.heard, town.servers[0].of("mark")) == ((), [], [])


def test_more_than_ten_minutes_of_audio_is_31931_once(town):
    async def attend(server):
        await server.next("start")
        for _ in range(12):
            await server.play(b"\x10" * 480_000)
        await server.drain()

    record = town(PAGES, attend).call(Silence(300), HangUp())
    assert [alert.number for alert in record.alerts] == [31931]


def test_a_server_that_does_not_read_loses_frames_and_31930_says_so(town):
    async def attend(server):
        await server.next("start")
        await asyncio.sleep(20)
        await server.drain()

    town = town(PAGES, attend)
    record = town.call(Silence(21_000), HangUp())
    assert [alert.number for alert in record.alerts] == [31930]
    chunks = [int(message["media"]["chunk"]) for _, message in town.servers[0].of("media")]
    assert len(chunks) < 600
    assert chunks == list(range(1, len(chunks) + 1))


def test_new_instructions_end_the_stream_with_stop(town):
    async def scenario(exchange):
        async def redirect():
            await asyncio.sleep(2)
            (leg,) = exchange.office.legs.values()
            leg.redirect(Instruction(twiml="<Response><Pause length='1'/></Response>"))

        async with asyncio.TaskGroup() as group:
            group.create_task(redirect())
            return await exchange.dial_in(town.THEIRS, town.OURS, Persona("wait", "none", murmured, ()))

    town = town(PAGES, listen)
    record = town.play(scenario)
    assert town.servers[0].received[-1][1]["event"] == "stop"
    assert town.got("/after") == []
    assert record.call.seconds == 3


# --- faults ----------------------------------------------------------------------------------------------------------


def test_a_lost_stop_is_just_a_broken_connection(town):
    town = town(PAGES, listen)
    town.call(Silence(200), HangUp(), faults=Faults(lost_stop=True))
    assert town.servers[0].of("stop") == []


def test_F19_a_reset_socket_leaves_the_call_up_and_its_twiml_goes_on(town):
    pages = {**PAGES, "/after": STREAM.replace("<Redirect>/after</Redirect>", "")}
    town = town(pages, listen)
    record = town.call(Silence(3000), HangUp(), faults=Faults(reset_socket_after_ms=1000))
    assert [len(server.of("media")) for server in town.servers] == [50, 50]
    assert record.call.seconds == 2
    assert 31924 in [alert.number for alert in record.alerts]


def test_F16_a_frozen_socket_says_nothing_and_stays_open(town):
    ends = []

    async def attend(server):
        await server.drain()
        ends.append(asyncio.get_running_loop().time())

    town = town(PAGES, attend)
    town.call(Silence(10_000), HangUp(), faults=Faults(freeze_socket_after_ms=1000))
    server = town.servers[0]
    assert server.received[-1][0] == pytest.approx(1.0, abs=0.1)
    assert ends[0] - 1000 == pytest.approx(10.0, abs=0.5)


def test_a_late_handshake_begins_the_stream_later(town):
    town = town(PAGES, listen)
    town.call(Silence(2000), HangUp(), faults=Faults(handshake_delay_ms=1500))
    assert town.servers[0].received[0][0] == pytest.approx(1.5, abs=0.05)


@pytest.mark.parametrize("faults", [Faults(burst=12), Faults(jitter_ms=60), Faults(burst=5, jitter_ms=30)])
def test_bursts_and_jitter_move_frames_but_neither_lose_nor_reorder_them(town, faults: Faults) -> None:
    town = town(PAGES, listen)
    town.call(Silence(6000), HangUp(), faults=faults)
    server = town.servers[0]
    numbers = [int(message["sequenceNumber"]) for _, message in server.received if "sequenceNumber" in message]
    assert numbers == list(range(1, len(numbers) + 1))
    assert server.received[-1][1]["event"] == "stop"
    gaps = [after - before for (before, _), (after, _) in pairwise(server.of("media"))]
    assert max(gaps) > 0.03
    assert min(gaps) < 0.01


def test_the_same_seed_brings_the_same_bad_day(town):
    def arrivals(seed: int) -> list[float]:
        scene = town(PAGES, listen)
        scene.call(Silence(3000), HangUp(), faults=Faults(jitter_ms=80, seed=seed))
        return [at for at, _ in scene.servers[0].received]

    assert arrivals(1) == arrivals(1)
    assert arrivals(1) != arrivals(2)


# --- the person ------------------------------------------------------------------------------------------------------


def test_an_interruption_begins_so_far_into_the_agents_speech(town):
    async def attend(server):
        await server.next("start")
        await server.play(murmur(4000))
        await server.drain()

    record = town(PAGES, attend).call(InterruptAfter(800, "wait"), Silence(200), HangUp())
    (said,) = record.handset.spoken
    (heard,) = record.handset.heard
    assert said.from_ms - heard.from_ms == pytest.approx(800, abs=40)
    assert any(is_loud(bytes(record.tape.said[at : at + 160])) for at in range(0, len(record.tape.said), 160))


def test_two_minutes_take_well_under_a_second(town):
    began = process_time()
    record = town(PAGES, listen).call(Silence(120_000), HangUp())
    assert record.call.seconds == 120
    assert process_time() - began < 1.0
