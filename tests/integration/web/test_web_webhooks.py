"""Webhooks against a real database: authenticity, repetition, disorder, and what is heard when we are broken."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from itertools import permutations
from urllib.parse import urlencode, urlsplit
from uuid import UUID

import psycopg
import pytest

from app.main import create_app
from app.settings import Settings
from app.store import suppressions
from app.store.connect import Database
from app.telephony.signature import sign

from .conftest import ACCOUNT, BUSINESS, CALLER, PUBLIC, TOKEN, Running, Twilio, asked_next, spoken, stream_of, verbs

pytestmark = pytest.mark.integration

Rows = Callable[..., list[tuple[object, ...]]]
Outage = Callable[[], AbstractContextManager[None]]
FORM = "application/x-www-form-urlencoded"


def webhooks(settings: Settings) -> list[str]:
    """Every POST route under /twilio, from the application itself."""
    paths = create_app(settings.model_copy(update={"docs": True})).openapi()["paths"]
    return sorted(path for path, methods in paths.items() if path.startswith("/twilio") and "post" in methods)


# --- T01: is it the carrier? ---


def test_T01_every_route_is_known_here(settings: Settings) -> None:
    assert webhooks(settings) == [
        "/twilio/after-stream",
        "/twilio/amd",
        "/twilio/message-status",
        "/twilio/recording",
        "/twilio/status",
        "/twilio/stream-status",
        "/twilio/voice",
        "/twilio/whatsapp",
    ]


def test_T01_one_altered_bit_is_refused_on_every_route(settings: Settings, twilio: Twilio, rows: Rows) -> None:
    form = {"AccountSid": ACCOUNT, "CallSid": "CA1", "MessageSid": "SM1", "From": CALLER, "To": BUSINESS}
    for path in webhooks(settings):
        good = sign(TOKEN, PUBLIC + path, form.items())
        altered = good[:-2] + ("A" if good[-2] != "A" else "B") + good[-1]
        forgeries: list[tuple[str | None, dict[str, str]]] = [
            (altered, form),
            (None, form),
            ("", form),
            (sign(TOKEN[::-1], PUBLIC + path, form.items()), form),
            (good, {**form, "To": BUSINESS[:-1] + "1"}),
            (good, {**form, "Extra": ""}),
            (sign(TOKEN, "http://internal:8000" + path, form.items()), form),
        ]
        for signature, body in forgeries:
            headers = {"Content-Type": FORM} | ({} if signature is None else {"X-Twilio-Signature": signature})
            answer = twilio.client.post(path, content=urlencode(body), headers=headers)
            assert answer.status_code == 403, (path, signature, body)
            assert answer.json()["code"] == "not_authentic"
    assert rows("select count(*) from calls")[0] == (0,)
    assert rows("select count(*) from messages")[0] == (0,)


def test_T01_either_token_is_good_while_they_are_rotated(settings: Settings, running: Running) -> None:
    old = TOKEN[::-1]
    with running(settings.model_copy(update={"twilio_auth_token_secondary": settings.twilio_auth_token})) as twilio:
        assert twilio.ring("CA1").status_code == 200
        twilio.token = old
        assert twilio.ring("CA2").status_code == 403


def test_T01_the_host_header_has_no_say(twilio: Twilio) -> None:
    body = {"AccountSid": ACCOUNT, "CallSid": "CA1", "From": CALLER, "To": BUSINESS}
    headers = {
        "Host": "evil.example",
        "X-Forwarded-Host": "evil.example",
        "Content-Type": FORM,
        "X-Twilio-Signature": sign(TOKEN, "https://evil.example/twilio/voice", body.items()),
    }
    assert twilio.client.post("/twilio/voice", content=urlencode(body), headers=headers).status_code == 403


def test_T01_a_json_body_is_only_believed_with_its_hash_in_the_url(twilio: Twilio) -> None:
    headers = {"Content-Type": "application/json", "X-Twilio-Signature": sign(TOKEN, f"{PUBLIC}/twilio/status")}
    assert twilio.client.post("/twilio/status", content=b"{}", headers=headers).status_code == 403


def test_another_account_is_refused_though_it_signs_well(twilio: Twilio) -> None:
    assert twilio.ring("CA1", AccountSid="AC" + "f" * 32).status_code == 403


# --- the ring ---


def test_a_ring_is_written_and_answered_with_a_stream(twilio: Twilio, rows: Rows) -> None:
    answer = twilio.ring("CA1")
    assert answer.headers["content-type"].startswith("text/xml")
    url, parameters = stream_of(answer)
    assert urlsplit(url).scheme == "wss"
    assert urlsplit(url).path == f"/twilio/media/{parameters['token']}"
    assert verbs(answer) == ["Connect", "Redirect"]
    assert rows("select direction, caller, called, status from calls") == [("inbound", CALLER, BUSINESS, "ringing")]
    assert rows("select phone, source from leads") == [(CALLER, "inbound_call")]
    assert parameters["token"] not in str(rows("select * from media_tokens"))


def test_providers_are_connected_before_the_stream_starts(twilio: Twilio) -> None:
    studio = twilio.studio
    answer = twilio.ring("CA1")
    assert (studio.expected, studio.casts) == (["CA1"], [])
    with twilio.stream(answer):
        pass
    twilio.ring("CA2")
    twilio.status("CA2", "canceled", 2)
    assert studio.expected == ["CA1", "CA2"]
    assert "CA2" in studio.given_up
    twilio.ring("CA3", To="+12025550199")  # nobody's number
    assert "CA3" not in studio.expected


def test_F15_the_same_call_asked_twice_is_one_call_with_one_answer(twilio: Twilio, rows: Rows) -> None:
    first, second = twilio.ring("CA1"), twilio.ring("CA1")
    assert first.text == second.text
    assert rows("select count(*) from calls") == [(1,)]
    assert rows("select count(*) from media_tokens") == [(1,)]


@pytest.mark.parametrize("caller", [CALLER, "anonymous"])
def test_T03_one_ring_replayed_fifty_times_at_once_has_one_effect(twilio: Twilio, rows: Rows, caller: str) -> None:
    with ThreadPoolExecutor(10) as threads:
        answers = list(threads.map(lambda _: twilio.ring("CA1", From=caller), range(50)))
    assert {answer.status_code for answer in answers} == {200}
    streams = {stream_of(answer)[0] for answer in answers if "Stream" in answer.text}
    assert len(streams) == 1
    assert rows("select count(*) from calls") == [(1,)]
    assert rows("select count(*) from leads") == [(1,)]
    assert rows("select count(*) from media_tokens") == [(1,)]


@pytest.mark.parametrize("caller", ["anonymous", "+266696687", "", "Restricted"])
def test_a_withheld_number_is_answered_and_remembered_as_nobody(twilio: Twilio, rows: Rows, caller: str) -> None:
    assert "Connect" in verbs(twilio.ring("CA1", From=caller))
    assert rows("select phone from leads") == [(None,)]


def test_a_number_that_is_not_ours_is_told_so(twilio: Twilio, rows: Rows) -> None:
    answer = twilio.ring("CA1", To="+12025550199")
    assert verbs(answer) == ["Say", "Hangup"]
    assert "not in service" in spoken(answer)
    assert rows("select count(*) from calls") == [(0,)]


def test_a_suppressed_person_may_call_us(twilio: Twilio, database: Database, workspace: UUID) -> None:
    with database.worker(workspace) as db:
        suppressions.add(db, CALLER, evidence="test")
    assert "Connect" in verbs(twilio.ring("CA1"))


def test_an_outbound_call_nobody_reserved_is_hung_up(twilio: Twilio, rows: Rows) -> None:
    answer = twilio.ring("CA1", Direction="outbound-api", From=BUSINESS, To=CALLER)
    assert verbs(answer) == ["Hangup"]
    unknown = "/twilio/voice?attempt=00000000-0000-0000-0000-000000000001"
    refused = twilio.ring("CA2", path=unknown, Direction="outbound-api", From=BUSINESS, To=CALLER)
    assert "Connect" not in verbs(refused)
    assert rows("select count(*) from calls") == [(0,)]


def test_F22_a_full_house_says_so_and_never_accepts_and_then_drops(twilio: Twilio, rows: Rows) -> None:
    for n in range(3):
        assert "Connect" in verbs(twilio.ring(f"CA{n}"))
    busy = twilio.ring("CA9")
    assert busy.status_code == 200
    assert "busy" in spoken(busy)
    assert verbs(busy) == ["Say", "Pause", "Redirect"]
    assert "Connect" in verbs(twilio.ring("CA1"))  # asked again about a call that has its seat
    twilio.status("CA0", "completed", 3)
    assert "Connect" in verbs(twilio.ring("CA9", path=asked_next(busy)))


# --- reports ---

LIFE = (("initiated", 0), ("ringing", 1), ("in-progress", 2), ("completed", 3))


@pytest.mark.parametrize("order", list(permutations(LIFE))[::5])
def test_F14_reports_three_times_in_any_order_never_move_a_call_backwards(
    twilio: Twilio, rows: Rows, order: tuple[tuple[str, int], ...]
) -> None:
    twilio.ring("CA1")
    rank = {status: place for place, (status, _) in enumerate(LIFE)}
    furthest = 1  # ringing
    for status, sequence in order * 3:
        assert twilio.status("CA1", status, sequence).status_code == 204
        furthest = max(furthest, rank[status])
        (now,) = rows("select status from calls")[0]
        assert rank[str(now)] == furthest
    assert rows("select count(*) from carrier_events") == [(4,)]


def test_T03_a_report_replayed_fifty_times_at_once_is_kept_once(twilio: Twilio, rows: Rows) -> None:
    twilio.ring("CA1")
    with ThreadPoolExecutor(10) as threads:
        codes = {a.status_code for a in threads.map(lambda _: twilio.status("CA1", "completed", 3), range(50))}
    assert codes <= {204, 503}  # 503: not kept, to be sent again
    assert rows("select count(*) from carrier_events") == [(1,)]


def test_the_other_reports_are_kept_once_each(twilio: Twilio, rows: Rows) -> None:
    twilio.ring("CA1")
    reports = [
        (
            "/twilio/stream-status",
            {"StreamSid": "MZ1", "StreamEvent": "stream-started", "Timestamp": "2026-11-20T10:00"},
        ),
        (
            "/twilio/stream-status",
            {"StreamSid": "MZ1", "StreamEvent": "stream-stopped", "Timestamp": "2026-11-20T10:01"},
        ),
        ("/twilio/amd", {"AnsweredBy": "human"}),
        (
            "/twilio/recording",
            {"RecordingSid": "RE1", "RecordingStatus": "completed", "RecordingUrl": "http://10.0.0.1/"},
        ),
    ]
    for path, form in reports * 2:
        assert twilio.post(path, CallSid="CA1", **form).status_code == 204
    assert rows("select count(*) from carrier_events") == [(4,)]


def test_P4_a_report_about_an_unknown_call_is_not_acknowledged(twilio: Twilio) -> None:
    for path in ("/twilio/status", "/twilio/stream-status", "/twilio/amd", "/twilio/recording"):
        assert twilio.post(path, CallSid="CAunknown", CallStatus="completed").status_code == 404


# --- the database is away ---


def test_P4_what_cannot_be_kept_is_not_acknowledged_and_heals(twilio: Twilio, rows: Rows, outage: Outage) -> None:
    twilio.ring("CA1")
    with outage():
        for path in ("/twilio/status", "/twilio/stream-status", "/twilio/recording"):
            refused = twilio.post(path, CallSid="CA1", CallStatus="completed", SequenceNumber="3")
            assert refused.status_code == 503
            assert refused.headers["Retry-After"]
        message = {"MessageSid": "SM1", "From": f"whatsapp:{CALLER}", "To": f"whatsapp:{BUSINESS}", "Body": "STOP"}
        assert twilio.post("/twilio/whatsapp", **message).status_code == 503
        assert twilio.client.get("/health/live").status_code == 200
        assert twilio.client.get("/health/ready").status_code == 503
    assert twilio.status("CA1", "completed", 3).status_code == 204


def test_F24_what_a_full_disk_does_not_take_is_not_acknowledged_and_heals(
    twilio: Twilio, rows: Rows, postgres_url: str
) -> None:
    twilio.ring("CA1")
    with psycopg.connect(postgres_url, autocommit=True) as owner:
        owner.execute(
            """
            create function disk_full() returns trigger language plpgsql as $$
            begin raise exception 'could not extend file: No space left on device' using errcode = '53100'; end $$;
            create trigger disk_full before insert on carrier_events for each row execute function disk_full();
            """
        )
        refused = twilio.post("/twilio/status", CallSid="CA1", CallStatus="completed", SequenceNumber="3")
        assert refused.status_code == 503
        assert refused.headers["Retry-After"]
        owner.execute("drop trigger disk_full on carrier_events")
    assert twilio.status("CA1", "completed", 3).status_code == 204
    assert rows("select count(*) from carrier_events") == [(1,)]
    assert twilio.client.get("/health/ready").status_code == 200


def test_P1_a_caller_is_kept_with_a_word_while_the_database_is_away(twilio: Twilio, outage: Outage) -> None:
    with outage():
        held = twilio.ring("CA1")
        assert held.status_code == 200
        assert verbs(held) == ["Say", "Pause", "Redirect"]
    again = twilio.ring("CA1", path="/twilio/voice?tries=1")
    assert "Connect" in verbs(again)


def test_P1_a_caller_is_kept_with_a_word_while_we_are_still_starting(twilio: Twilio) -> None:
    twilio.studio.ready = False
    assert verbs(twilio.ring("CA1")) == ["Say", "Pause", "Redirect"]
    assert twilio.client.get("/health/ready").json() == {"status": "starting"}
    twilio.studio.ready = True
    assert "Connect" in verbs(twilio.ring("CA1", path="/twilio/voice?tries=1"))


def test_P1_a_database_that_stays_away_ends_in_an_apology_not_in_silence(twilio: Twilio, outage: Outage) -> None:
    with outage():
        last = twilio.ring("CA1", path="/twilio/voice?tries=8")
    assert verbs(last) == ["Say", "Hangup"]
    assert "sorry" in spoken(last)


# --- WhatsApp ---


def written(twilio: Twilio, sid: str, text: str, sender: str = CALLER) -> str:
    answer = twilio.post(
        "/twilio/whatsapp", MessageSid=sid, From=f"whatsapp:{sender}", To=f"whatsapp:{BUSINESS}", Body=text
    )
    assert answer.status_code == 200
    return answer.text


def test_C06_stop_by_whatsapp_closes_every_channel_before_it_is_confirmed(
    twilio: Twilio, database: Database, workspace: UUID
) -> None:
    assert "off our list" in written(twilio, "SM1", "Stop!")
    with database.worker(workspace) as db:
        assert suppressions.is_suppressed(db, CALLER, "voice")
        assert suppressions.is_suppressed(db, CALLER, "whatsapp")


def test_T03_a_message_is_kept_once_and_confirmed_once(twilio: Twilio, rows: Rows) -> None:
    assert "off our list" in written(twilio, "SM1", "stop")
    assert "Message" not in written(twilio, "SM1", "stop")
    assert rows("select count(*) from messages") == [(1,)]
    assert rows("select count(*) from suppressions") == [(1,)]


def test_an_ordinary_message_is_kept_and_opens_the_window(twilio: Twilio, rows: Rows) -> None:
    assert "Message" not in written(twilio, "SM1", "Friday suits me")
    assert rows("select direction, sender, recipient, text from messages") == [
        ("inbound", CALLER, BUSINESS, "Friday suits me")
    ]
    assert rows("select count(*) from suppressions") == [(0,)]


def test_a_receipt_that_overtakes_our_own_answer_is_not_lost(
    twilio: Twilio, database: Database, workspace: UUID, rows: Rows
) -> None:
    from app.store import calls, messages

    twilio.ring("CA1")
    with database.worker(workspace) as db:
        call = calls.get(db, "CA1")
        assert call is not None
        claim = messages.claim(db, call.id, "details", CALLER, BUSINESS, "Here are the details.")
        assert claim is not None
    receipt = {"MessageSid": "SM9", "From": f"whatsapp:{BUSINESS}", "To": f"whatsapp:{CALLER}"}
    path = f"/twilio/message-status?reference={claim.id}"
    for status in ("delivered", "sent", "delivered"):
        assert twilio.post(path, MessageStatus=status, **receipt).status_code == 204
    assert rows("select status, provider_sid from messages") == [("delivered", "SM9")]


# --- around it ---


@pytest.mark.parametrize(
    "path", ["/health/live", "/health/ready", "/health/detailed", "/metrics", "/nowhere", "/twilio/voice"]
)
def test_T28_every_answer_carries_the_headers_that_keep_browsers_safe(twilio: Twilio, path: str) -> None:
    headers = twilio.client.get(path).headers
    assert "max-age=31536000" in headers["Strict-Transport-Security"]
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert "server" not in headers


def test_T37_the_interactive_pages_are_off_unless_asked_for(twilio: Twilio) -> None:
    assert {twilio.client.get(path).status_code for path in ("/docs", "/redoc", "/openapi.json")} == {404}


def test_T18_a_huge_body_is_refused_before_it_is_read(twilio: Twilio) -> None:
    answer = twilio.client.post("/twilio/voice", content=b"x" * 70_000, headers={"Content-Type": FORM})
    assert answer.status_code == 413


def test_T35_errors_say_nothing_about_our_insides(twilio: Twilio, outage: Outage) -> None:
    twilio.ring("CA1")
    with outage():
        body = twilio.post("/twilio/amd", CallSid="CA1", AnsweredBy="human").json()
    assert set(body) == {"type", "title", "status", "code", "request_id"}
    assert body["code"] == "store_down"


def test_T20_metrics_and_health_hold_no_number(twilio: Twilio) -> None:
    twilio.ring("CA1")
    everything = twilio.client.get("/metrics").text + twilio.client.get("/health/detailed").text
    assert "webhook_seconds" in everything
    for private in (CALLER, CALLER[-7:], BUSINESS, "CA1"):
        assert private not in everything
