"""The Messenger against an endpoint that speaks Twilio's REST, through the official SDK over real HTTP."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from app.errors import ProviderDown, ProviderError, ProviderRefused, ProviderUncertain
from app.providers.twilio_client import connect
from app.providers.whatsapp import WhatsApp
from workers.chaos.letterbox import Answer, Letterbox

TO, SENDER = "+12025550111", "+12025550100"
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


@pytest.fixture
def box() -> Iterator[Letterbox]:
    with Letterbox(templates=("northlight_solar.callback",)) as box:
        yield box


@pytest.fixture
def whatsapp(box: Letterbox) -> WhatsApp:
    return whatsapp_at(box.url)


def whatsapp_at(url: str) -> WhatsApp:
    client = connect("AC" + "0" * 32, "secret", url, timeout_s=30)
    return WhatsApp(client, status_url="https://calls.example.com/twilio/message-status")


def send(whatsapp: WhatsApp, **changes: object) -> str:
    message: dict[str, object] = {"to": TO, "sender": SENDER, "text": "Thanks!", "template": None, "reference": "m-1"}
    return whatsapp.send(**{**message, **changes})  # type: ignore[arg-type]


def test_free_text_goes_out_as_body_and_brings_its_reference(box: Letterbox, whatsapp: WhatsApp) -> None:
    sid = send(whatsapp)
    (letter,) = box.letters
    assert letter.sid == sid
    assert letter.form == {
        "To": "whatsapp:+12025550111",
        "From": "whatsapp:+12025550100",
        "Body": "Thanks!",
        "StatusCallback": "https://calls.example.com/twilio/message-status?reference=m-1",
    }


def test_C51_template_goes_out_by_its_id_with_clean_variables_and_no_body(box: Letterbox, whatsapp: WhatsApp) -> None:
    send(whatsapp, template="northlight_solar.callback", variables=("Ann\tLee", "  Tuesday\n10:00", ""))
    (letter,) = box.letters
    assert letter.form["ContentSid"].startswith("HX")
    assert json.loads(letter.form["ContentVariables"]) == {"1": "Ann Lee", "2": "Tuesday 10:00", "3": "-"}
    assert "Body" not in letter.form


def test_C51_template_that_is_not_approved_yet_waits_and_nothing_is_sent(box: Letterbox, whatsapp: WhatsApp) -> None:
    with pytest.raises(ProviderDown, match="no approved WhatsApp template"):
        send(whatsapp, template="northlight_solar.unknown")
    assert box.letters == ()


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (Answer(accept=False, status=400, code=63049), ProviderRefused),
        (Answer(accept=False, status=400, code=21610), ProviderRefused),
        (Answer(accept=False, status=400, code=63018), ProviderDown),
        (Answer(accept=False, status=429, code=20429), ProviderDown),
        (Answer(accept=False, status=401, code=20003), ProviderDown),
        (Answer(accept=True, status=500), ProviderUncertain),
        (Answer(accept=False, status=503), ProviderUncertain),
        (Answer(accept=True, hang=True), ProviderUncertain),
    ],
)
def test_F29_every_bad_end_of_a_request_is_one_of_three(
    box: Letterbox, whatsapp: WhatsApp, answer: Answer, expected: type[ProviderError]
) -> None:
    box.next(answer)
    with pytest.raises(ProviderError) as caught:
        send(whatsapp)
    assert type(caught.value) is expected
    assert caught.value.provider_code in (answer.code, answer.status, None)


def test_T20_no_error_repeats_the_persons_number(box: Letterbox, whatsapp: WhatsApp) -> None:
    box.next(Answer(accept=False, status=400, code=21211))
    with pytest.raises(ProviderRefused) as caught:
        send(whatsapp)
    assert TO.removeprefix("+") not in str(caught.value)
    assert caught.value.__suppress_context__


def test_nothing_was_accepted_when_nobody_listens() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    with pytest.raises(ProviderDown):
        send(whatsapp_at(f"http://127.0.0.1:{port}"))


def test_F29_a_request_that_got_no_answer_in_time_is_unknown() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        client = connect("AC" + "0" * 32, "secret", f"http://127.0.0.1:{silent.getsockname()[1]}", timeout_s=0.05)
        with pytest.raises(ProviderUncertain):
            send(WhatsApp(client))


def test_F29_what_was_accepted_without_an_answer_is_found_by_listing(box: Letterbox, whatsapp: WhatsApp) -> None:
    box.next(Answer(accept=True, status=500))
    with pytest.raises(ProviderUncertain):
        send(whatsapp)
    (found,) = whatsapp.sent(to=TO, sender=SENDER, since=LONG_AGO)
    assert (found.sid, found.text) == (box.letters[0].sid, "Thanks!")
    assert whatsapp.sent(to=TO, sender=SENDER, since=datetime.now(UTC) + timedelta(minutes=1)) == ()
    assert whatsapp.sent(to="+12025550112", sender=SENDER, since=LONG_AGO) == ()


def test_text_longer_than_twilio_takes_is_refused_here(box: Letterbox, whatsapp: WhatsApp) -> None:
    with pytest.raises(ProviderRefused):
        send(whatsapp, text="x" * 1601)
    assert box.letters == ()


def test_templates_are_asked_for_again_after_ten_minutes(box: Letterbox) -> None:
    now = 0.0
    whatsapp = WhatsApp(connect("AC" + "0" * 32, "secret", box.url), clock=lambda: now)
    send(whatsapp, template="northlight_solar.callback")
    box.withdraw_templates()
    send(whatsapp, template="northlight_solar.callback")
    now = 601.0
    with pytest.raises(ProviderDown):
        send(whatsapp, template="northlight_solar.callback")
