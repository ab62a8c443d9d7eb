"""What a bench of watchers measures with: frames off the wire, and how regularly sound arrives."""

from __future__ import annotations

import asyncio
import json
from base64 import b64encode

import pytest

from app.api.feed import Message
from app.exchange.bench_arrivals import Arrivals
from app.exchange.watchers import Seen, Watching, _frame

ACCEPTED = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n"


def framed(text: bytes, opcode: int = 0x81) -> bytes:
    if len(text) < 126:
        return bytes((opcode, len(text))) + text
    if len(text) < 1 << 16:
        return bytes((opcode, 126)) + len(text).to_bytes(2, "big") + text
    return bytes((opcode, 127)) + len(text).to_bytes(8, "big") + text


@pytest.mark.parametrize("length", [0, 5, 125, 126, 40_000, 70_000])
def test_a_frame_is_known_when_all_of_it_is_there(length: int) -> None:
    whole = framed(b"x" * length)
    begin, end = _frame(bytearray(whole + b"\x81")) or (0, 0)
    assert (end - begin, end) == (length, len(whole))
    assert all(_frame(bytearray(whole[:cut])) is None for cut in range(0, len(whole), 997))


def test_messages_are_timed_however_they_are_cut_up() -> None:
    """By the feed's own numbers: the moment of the event in thousandths of a millisecond."""
    from uuid import UUID

    news = [Message(UUID(int=1), 1_700_000_000_000_000 + n, "said", "CA1", {"text": "y" * n}).text() for n in (1, 300)]
    gap = Message(UUID(int=1), 1_700_000_000_000_500, "gap", None, {}).text()
    stream = ACCEPTED + b"".join(framed(text.encode()) for text in ("\n".join(news), gap)) + framed(b"", 0x89)

    async def main() -> Seen:
        seen = Seen()
        watching = Watching("http://localhost:1/api/v1/live?ticket=x", seen)
        for at in range(0, len(stream), 7):
            watching.data_received(stream[at : at + 7])
        await watching.opened
        return seen

    seen = asyncio.run(main())
    assert json.loads(news[0])["kind"] == "said"
    assert (len(seen.delays_ms), seen.frames, seen.gaps) == (2, 2, 1)


def test_jitter_is_told_of_pieces_in_the_middle_of_an_utterance() -> None:
    def media(ms: int) -> str:
        return f'{{"event":"media","streamSid":"MZ1","media":{{"payload":"{b64encode(bytes(8 * ms)).decode()}"}}}}'

    begin = '{"event":"mark","streamSid":"MZ1","mark":{"name":"g0-1-0"}}'
    fills = [(0, begin), (0, media(100)), (1, media(100)), (2, media(100)), (102, media(100))]
    goes_on = [(202, media(100)), (417, media(100)), (417, media(100)), (502, media(40))]
    another = [(540, begin.replace("g0-1", "g0-2")), (540, media(100)), (541, media(100))]
    arrivals = Arrivals()
    for at_ms, frame in (*fills, *goes_on, *another):
        arrivals.take(frame, float(at_ms))
    assert arrivals.jitter_ms() == [0.0, 15.0, 0.0, 15.0]
    assert [round(lasts_ms) for _, lasts_ms, _ in arrivals.pieces][-4:] == [100, 40, 100, 100]
