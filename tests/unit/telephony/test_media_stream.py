import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import BadFrame
from app.telephony.media_stream import CallerAudio, Keyed, Marked, MediaStream, Started, Stopped

SID = "MZ00000000000000000000000000000001"
START = (
    '{"event":"start","sequenceNumber":"1","start":{"accountSid":"AC01","streamSid":"MZ","callSid":"CA01",'
    '"tracks":["inbound"],"mediaFormat":{"encoding":"audio/x-mulaw","sampleRate":8000,"channels":1},'
    '"customParameters":{"lead_id":"4711"}},"streamSid":"MZ"}'.replace('"MZ"', f'"{SID}"')
)


def media(payload: str = "////", at: str = "5", **more: object) -> str:
    return json.dumps(
        {
            "event": "media",
            "sequenceNumber": "3",
            "media": {"track": "inbound", "chunk": "1", "timestamp": at, "payload": payload},
            "streamSid": SID,
            **more,
        }
    )


@pytest.fixture
def stream() -> MediaStream:
    stream = MediaStream()
    assert stream.receive('{"event":"connected","protocol":"Call","version":"1.0.0"}') is None
    assert stream.receive(START) == Started("CA01", "AC01", SID, {"lead_id": "4711"})
    return stream


@pytest.mark.parametrize(
    ("frame", "event"),
    [
        (media("fn9+"), CallerAudio(5, b"\x7e\x7f\x7e")),
        (media("fn9+", sequenceNumber="9000", news={"a": 1}), CallerAudio(5, b"\x7e\x7f\x7e")),
        (
            f'{{"event":"dtmf","streamSid":"{SID}","sequenceNumber":"41",'
            '"dtmf":{"track":"inbound_track","digit":"#"}}',
            Keyed("#"),
        ),
        (
            f'{{"event":"mark","sequenceNumber":"57","streamSid":"{SID}","mark":{{"name":"g7-1-300"}}}}',
            Marked("g7-1-300"),
        ),
        (f'{{"event":"stop","streamSid":"{SID}","stop":{{"accountSid":"AC01","callSid":"CA01"}}}}', Stopped()),
        (f'{{"event":"weather","streamSid":"{SID}"}}', None),
        (media("////").replace('"inbound"', '"outbound"'), None),
    ],
)
def test_frames_become_events(stream, frame, event):
    assert stream.receive(frame) == event
    assert stream.receive(frame.encode()) == event


@pytest.mark.parametrize(
    "frame",
    [
        "",
        "nonsense",
        "[]",
        "7",
        '"media"',
        "{}",
        '{"event":"media"}',
        media("not base64!"),
        media("///"),
        media(at="soon"),
        media().replace(SID, "MZ99"),
        f'{{"event":"dtmf","streamSid":"{SID}","dtmf":{{"digit":"12"}}}}',
        f'{{"event":"dtmf","streamSid":"{SID}","dtmf":{{"digit":"A"}}}}',
        f'{{"event":"mark","streamSid":"{SID}","mark":{{}}}}',
        f'{{"event":"mark","streamSid":"{SID}","mark":{{"name":7}}}}',
        START,
        "[" * 100_000,
    ],
)
def test_F18_a_malformed_frame_is_refused_and_the_stream_goes_on(stream, frame):
    with pytest.raises(BadFrame):
        stream.receive(frame)
    assert stream.receive(media()) == CallerAudio(5, b"\xff\xff\xff")


@pytest.mark.parametrize("kind", ["media", "mark", "dtmf", "stop"])
def test_F18_nothing_is_accepted_before_start(kind):
    with pytest.raises(BadFrame):
        MediaStream().receive(json.dumps({"event": kind, "streamSid": SID, kind: {}}))


def test_another_encoding_is_refused():
    with pytest.raises(BadFrame, match="audio/l16"):
        MediaStream().receive(START.replace("audio/x-mulaw", "audio/l16"))


def test_gaps_and_disorder_in_the_counters_do_not_matter(stream):
    times = ["5", "25", "125", "65"]
    assert [stream.receive(media(at=at)).at_ms for at in times] == [5, 25, 125, 65]


def test_commands_are_frames_the_carrier_reads(stream):
    audio = bytes(range(256))
    assert json.loads(stream.speak(audio)) == {
        "event": "media",
        "streamSid": SID,
        "media": {"payload": base64.b64encode(audio).decode()},
    }
    assert json.loads(stream.mark('g1-2-"3"')) == {"event": "mark", "streamSid": SID, "mark": {"name": 'g1-2-"3"'}}
    assert json.loads(stream.clear()) == {"event": "clear", "streamSid": SID}


def test_no_command_before_start():
    with pytest.raises(BadFrame):
        MediaStream().clear()


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
KINDS = st.sampled_from(["connected", "start", "media", "dtmf", "mark", "stop", "news"])


@given(
    st.lists(
        st.one_of(
            st.text(),
            st.binary(),
            st.just(START),
            JSON.map(json.dumps),
            st.builds(
                lambda kind, body, sid: json.dumps({"event": kind, kind: body, "streamSid": sid}),
                KINDS,
                JSON,
                st.sampled_from([SID, "MZ99"]) | JSON,
            ),
        )
    )
)
def test_F18_whatever_comes_only_BadFrame_is_raised(frames):
    stream = MediaStream()
    for frame in frames:
        try:
            stream.receive(frame)
        except BadFrame:
            continue
