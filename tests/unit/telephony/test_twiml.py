"""The documents, read back with an XML parser."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from app.telephony import ivr, twiml


def test_connect_names_the_stream_and_catches_the_caller_afterwards() -> None:
    text = twiml.connect(
        "wss://calls.example.com/twilio/media/tok",
        parameters={"token": "tok"},
        status_url="https://calls.example.com/twilio/stream-status",
        after_url="https://calls.example.com/twilio/after-stream",
    )
    root = ElementTree.fromstring(text)
    assert [child.tag for child in root] == ["Connect", "Redirect"]
    stream = root.find("Connect/Stream")
    assert stream is not None
    assert stream.get("url") == "wss://calls.example.com/twilio/media/tok"
    assert (stream.get("statusCallback") or "").startswith("https://calls.example.com/twilio/stream-status#rc=")
    assert [(p.get("name"), p.get("value")) for p in stream] == [("token", "tok")]
    assert root.findtext("Redirect") == "https://calls.example.com/twilio/after-stream"


@pytest.mark.parametrize("text", ["</Say><Dial>+1900</Dial>", 'a & b "c"', "nul \x00 bell \x07 here", "\ud800 lone"])
def test_T11_text_cannot_become_markup(text: str) -> None:
    for document in (twiml.hang_up(text), twiml.hold(text, seconds=1, then_url="/x"), twiml.message(text)):
        root = ElementTree.fromstring(document)
        assert root.find(".//Dial") is None
    assert twiml.hang_up(text).startswith("<?xml")


def test_the_menu_speaks_every_choice_and_ends_politely_without_a_key() -> None:
    document = twiml.menu(*ivr.offer(), action_url="https://h/x?round=1", silence=ivr.SILENCE.confirmed)
    root = ElementTree.fromstring(document)
    assert [s.text for s in root.findall("Gather/Say")] == [choice.offered for choice in ivr.MENU]
    assert [child.tag for child in root] == ["Gather", "Say", "Hangup"]


@pytest.mark.parametrize(
    ("digits", "round_", "wish"),
    [
        ("1", 1, ivr.Wish.CALL_BACK),
        ("9", 3, ivr.Wish.OPT_OUT),
        ("*", 1, ivr.Wish.REPEAT),
        ("5", 1, ivr.Wish.REPEAT),
        ("5", 3, ivr.Wish.NOTHING),
        ("", 1, ivr.Wish.NOTHING),
        ("12", 1, ivr.Wish.CALL_BACK),
    ],
)
def test_one_step_through_the_menu(digits: str, round_: int, wish: ivr.Wish) -> None:
    assert ivr.step(digits, round_).wish is wish
