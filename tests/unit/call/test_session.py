"""What whole calls cannot time exactly; everything else about a session is in tests/calls."""

import asyncio

from app.call.line import StreamLine
from app.call.log import CallLog
from app.call.pacer import Pacer
from app.call.session import Session
from app.call.setup import CallSetup, Parts
from app.dialog.events import CallBegan, Keyed, ReplyEnded
from app.dialog.patience import Patience
from app.dialog.turns import Phase
from app.exchange.virtual import run
from app.ports import Say
from app.providers.scripted import (
    ScriptedDialogue,
    ScriptedSpeechToText,
    ScriptedTextToSpeech,
    ScriptedVoiceActivity,
    script,
)
from app.telephony.media_stream import Marked, MediaStream
from tests.unit.call.journal import Journal

START = '{"event":"start","streamSid":"MZ1","start":{"callSid":"CA1","accountSid":"AC1"}}'
BEGAN = CallBegan("CA1", "inbound", "+12025550111", "+12025550100", "test", 1, "", "", "")


def test_word_from_a_reply_that_was_cut_does_not_end_the_next_one():
    async def cut_as_it_ends():
        stream = MediaStream()
        stream.receive(START)
        line = StreamLine(stream, Pacer())
        dialogue = ScriptedDialogue((Say(("one two three",), "greeting"),), script({}), delay_ms=100)
        parts = Parts(dialogue, ScriptedSpeechToText(), ScriptedTextToSpeech(), ScriptedVoiceActivity())
        setup = CallSetup(BEGAN, str)
        session = Session(setup, line, parts, CallLog(Journal(), line.now_ms, setup), Patience())
        async with asyncio.TaskGroup() as group:
            holding = group.create_task(session.run(None))
            await asyncio.sleep(0.01)
            line.feed(Marked("g1-1-0"))
            await asyncio.sleep(0.3)
            opening = session._reply
            session._inbox.put_nowait((None, Keyed("1")))
            session._inbox.put_nowait((opening, ReplyEnded(closes=True)))
            await asyncio.sleep(0.05)
            seen = session._turn.phase, session._turn.number, session._reply is not opening
            line.hang_up()
        return seen, holding.result()

    seen, reason = run(cut_as_it_ends())
    assert seen == (Phase.THINKING, 1, True)
    assert reason == "caller_hung_up"
