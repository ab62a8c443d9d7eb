"""TwiML read: XML text in, a document of verbs out. What running them means is in `program.py`.

A document that is not well-formed XML with a <Response> root is refused with 12100. A verb or noun this exchange does
not know is left out and reported, as Twilio's 12200, in `Document.warnings`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from app.errors import CarrierFault
from app.exchange.verbs import (
    Connect,
    Dial,
    DialConference,
    DialNumber,
    Gather,
    Hangup,
    Message,
    Pause,
    Play,
    Record,
    Redirect,
    Reject,
    Say,
    Stream,
    Verb,
)


@dataclass(frozen=True, slots=True)
class Document:
    verbs: tuple[Verb, ...]
    warnings: tuple[str, ...] = ()


def parse(text: str) -> Document:
    """Raises CarrierFault 12100."""
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise CarrierFault(12100, "a document type declaration is not allowed in TwiML")
    try:
        root = ElementTree.fromstring(text.strip())  # noqa: S314  entities are refused above
    except ElementTree.ParseError as error:
        raise CarrierFault(12100, f"not well-formed XML: {error}") from None
    if root.tag != "Response":
        raise CarrierFault(12100, f"the root must be <Response>, not <{root.tag}>")
    warnings: list[str] = []
    verbs = _children(root, VERBS, warnings)
    return Document(tuple(verbs), tuple(warnings))


def _children(
    parent: Element, known: Mapping[str, Callable[[Element, list[str]], Verb]], warn: list[str]
) -> list[Verb]:
    verbs: list[Verb] = []
    for element in parent:
        build = known.get(element.tag)
        if build is None:
            warn.append(f"<{element.tag}> is not known in <{parent.tag}>")
            continue
        try:
            verbs.append(build(element, warn))
        except ValueError as error:
            warn.append(f"<{element.tag}>: {error}")
    return verbs


def _text(element: Element) -> str:
    return " ".join("".join(element.itertext()).split())


def _flag(element: Element, name: str, usual: bool) -> bool:
    value = element.get(name)
    return usual if value is None else value.strip().lower() == "true"


def _number(element: Element, name: str, usual: float) -> float:
    value = element.get(name)
    if value is None or not value.strip():
        return usual
    number = float(value)
    if not 0 <= number < 1e6:
        raise ValueError(f"{name} {value!r} is out of range")
    return number


def _words(element: Element, name: str, usual: tuple[str, ...]) -> tuple[str, ...]:
    value = element.get(name)
    return usual if value is None else tuple(value.split())


def _method(element: Element, name: str = "method") -> str:
    return "GET" if element.get(name, "").upper() == "GET" else "POST"


def _say(element: Element, warn: list[str]) -> Say:
    loop = int(_number(element, "loop", 1))
    return Say(_text(element), element.get("voice", ""), element.get("language", "en-US"), loop)


def _play(element: Element, warn: list[str]) -> Play:
    return Play(_text(element), element.get("digits", ""), int(_number(element, "loop", 1)))


def _pause(element: Element, warn: list[str]) -> Pause:
    return Pause(_number(element, "length", 1.0))


def _gather(element: Element, warn: list[str]) -> Gather:
    prompts = _children(element, PROMPTS, warn)
    speech = element.get("speechTimeout", "auto")
    return Gather(
        prompts=tuple(verb for verb in prompts if isinstance(verb, Say | Play | Pause)),
        input=_words(element, "input", ("dtmf",)),
        action=element.get("action", ""),
        method=_method(element),
        timeout_s=_number(element, "timeout", 5.0),
        speech_timeout_s=None if speech == "auto" else float(speech),
        num_digits=int(_number(element, "numDigits", 0)),
        finish_on_key=element.get("finishOnKey", "#"),
        action_on_empty=_flag(element, "actionOnEmptyResult", False),
    )


def _record(element: Element, warn: list[str]) -> Record:
    return Record(
        action=element.get("action", ""),
        method=_method(element),
        timeout_s=_number(element, "timeout", 5.0),
        finish_on_key=element.get("finishOnKey", "1234567890*#"),
        max_length_s=_number(element, "maxLength", 3600.0),
        play_beep=_flag(element, "playBeep", True),
        status_callback=element.get("recordingStatusCallback", ""),
    )


def _dial(element: Element, warn: list[str]) -> Dial:
    numbers: list[DialNumber] = []
    room: DialConference | None = None
    for child in element:
        if child.tag == "Number":
            numbers.append(_dial_number(child))
        elif child.tag == "Conference":
            room = _dial_conference(child)
        else:
            warn.append(f"<{child.tag}> is not known in <Dial>")
    if not numbers and (element.text or "").strip():
        numbers.append(DialNumber((element.text or "").strip()))
    return Dial(
        target=room or tuple(numbers),
        action=element.get("action", ""),
        method=_method(element),
        timeout_s=_number(element, "timeout", 30.0),
        time_limit_s=_number(element, "timeLimit", 14_400.0),
        caller_id=element.get("callerId", ""),
        hangup_on_star=_flag(element, "hangupOnStar", False),
        record=element.get("record", "do-not-record"),
        recording_callback=element.get("recordingStatusCallback", ""),
    )


def _dial_number(element: Element) -> DialNumber:
    return DialNumber(
        e164=_text(element),
        url=element.get("url", ""),
        method=_method(element),
        send_digits=element.get("sendDigits", ""),
        status_callback=element.get("statusCallback", ""),
        status_callback_events=_words(element, "statusCallbackEvent", ("completed",)),
    )


def _dial_conference(element: Element) -> DialConference:
    return DialConference(
        name=_text(element),
        label=element.get("participantLabel", ""),
        muted=_flag(element, "muted", False),
        start_on_enter=_flag(element, "startConferenceOnEnter", True),
        end_on_exit=_flag(element, "endConferenceOnExit", False),
        max_participants=int(_number(element, "maxParticipants", 250)),
        wait_url=element.get("waitUrl", ""),
        coach=element.get("coach", ""),
        status_callback=element.get("statusCallback", ""),
        status_callback_events=_words(element, "statusCallbackEvent", ()),
    )


def _connect(element: Element, warn: list[str]) -> Connect:
    stream = element.find("Stream")
    if stream is None:
        raise ValueError("holds no <Stream>")
    return Connect(
        Stream(
            url=(stream.get("url") or "").strip(),
            name=stream.get("name", ""),
            track=stream.get("track", "inbound_track"),
            status_callback=stream.get("statusCallback", ""),
            status_method=_method(stream, "statusCallbackMethod"),
            parameters=tuple((p.get("name", ""), p.get("value", "")) for p in stream.iter("Parameter")),
        )
    )


def _redirect(element: Element, warn: list[str]) -> Redirect:
    return Redirect(_text(element), _method(element))


def _reject(element: Element, warn: list[str]) -> Reject:
    return Reject(element.get("reason", "rejected"))


def _hangup(element: Element, warn: list[str]) -> Hangup:
    return Hangup()


def _message(element: Element, warn: list[str]) -> Message:
    body = element.find("Body")
    return Message(_text(element if body is None else body))


PROMPTS: Mapping[str, Callable[[Element, list[str]], Verb]] = {"Say": _say, "Play": _play, "Pause": _pause}
VERBS: Mapping[str, Callable[[Element, list[str]], Verb]] = {
    **PROMPTS,
    "Gather": _gather,
    "Record": _record,
    "Dial": _dial,
    "Connect": _connect,
    "Redirect": _redirect,
    "Reject": _reject,
    "Hangup": _hangup,
    "Message": _message,
}
