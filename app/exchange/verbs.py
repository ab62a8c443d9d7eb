"""The verbs of TwiML as values, with the carrier's defaults. Times are seconds."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Say:
    """`loop` 0 means for ever."""

    text: str
    voice: str = ""
    language: str = "en-US"
    loop: int = 1


@dataclass(frozen=True, slots=True)
class Play:
    """An audio file, or keys (`w` waits half a second)."""

    url: str = ""
    digits: str = ""
    loop: int = 1


@dataclass(frozen=True, slots=True)
class Pause:
    seconds: float = 1.0


Prompt = Say | Play | Pause


@dataclass(frozen=True, slots=True)
class Gather:
    prompts: tuple[Prompt, ...] = ()
    input: tuple[str, ...] = ("dtmf",)
    action: str = ""
    method: str = "POST"
    timeout_s: float = 5.0
    speech_timeout_s: float | None = None  # None: "auto"
    num_digits: int = 0  # 0: any number
    finish_on_key: str = "#"
    action_on_empty: bool = False


@dataclass(frozen=True, slots=True)
class Record:
    action: str = ""
    method: str = "POST"
    timeout_s: float = 5.0
    finish_on_key: str = "1234567890*#"
    max_length_s: float = 3600.0
    play_beep: bool = True
    status_callback: str = ""


@dataclass(frozen=True, slots=True)
class DialNumber:
    e164: str
    url: str = ""  # whisper TwiML for the one called, before the two are joined
    method: str = "POST"
    send_digits: str = ""
    status_callback: str = ""
    status_callback_events: tuple[str, ...] = ("completed",)


@dataclass(frozen=True, slots=True)
class DialConference:
    name: str
    label: str = ""
    muted: bool = False
    start_on_enter: bool = True
    end_on_exit: bool = False
    max_participants: int = 250
    wait_url: str = ""
    coach: str = ""
    status_callback: str = ""
    status_callback_events: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Dial:
    target: tuple[DialNumber, ...] | DialConference
    action: str = ""
    method: str = "POST"
    timeout_s: float = 30.0
    time_limit_s: float = 14_400.0
    caller_id: str = ""
    hangup_on_star: bool = False
    record: str = "do-not-record"
    recording_callback: str = ""


@dataclass(frozen=True, slots=True)
class Stream:
    """A media stream. `track` matters for <Start> only; `parameters` reach the other side in `start`."""

    url: str
    name: str = ""
    track: str = "inbound_track"
    status_callback: str = ""
    status_method: str = "POST"
    parameters: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Connect:
    """A stream in both directions: later verbs wait for its end."""

    stream: Stream


@dataclass(frozen=True, slots=True)
class Redirect:
    url: str
    method: str = "POST"


@dataclass(frozen=True, slots=True)
class Reject:
    reason: str = "rejected"


@dataclass(frozen=True, slots=True)
class Hangup:
    pass


@dataclass(frozen=True, slots=True)
class Message:
    """The reply to an inbound message."""

    body: str


Verb = Say | Play | Pause | Gather | Record | Dial | Connect | Redirect | Reject | Hangup | Message
