"""C09: no phone that we call stops ringing before fifteen seconds, whatever is configured."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from app.errors import BadSetting
from app.providers.twilio import TwilioCarrier
from app.providers.twilio_client import connect
from app.settings import Settings

CLIENT = connect("AC" + "0" * 32, "token")


def test_C09_less_than_fifteen_seconds_of_ringing_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    TwilioCarrier(CLIENT, public_url="https://calls.example.com", ring_s=15)
    with pytest.raises(BadSetting, match="at least 15 s"):
        TwilioCarrier(CLIENT, public_url="https://calls.example.com", ring_s=14)
    monkeypatch.setenv("STROWGER_RING_S", "14")
    with pytest.raises(ValidationError):
        Settings()
    monkeypatch.setenv("STROWGER_RING_S", "15")
    assert Settings().ring_s == 15


def test_C09_the_carrier_is_asked_to_let_it_ring_so_long(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []

    class Refused(Exception):
        pass

    def create(**values: object) -> object:
        asked.append(values["timeout"])
        raise Refused

    for ring_s in (25, 40):
        carrier = TwilioCarrier(CLIENT, public_url="https://calls.example.com", ring_s=ring_s)
        monkeypatch.setattr(CLIENT.calls, "create", create)
        with pytest.raises(Refused):
            carrier.place(to="+12025550111", sender="+12025550100", reference="x")
    assert asked == [25, 40]
