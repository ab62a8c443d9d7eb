"""The bridge against a socket in memory: what a stranger may do, and what the line does with a slow carrier."""

import asyncio
import json
from itertools import pairwise

import pytest

from app.call.bridge import BAD_DATA, NORMAL, POLICY, TOO_BIG, Admission, Limits, bridge
from app.call.line import StreamLine
from app.call.pacer import Pacer
from app.call.setup import CallSetup, Parts, Resumed
from app.dialog import events
from app.dialog.events import (
    AgentSaid,
    CallBegan,
    CallerSaid,
    CallResumed,
    DisclosureHeard,
    Entry,
    RecordingRefused,
)
from app.errors import Disconnected, NotAuthentic
from app.exchange.virtual import run
from app.ports import Say
from app.providers.scripted import (
    ScriptedDialogue,
    ScriptedSpeechToText,
    ScriptedTextToSpeech,
    ScriptedVoiceActivity,
    script,
)
from app.telephony.media_stream import CallerAudio, Keyed, Marked, MediaStream
from tests.unit.call.journal import Journal

SID = "MZ01"
START = json.dumps({"event": "start", "streamSid": SID, "start": {"callSid": "CA1", "accountSid": "AC1"}})
STOP = json.dumps({"event": "stop", "streamSid": SID, "stop": {}})
QUIET = json.dumps({"event": "media", "streamSid": SID, "media": {"timestamp": "0", "payload": "/" * 216}})
BEGAN = CallBegan("CA1", "inbound", "+12025550111", "+12025550100", "test", 1, "", "", "")


class Wire:
    """Frames with the seconds to wait before each; then nothing, or the end."""

    def __init__(self, *frames: tuple[float, str], ends: bool = True) -> None:
        self._frames, self._ends = list(frames), ends
        self.sent: list[str] = []
        self.codes: list[int] = []

    async def receive_text(self) -> str:
        if not self._frames:
            if self._ends:
                raise Disconnected("gone")
            await asyncio.get_running_loop().create_future()
        pause_s, frame = self._frames.pop(0)
        await asyncio.sleep(pause_s)
        return frame

    async def send_text(self, text: str) -> None:
        self.sent.append(text)

    async def close(self, code: int = 1000) -> None:
        self.codes.append(code)


def held(wire: Wire, admit=None, limits: Limits | None = None, resumed: Resumed | None = None, journal=None):
    async def everybody(started, end_now):
        dialogue = ScriptedDialogue((Say(("Hello there.",), "greeting"),), script({}))
        parts = Parts(dialogue, ScriptedSpeechToText(), ScriptedTextToSpeech(), ScriptedVoiceActivity())
        return Admission(CallSetup(BEGAN, str, resumed=resumed), parts, journal or Journal())

    async def hold():
        return await bridge(wire, admit or everybody, Pacer(), limits)

    return run(hold())


def test_a_call_that_stops_closes_the_socket_normally():
    wire = Wire((0, START), (0.02, QUIET), (0.02, STOP), ends=False)
    assert held(wire) == "caller_hung_up"
    assert wire.codes == [NORMAL]
    assert json.loads(wire.sent[0]) == {"event": "mark", "streamSid": SID, "mark": {"name": "g1-1-0"}}


def test_T02_a_stream_that_does_not_start_in_time_is_closed():
    wire = Wire((4.9, '{"event":"connected"}'), (0.2, START), ends=False)
    assert held(wire) is None
    assert wire.codes == [POLICY]


def test_T02_who_is_not_admitted_is_closed_and_the_reason_raised():
    async def nobody(started, end_now):
        raise NotAuthentic("this token was used before")

    wire = Wire((0, START), ends=False)
    with pytest.raises(NotAuthentic):
        held(wire, nobody)
    assert wire.codes == [POLICY]


def test_somebody_who_leaves_before_the_start_was_no_call():
    assert held(Wire((0, '{"event":"connected"}'))) is None


@pytest.mark.parametrize(
    ("frames", "code"),
    [
        ([(0.0, QUIET)] * 600, POLICY),
        ([(0.02, "x" * (64 * 1024 + 1))], TOO_BIG),
        ([(0.02, "nonsense")] * 21, BAD_DATA),
    ],
    ids=["flood", "giant", "nonsense"],
)
def test_F18_who_breaks_the_limits_is_closed_with_the_right_code(frames, code):
    wire = Wire((0, START), *frames, ends=False)
    assert held(wire) == "media_lost"
    assert wire.codes == [code]


def test_F18_a_few_bad_frames_are_passed_over():
    wire = Wire((0, START), *[(0.02, "nonsense")] * 20, (0, STOP), ends=False)
    assert held(wire) == "caller_hung_up"


def test_F23_frames_held_up_for_five_seconds_are_no_flood():
    wire = Wire((0, START), (4.9, QUIET), *[(0.0, QUIET)] * 250, (0, STOP), ends=False)
    assert held(wire) == "caller_hung_up"


def test_F19_a_resumed_call_continues_its_log():
    before = [
        Entry(1, 0, BEGAN),
        Entry(2, 10, AgentSaid(1, 0, "Hello", "greeting")),
        Entry(3, 1500, DisclosureHeard("recording")),
        Entry(4, 4000, CallerSaid(1, "hi", 1.0, 0, 0, "x")),
    ]
    resumed = Resumed.after(before, "MZ02")
    assert resumed == Resumed("MZ02", 5, 4000, 1, 1, True)
    assert not Resumed.after([*before, Entry(5, 4000, RecordingRefused("no"))], "MZ02").may_store
    journal = Journal()
    held(Wire((0, START), (1, STOP), ends=False), resumed=resumed, journal=journal)
    assert journal.facts[0] == CallResumed("MZ02")
    assert next(fact for fact in journal.facts if isinstance(fact, AgentSaid)).utterance == 2


def test_F17_a_carrier_that_does_not_read_gets_a_bounded_amount_and_the_clear_at_once():
    async def slow_carrier():
        stream = MediaStream()
        stream.receive(START)
        line = StreamLine(stream, Pacer())
        line.play(1, b"\x10" * 8000 * 60)
        await asyncio.sleep(30)
        waiting = len(line._outbox)
        await line.clear()
        outbound = line.outbound()
        first = await anext(outbound)
        await outbound.aclose()
        return waiting, first

    waiting, first = run(slow_carrier())
    assert waiting <= 50
    assert json.loads(first)["event"] == "clear"


def test_waiting_for_what_was_heard_ends_with_a_cut():
    async def cut():
        stream = MediaStream()
        stream.receive(START)
        line = StreamLine(stream, Pacer())
        line.play(1, b"\x10" * 8000)
        async with asyncio.TaskGroup() as group:
            began = group.create_task(line.began(1))
            played = group.create_task(line.played(1))
            await asyncio.sleep(0.05)
            line.feed(Marked("g1-1-0"))
            await asyncio.sleep(0.1)
            await line.clear()
        return began.result(), played.result()

    began_ms, played = run(cut())
    assert began_ms == pytest.approx(50, abs=1)
    assert played.heard_ms == pytest.approx(100, abs=1)
    assert not played.complete


def test_one_pacer_ticks_for_all_and_rests_when_nothing_plays():
    class Tape:
        def __init__(self, ticks: int) -> None:
            self.left, self.at = ticks, []

        def pump(self) -> bool:
            self.at.append(round(asyncio.get_running_loop().time() * 1000) % 100_000)
            self.left -= 1
            return self.left > 0

    async def pace():
        pacer, early, late = Pacer(), Tape(3), Tape(2)
        pacer.wake(early)
        await asyncio.sleep(0.15)
        pacer.wake(late)
        await asyncio.sleep(10)
        again = Tape(1)
        pacer.wake(again)
        await asyncio.sleep(1)
        return early.at, late.at, again.at

    early, late, again = run(pace())
    assert [later - earlier for earlier, later in pairwise(early)] == [100, 100]
    assert late == early[1:]
    assert len(again) == 1


def test_a_tick_that_is_nearly_due_comes_with_whatever_woke_the_process():
    class Tape:
        def __init__(self) -> None:
            self.at = []

        def pump(self) -> bool:
            self.at.append(round((asyncio.get_running_loop().time() - 1000) * 1000))
            return len(self.at) < 4

    async def pace():
        pacer, tape = Pacer(), Tape()
        pacer.wake(tape)
        for pause_s in (0.05, 0.035, 0.0, 0.01, 0.09):  # at 50, 85, 85, 95 and 185 ms
            await asyncio.sleep(pause_s)
            pacer.nudge()
        await asyncio.sleep(10)
        pacer.nudge()  # nobody is there
        return tape.at

    assert run(pace()) == [85, 185, 285, 385]  # never more than a tick apart


def test_frames_that_wait_go_on_together_and_nothing_is_joined_that_does_not_follow():
    async def hear():
        line = StreamLine(MediaStream(), Pacer())
        frame = bytes(range(160))
        for at_ms in (0, 20, 40, 60, 80, 140, 160):  # what should have come at 100 and 120 is lost
            line.feed(CallerAudio(at_ms, frame))
        line.feed(Keyed("5"))
        line.feed(CallerAudio(180, frame))
        line.hang_up()
        return [
            sound.digit if isinstance(sound, events.Keyed) else (sound.at_ms, sound.mulaw)
            async for sound in line.sound()
        ], frame

    heard, frame = run(hear())
    assert heard == [(0, 3 * frame), (60, 2 * frame), (140, 2 * frame), "5", (180, frame)]


def test_C09_the_pacer_tells_how_late_the_last_line_of_a_round_was_served():
    class Slow:
        def pump(self) -> bool:
            asyncio.get_running_loop().advance(0.03)
            return False

    async def pace():
        late = []
        pacer = Pacer(late.append)
        for line in (Slow(), Slow()):
            pacer.wake(line)
        await asyncio.sleep(1)
        return late

    assert run(pace()) == [pytest.approx(60)]
