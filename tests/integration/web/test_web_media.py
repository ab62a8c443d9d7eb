"""The media socket: who may open one, and what becomes of a call whose socket is lost."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from urllib.parse import urlsplit
from uuid import UUID
from xml.etree import ElementTree

import httpx2
import pytest
from starlette.websockets import WebSocketDisconnect

from app import playbooks as shipped
from app.api.context import web_of
from app.dialog.events import AgentSaid, CallBegan, CallEnded, CallResumed
from app.store import call_events, playbooks, suppressions
from app.store.connect import Database
from app.telephony.signature import sign

from .conftest import ACCOUNT, BUSINESS, CALLER, PUBLIC, TOKEN, Stream, Twilio, spoken, stream_of, verbs

pytestmark = pytest.mark.integration

Rows = Callable[..., list[tuple[object, ...]]]
Outage = Callable[[], AbstractContextManager[None]]


def after_stream(twilio: Twilio, answer: httpx2.Response, sid: str = "CA1", **form: str) -> httpx2.Response:
    """What the carrier asks when the stream of `answer` is over: the URL of its <Redirect>."""
    url = ElementTree.fromstring(answer.text).findtext("Redirect") or ""
    return twilio.post(url.removeprefix(PUBLIC), CallSid=sid, From=CALLER, CallStatus="in-progress", **form)


def purposes(database: Database, workspace: UUID, sid: str = "CA1") -> list[str]:
    with database.worker(workspace) as db:
        return [e.fact.purpose for e in call_events.read(db, sid) if isinstance(e.fact, AgentSaid)]


def kinds(database: Database, workspace: UUID, sid: str = "CA1") -> list[object]:
    with database.worker(workspace) as db:
        return [e.fact for e in call_events.read(db, sid)]


# --- T02 ---


def test_a_call_is_held_from_ring_to_goodbye_and_leaves_one_outcome(
    twilio: Twilio, database: Database, workspace: UUID, rows: Rows
) -> None:
    answer = twilio.ring("CA1")
    with twilio.stream(answer) as stream:
        assert stream.listen(marks=2) > 0
        stream.press("1")
        assert stream.until_closed() == 1000
    assert verbs(after_stream(twilio, answer)) == ["Hangup"]
    twilio.status("CA1", "completed", 3)
    assert purposes(database, workspace) == ["greeting", "goodbye"]
    assert rows("select count(*) from outcomes") == [(1,)]
    assert ("score",) in rows("select kind from outbox")


def refused(twilio: Twilio, path: str, signature: str | None = None) -> int:
    """The HTTP status a handshake is refused with."""
    with pytest.raises(WebSocketDisconnect) as refusal, twilio.open_stream(path, signature=signature):
        pass
    return refusal.value.code


def test_T02_unsigned_wrongly_signed_and_unknown_sockets_are_refused_before_they_are_accepted(twilio: Twilio) -> None:
    path = urlsplit(stream_of(twilio.ring("CA1"))[0]).path
    wss = PUBLIC.replace("https", "wss")
    assert refused(twilio, path, "") == 1008
    assert refused(twilio, path, sign(TOKEN, PUBLIC + path)) == 1008  # the https spelling
    assert refused(twilio, path, sign(TOKEN[::-1], wss + path)) == 1008
    assert refused(twilio, path[:-1] + ("A" if path[-1] != "A" else "B")) == 1008
    with twilio.open_stream(path):
        pass  # none of that used the token up


def test_T02_a_token_admits_one_socket_once(twilio: Twilio) -> None:
    answer = twilio.ring("CA1")
    path = urlsplit(stream_of(answer)[0]).path
    with twilio.stream(answer) as stream:
        stream.listen()
        assert refused(twilio, path) == 1008
        stream.hang_up()
        stream.until_closed()
    assert refused(twilio, path) == 1008


def test_T02_F25_a_token_older_than_a_minute_is_refused(twilio: Twilio, rows: Rows) -> None:
    path = urlsplit(stream_of(twilio.ring("CA1"))[0]).path
    past = "issued_at = issued_at - interval '61 s', expires_at = expires_at - interval '61 s'"
    rows(f"update media_tokens set {past} returning 1")
    assert refused(twilio, path) == 1008


@pytest.mark.parametrize(
    ("changes", "parameters"),
    [
        ({"callSid": "CA2"}, None),
        ({"accountSid": "AC" + "f" * 32}, None),
        ({}, {"token": "another"}),
        ({}, {}),
    ],
)
def test_T02_a_stream_of_another_call_account_or_token_is_closed(
    twilio: Twilio, rows: Rows, changes: dict[str, str], parameters: dict[str, str] | None
) -> None:
    answer = twilio.ring("CA1")
    url, good = stream_of(answer)
    with twilio.open_stream(urlsplit(url).path) as socket:
        stream = Stream(socket, "CA1")
        stream.start(good if parameters is None else parameters, **changes)
        assert stream.until_closed() == 1008
    assert rows("select count(*) from call_events") == [(0,)]


# --- F19: the socket is lost while the leg is up ---


def lose(twilio: Twilio, answer: httpx2.Response, sid: str = "CA1") -> None:
    """The stream begins, the greeting is heard, and the socket breaks without a stop."""
    with twilio.stream(answer, sid) as stream:
        stream.listen()


def test_F19_a_lost_stream_is_opened_again_and_the_dialogue_goes_on(
    twilio: Twilio, database: Database, workspace: UUID, rows: Rows
) -> None:
    first = twilio.ring("CA1")
    lose(twilio, first)
    second = after_stream(twilio, first)
    assert stream_of(second)[0] != stream_of(first)[0]
    with twilio.stream(second) as stream:
        stream.listen()
        stream.press("1")
        assert stream.until_closed() == 1000
    assert verbs(after_stream(twilio, second)) == ["Hangup"]
    assert purposes(database, workspace) == ["greeting", "resumed", "goodbye"]
    facts = kinds(database, workspace)
    assert [type(f) for f in facts if isinstance(f, CallBegan | CallResumed)] == [CallBegan, CallResumed]
    assert [f.reason for f in facts if isinstance(f, CallEnded)] == ["media_lost", "finished"]
    with database.worker(workspace) as db:
        numbers = [entry.seq for entry in call_events.read(db, "CA1")]
    assert numbers == list(range(1, len(numbers) + 1))
    assert rows("select count(*) from outcomes") == [(1,)]


def test_F19_after_two_losses_the_caller_gets_an_apology_and_a_keypad(twilio: Twilio, rows: Rows) -> None:
    answer = twilio.ring("CA1")
    for _ in range(2):
        lose(twilio, answer)
        answer = after_stream(twilio, answer)
    lose(twilio, answer)
    menu = after_stream(twilio, answer)
    assert verbs(menu) == ["Gather", "Say", "Hangup"]
    assert "sorry" in spoken(menu)
    assert rows("select count(*) from outcomes") == [(0,)]  # the call goes on


def keyed(twilio: Twilio, digits: str, menu: int = 1) -> httpx2.Response:
    return twilio.post(f"/twilio/after-stream?stream=3&menu={menu}", CallSid="CA1", From=CALLER, Digits=digits)


def test_P7_nine_is_an_opt_out_durable_before_it_is_confirmed(
    twilio: Twilio, database: Database, workspace: UUID, rows: Rows, outage: Outage
) -> None:
    lose(twilio, twilio.ring("CA1"))
    with outage():
        held = keyed(twilio, "9")
        assert "off our list" not in spoken(held)
        assert "pressed=9" in held.text
    said = keyed(twilio, "9")
    assert "off our list" in spoken(said)
    assert verbs(said) == ["Say", "Hangup"]
    with database.worker(workspace) as db:
        assert suppressions.is_suppressed(db, CALLER, "voice")
    assert rows("select result from outcomes") == [("opted_out",)]
    keyed(twilio, "9")  # a repeated delivery
    assert rows("select count(*) from outcomes") == [(1,)]
    assert rows("select count(*) from suppressions") == [(1,)]


def test_one_is_a_call_back_and_anything_else_hears_the_menu_again(twilio: Twilio, rows: Rows) -> None:
    lose(twilio, twilio.ring("CA1"))
    assert verbs(keyed(twilio, "5")) == ["Gather", "Say", "Hangup"]
    assert verbs(keyed(twilio, "5", menu=3)) == ["Say", "Hangup"]
    lose(twilio, twilio.ring("CA2"), "CA2")
    said = twilio.post("/twilio/after-stream?stream=3&menu=1", CallSid="CA2", From=CALLER, Digits="1")
    assert "call you back" in spoken(said)
    assert rows("select o.result from outcomes o join calls c on c.id = o.call_id where c.call_sid = 'CA2'") == [
        ("human_requested",)
    ]


def test_F16_a_leg_that_ends_while_its_stream_is_lost_gets_its_outcome_from_the_log(twilio: Twilio, rows: Rows) -> None:
    lose(twilio, twilio.ring("CA1"))
    assert rows("select count(*) from outcomes") == [(0,)]
    twilio.status("CA1", "completed", 3)
    assert rows("select result from outcomes") == [("media_lost",)]


def test_P1_a_stream_lost_while_the_database_is_away_is_held_and_then_resumed(twilio: Twilio, outage: Outage) -> None:
    first = twilio.ring("CA1")
    lose(twilio, first)
    with outage():
        held = after_stream(twilio, first)
        assert verbs(held) == ["Say", "Pause", "Redirect"]
    assert "Connect" in verbs(after_stream(twilio, held))


def test_F18_garbage_on_one_socket_leaves_the_other_call_alone(twilio: Twilio) -> None:
    good = twilio.ring("CA1")
    bad_url, parameters = stream_of(twilio.ring("CA2"))
    with twilio.stream(good) as stream, twilio.open_stream(urlsplit(bad_url).path) as socket:
        stream.listen()
        broken = Stream(socket, "CA2", sid="MZ2")
        broken.start(parameters)
        for _ in range(25):
            socket.send_text("{]")
        assert broken.until_closed() == 1007
        stream.press("1")
        assert stream.until_closed() == 1000


def test_an_unknown_call_that_asks_what_comes_next_is_hung_up(twilio: Twilio) -> None:
    assert verbs(twilio.post("/twilio/after-stream", CallSid="CAunknown")) == ["Hangup"]
    assert ACCOUNT.startswith("AC")


# --- P2 ---


@pytest.mark.parametrize("person", ["+12025550142", ""])
def test_F13_a_caller_who_wants_a_person_is_put_through_to_the_one_of_the_playbook(
    twilio: Twilio, database: Database, workspace: UUID, person: str
) -> None:
    text = shipped.text_of("northlight_solar")
    named = text.replace("  timezone:", f'  transfer: "{person}"\n  timezone:', 1) if person else text
    with database.worker(workspace) as db:
        playbooks.publish(db, "northlight_solar", named, "a test")
    answer = twilio.ring("CA1")
    board = web_of(twilio.client).board
    board.left("CA1", "transferred")
    told = after_stream(twilio, answer)
    if person:
        assert verbs(told) == ["Dial", "Say", "Hangup"]
        dial = ElementTree.fromstring(told.text).find("Dial")
        assert dial is not None
        assert (dial.text, dial.attrib["callerId"]) == (person, BUSINESS)
        assert "A person will call you back" in spoken(told)  # when nobody answers there
    else:
        assert "Dial" not in verbs(told)
    assert board.end_reason("CA1") is None
