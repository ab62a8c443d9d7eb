"""What all calls of one exchange share."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from app.exchange import sound
from app.exchange.account import Account, Clock, Number, Sids
from app.exchange.callbacks import Courier, Notices
from app.exchange.calls import Call
from app.exchange.conference import Rooms
from app.exchange.edges import Form, Sockets
from app.exchange.phones import Phone
from app.exchange.recording import Recording
from app.exchange.ticker import Ticker


@dataclass(frozen=True, slots=True)
class Instruction:
    """Where the next TwiML comes from: `twiml` itself, or a URL asked with the call's parameters and `extra`."""

    url: str = ""
    method: str = "POST"
    twiml: str = ""
    extra: Form = ()
    fallback: str = ""


class Live(Protocol):
    """A call that goes on now, as far as the API may touch it."""

    def redirect(self, instruction: Instruction) -> None: ...

    def hang_up(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Alert:
    """One line of the carrier's debugger."""

    at: datetime
    number: int
    message: str
    call_sid: str = ""


@dataclass(frozen=True, slots=True)
class Config:
    """`calls_per_second` limits calls placed through the API; `base_url` is where the API itself is reached.

    `plain_sockets` lets a stream URL begin with ws://, which the real carrier refuses with 31922.
    """

    base_url: str = "http://127.0.0.1:9101"
    calls_per_second: float = 1.0
    ring_delay_s: float = 0.2
    plain_sockets: bool = False
    voice: sound.Voice = sound.murmured
    detection_s: float = 4.0  # how long answering machine detection listens
    seed: int | None = 0  # of identifiers; None, as on a server, makes other ones every time


@dataclass(slots=True)
class Office:
    """Built by the Exchange; a leg finds here whatever is not its own."""

    account: Account
    config: Config
    clock: Clock
    sids: Sids
    courier: Courier
    sockets: Sockets
    notices: Notices  # for what belongs to no single call
    rooms: Rooms
    dice: random.Random
    ticker: Ticker = field(default_factory=Ticker)
    numbers: dict[str, Number] = field(default_factory=dict)
    phones: dict[str, Phone] = field(default_factory=dict)
    calls: dict[str, Call] = field(default_factory=dict)
    legs: dict[str, Live] = field(default_factory=dict)
    recordings: dict[str, Recording] = field(default_factory=dict)
    alerts: list[Alert] = field(default_factory=list)

    def alert(self, number: int, message: str, call_sid: str = "") -> None:
        self.alerts.append(Alert(self.clock.now(), number, message, call_sid))
