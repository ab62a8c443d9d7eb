"""The few TwiML documents we answer with, as functions. Every value is escaped by the XML writer, never by hand."""

from __future__ import annotations

import re
from collections.abc import Mapping
from xml.etree.ElementTree import Element, SubElement, tostring

# What XML 1.0 cannot hold even escaped; a caller's name or a playbook must not be able to break the document.
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

# Twilio repeats a callback that fails with 5xx or a timeout only when the URL's fragment asks for it. The fragment is
# neither sent nor signed ("Webhooks connection overrides").
RETRY = "#rc=4&rp=ct,rt,5xx"


def connect(stream_url: str, *, parameters: Mapping[str, str], status_url: str, after_url: str) -> str:
    """A bidirectional media stream, then a redirect that catches the caller when our socket ends, however it ends."""
    root = Element("Response")
    stream = SubElement(
        SubElement(root, "Connect"),
        "Stream",
        {"url": stream_url, "statusCallback": status_url + RETRY, "statusCallbackMethod": "POST"},
    )
    for name, value in parameters.items():
        SubElement(stream, "Parameter", {"name": name, "value": _clean(value)})
    _redirect(root, after_url)
    return _document(root)


def hang_up(*spoken: str) -> str:
    """Says the sentences, if any, and ends the call."""
    root = Element("Response")
    for sentence in spoken:
        _say(root, sentence)
    SubElement(root, "Hangup")
    return _document(root)


def hold(spoken: str, *, seconds: int, then_url: str) -> str:
    """Says one sentence, waits, and asks again: keeps the caller while something of ours comes back."""
    root = Element("Response")
    _say(root, spoken)
    SubElement(root, "Pause", {"length": str(seconds)})
    _redirect(root, then_url)
    return _document(root)


def redirect(url: str) -> str:
    """Somebody else answers."""
    root = Element("Response")
    _redirect(root, url)
    return _document(root)


def put_through(number: str, *, caller_id: str, failed: str, language: str, limit_s: int = 3600) -> str:
    """To a person's telephone, which shows `caller_id`; says `failed` when nobody answers there."""
    root = Element("Response")
    given = {"callerId": caller_id, "timeout": "25", "timeLimit": str(limit_s), "answerOnBridge": "true"}
    SubElement(root, "Dial", given).text = _clean(number)
    SubElement(root, "Say", {"language": "es-US" if language.startswith("es") else "en-US"}).text = _clean(failed)
    SubElement(root, "Hangup")
    return _document(root)


def menu(*spoken: str, action_url: str, silence: str, wait_s: int = 6) -> str:
    """Speaks a keypad menu and posts the key to `action_url`; says `silence` and ends the call when no key comes."""
    root = Element("Response")
    gather = SubElement(
        root,
        "Gather",
        {"input": "dtmf", "numDigits": "1", "timeout": str(wait_s), "action": action_url, "method": "POST"},
    )
    for sentence in spoken:
        _say(gather, sentence)
    _say(root, silence)
    SubElement(root, "Hangup")
    return _document(root)


def nothing() -> str:
    """The empty answer: for messages it means "no reply"."""
    return _document(Element("Response"))


def message(text: str) -> str:
    """Replies to an inbound message."""
    root = Element("Response")
    SubElement(root, "Message").text = _clean(text)
    return _document(root)


def _say(parent: Element, text: str) -> None:
    SubElement(parent, "Say", {"language": "en-US"}).text = _clean(text)


def _redirect(parent: Element, url: str) -> None:
    SubElement(parent, "Redirect", {"method": "POST"}).text = url


def _clean(text: str) -> str:
    return _NOT_XML.sub("", text)


def _document(root: Element) -> str:
    return '<?xml version="1.0" encoding="UTF-8"?>' + tostring(root, encoding="unicode")
