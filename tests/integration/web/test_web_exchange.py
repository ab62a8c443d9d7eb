"""The web process and the exchange over real HTTP and WebSockets, the exchange driven by Twilio's own SDK."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from app.calling import PlacedCall, place_call
from app.dialog.events import AgentSaid, AnsweredBy, CallResumed
from app.exchange.account import Number
from app.exchange.calls import Status
from app.exchange.faults import Faults
from app.exchange.machines import Mailbox
from app.exchange.office import Config
from app.exchange.personas import Persona, Press, Speak, Step, WaitForAgent
from app.exchange.server import serving as exchange_serving
from app.exchange.sound import murmur, murmured
from app.providers.seats import ServedSeats
from app.providers.twilio import TwilioCarrier
from app.providers.twilio_client import connect
from app.settings import Settings
from app.store import call_events, consents
from app.store.connect import Database
from app.store.consents import NewConsent
from workers.campaigns import Dialler

from .conftest import ACCOUNT, BUSINESS, CALLER, PUBLIC, TOKEN, Server, serving, verbs
from .test_web_calling import RULES

pytestmark = [pytest.mark.integration, pytest.mark.realtime]

Rows = Callable[..., list[tuple[object, ...]]]
OURS = Number(
    BUSINESS,
    voice_url=f"{PUBLIC}/twilio/voice",
    status_callback=f"{PUBLIC}/twilio/status",
    status_callback_events=("initiated", "ringing", "answered", "completed"),
)


def a_person(*script: Step) -> Persona:
    return Persona("talk to us", "murmur", murmured, script)


async def eventually(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not holds():  # noqa: ASYNC110 - another process and the real clock: there is nothing to wait on
            await asyncio.sleep(0.05)


def routes(server: Server) -> dict[str, str]:
    return {PUBLIC: f"http://127.0.0.1:{server.port}"}


def seats(server: Server) -> ServedSeats:
    return ServedSeats(PUBLIC, TOKEN, reached_at=f"http://127.0.0.1:{server.port}")


def facts(database: Database, workspace: UUID, sid: str) -> list[object]:
    with database.worker(workspace) as db:
        return [entry.fact for entry in call_events.read(db, sid)]


def said(database: Database, workspace: UUID, sid: str) -> list[str]:
    return [fact.purpose for fact in facts(database, workspace, sid) if isinstance(fact, AgentSaid)]


def test_a_call_rings_is_held_and_ends_over_the_network(
    server: Server, database: Database, workspace: UUID, rows: Rows
) -> None:
    async def scenario() -> str:
        async with exchange_serving(port=0, routes=routes(server)) as exchange:
            exchange.add_number(OURS)
            person = a_person(WaitForAgent(), Press("1"))
            record = await exchange.dial_in(CALLER, BUSINESS, person)
            assert record.alerts == ()
            assert record.call.status is Status.COMPLETED
            assert len(record.streams) == 1
            return record.call.sid

    sid = asyncio.run(scenario())
    assert said(database, workspace, sid) == ["greeting", "goodbye"]
    assert rows("select status from calls") == [("completed",)]
    assert rows("select count(*) from outcomes") == [(1,)]


def test_F19_a_media_socket_that_breaks_is_opened_again_within_the_same_call(
    server: Server, database: Database, workspace: UUID, rows: Rows
) -> None:
    async def scenario() -> str:
        async with exchange_serving(port=0, routes=routes(server)) as exchange:
            exchange.add_number(OURS)
            person = a_person(WaitForAgent(), WaitForAgent(), Press("1"))
            record = await exchange.dial_in(CALLER, BUSINESS, person, Faults(reset_socket_after_ms=1500))
            assert record.call.status is Status.COMPLETED
            return record.call.sid

    sid = asyncio.run(scenario())
    assert said(database, workspace, sid).count("greeting") == 1
    assert any(isinstance(fact, CallResumed) for fact in facts(database, workspace, sid))
    assert rows("select count(*) from outcomes") == [(1,)]


def test_the_sdk_places_a_call_through_the_gate_and_we_answer_it(
    server: Server, database: Database, workspace: UUID, rows: Rows
) -> None:
    with database.worker(workspace) as db:
        yesterday = datetime.now(UTC) - timedelta(days=1)
        consents.give(db, NewConsent(CALLER, "marketing", "written", "I agree to be called ...", "form 17", yesterday))

    async def scenario() -> PlacedCall:
        async with exchange_serving(port=0, routes=routes(server), config=Config(calls_per_second=100)) as exchange:
            exchange.add_number(OURS)
            exchange.register(CALLER, a_person(WaitForAgent(), Press("1")))
            client = connect(ACCOUNT, TOKEN, exchange.office.config.base_url)
            carrier = TwilioCarrier(client, public_url=PUBLIC)
            assert await asyncio.to_thread(carrier.voice_url, BUSINESS) == f"{PUBLIC}/twilio/voice"
            placed = await asyncio.to_thread(
                lambda: place_call(database, carrier, CALLER, ours=BUSINESS, seats=seats(server), rules=RULES)
            )
            since = datetime.now(UTC) - timedelta(days=1)
            assert placed.call_sid in await asyncio.to_thread(
                lambda: carrier.placed(to=CALLER, sender=BUSINESS, since=since)
            )
            await eventually(lambda: exchange.office.calls[placed.call_sid].status is Status.COMPLETED)
            await asyncio.to_thread(carrier.hang_up, placed.call_sid)  # over already: that is what was asked for
            return placed

    placed = asyncio.run(scenario())
    assert said(database, workspace, placed.call_sid) == ["greeting", "goodbye"]
    assert rows("select direction, attempt_id from calls") == [("outbound", placed.attempt_id)]


def test_C09_a_campaigns_call_is_judged_by_its_log_and_by_the_carriers_reports(
    server: Server, database: Database, workspace: UUID, rows: Rows
) -> None:
    with database.worker(workspace) as db:
        yesterday = datetime.now(UTC) - timedelta(days=1)
        consents.give(db, NewConsent(CALLER, "marketing", "written", "I agree to be called ...", "form 17", yesterday))

    async def scenario() -> None:
        async with exchange_serving(port=0, routes=routes(server), config=Config(calls_per_second=100)) as exchange:
            exchange.add_number(OURS)
            exchange.register(CALLER, a_person(Speak("Hello"), WaitForAgent(), Press("1")))
            carrier = TwilioCarrier(connect(ACCOUNT, TOKEN, exchange.office.config.base_url), public_url=PUBLIC)
            placed = await asyncio.to_thread(
                lambda: place_call(database, carrier, CALLER, ours=BUSINESS, seats=seats(server), rules=RULES)
            )
            rows(  # what the dialler of a campaign writes before and after it dials
                "with c as (insert into campaigns (workspace_id, name, playbook, state, created_by) "
                "select workspace_id, 'Spring', playbook, 'running', 'test' from phone_numbers limit 1 returning *) "
                "insert into campaign_leads (workspace_id, campaign_id, lead_id, position, state, call_sid) "
                "select c.workspace_id, c.id, k.lead_id, 1, 'called', k.call_sid from c, calls k returning 1"
            )
            await eventually(lambda: exchange.office.calls[placed.call_sid].status is Status.COMPLETED)
            await eventually(lambda: rows("select 1 from outcomes") == [(1,)])

    asyncio.run(scenario())
    assert Dialler(database).judge() == 1
    ((answer, wait_ms),) = rows("select answer, wait_ms from campaign_leads")
    assert answer == "connected"
    assert isinstance(wait_ms, int)
    assert 0 <= wait_ms <= 2000


def test_a_mailbox_that_answers_is_hung_up_on_and_the_outcome_says_so(
    server: Server, database: Database, workspace: UUID, rows: Rows
) -> None:
    with database.worker(workspace) as db:
        yesterday = datetime.now(UTC) - timedelta(days=1)
        consents.give(db, NewConsent(CALLER, "marketing", "written", "I agree to be called ...", "form 17", yesterday))

    config = Config(calls_per_second=100, detection_s=1.0)

    async def scenario() -> str:
        async with exchange_serving(port=0, routes=routes(server), config=config) as exchange:
            exchange.add_number(OURS)
            exchange.register(CALLER, Mailbox((200, murmur(9000))))
            client = connect(ACCOUNT, TOKEN, exchange.office.config.base_url)
            carrier = TwilioCarrier(client, public_url=PUBLIC, detects_machines=True)
            placed = await asyncio.to_thread(
                lambda: place_call(database, carrier, CALLER, ours=BUSINESS, seats=seats(server), rules=RULES)
            )
            await eventually(lambda: exchange.office.calls[placed.call_sid].status is Status.COMPLETED)
            await eventually(lambda: rows("select 1 from outcomes") == [(1,)])
            return placed.call_sid

    sid = asyncio.run(scenario())
    assert rows("select result, reason from outcomes") == [("voicemail", "voicemail")]
    answered = [fact for fact in facts(database, workspace, sid) if isinstance(fact, AnsweredBy)]
    assert answered[-1].kind == "voicemail"
    assert answered[-1].at_ms < 2500  # by the voice alone it would not have been known so soon
    assert rows("select count(*) from carrier_events where key like 'amd/%'") == [(1,)]


def test_F21_a_killed_process_leaves_a_call_that_the_next_one_takes_up(
    settings: Settings, database: Database, workspace: UUID
) -> None:
    with serving(settings) as first:
        line = first.begin("CA1")
        asyncio.run(eventually(lambda: said(database, workspace, "CA1") == ["greeting"]))
        first.process.kill()
        line.socket.close()
    with serving(settings) as second:
        answer = second.post("/twilio/after-stream?stream=1", CallSid="CA1")
        assert "Connect" in verbs(answer)
        with second.stream(answer, "CA1"):
            asyncio.run(eventually(lambda: said(database, workspace, "CA1") == ["greeting", "resumed"]))
