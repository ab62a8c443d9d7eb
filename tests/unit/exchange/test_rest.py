"""The REST API in memory, on the virtual clock: shapes, pages, filters, conferences, numbers."""

import asyncio
from contextlib import asynccontextmanager

import httpx
import pytest

from app.exchange.account import Account
from app.exchange.personas import HangUp, Persona, Silence
from app.exchange.rest import api
from app.exchange.sound import murmured

ACCOUNT = Account(keys={"SK1": "secret"})
HERE = f"/2010-04-01/Accounts/{Account().sid}"
PAUSE = "<Response><Pause length='20'/></Response>"


@asynccontextmanager
async def rest(exchange, auth=(ACCOUNT.sid, ACCOUNT.token)):
    transport = httpx.ASGITransport(app=api(exchange))
    async with httpx.AsyncClient(transport=transport, base_url="http://exchange.test", auth=auth) as client:
        yield client


def asked(town, scenario, pages=None):
    async def play(exchange):
        async with rest(exchange) as client:
            return await scenario(exchange, client)

    return town(pages or {}).play(play)


def an_order(town, **fields):
    return {"To": town.THEIRS, "From": town.OURS, "Twiml": PAUSE, **fields}


def test_a_list_says_where_it_is_and_where_it_goes_on(town):
    async def scenario(exchange, client):
        for _ in range(3):
            await client.post(f"{HERE}/Calls.json", data=an_order(town))
        first = (await client.get(f"{HERE}/Calls.json?PageSize=2&To=%2B12025550111")).json()
        second = (await client.get(first["next_page_uri"])).json()
        return first, second

    first, second = asked(town, scenario)
    assert len(first.pop("calls")) == 2
    assert first == {
        "page": 0,
        "page_size": 2,
        "start": 0,
        "end": 1,
        "uri": f"{HERE}/Calls.json?To=%2B12025550111&PageSize=2&Page=0",
        "first_page_uri": f"{HERE}/Calls.json?To=%2B12025550111&PageSize=2&Page=0",
        "previous_page_uri": None,
        "next_page_uri": f"{HERE}/Calls.json?To=%2B12025550111&PageSize=2&Page=1",
    }
    assert (len(second["calls"]), second["next_page_uri"]) == (1, None)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", 1),
        ("StartTime>=2026-11-20", 1),
        ("StartTime>=2026-11-21", 0),
        ("StartTime<=2026-11-20", 0),
        ("StartTime=2026-11-20", 1),
        ("StartTime>=2026-11-20T09:59:00Z&StartTime<=2026-11-20T10:05:00Z", 1),
        ("EndTime>=2026-11-20", 0),
        ("Status=queued", 0),
        ("Status=ringing", 1),
        ("From=%2B12025550100", 1),
    ],
)
def test_calls_are_found_by_time_number_and_state(town, person, query: str, found: int) -> None:
    async def scenario(exchange, client):
        exchange.register(town.THEIRS, person())
        await client.post(f"{HERE}/Calls.json", data=an_order(town))
        await asyncio.sleep(0.5)
        return (await client.get(f"{HERE}/Calls.json?{query}")).json()["calls"]

    assert len(asked(town, scenario)) == found


def test_repeated_events_and_flags_reach_the_call(town, person):
    async def scenario(exchange, client):
        exchange.register(town.THEIRS, person())
        await client.post(
            f"{HERE}/Calls.json",
            data=an_order(
                town,
                StatusCallback="https://app.test/status",
                StatusCallbackEvent=["ringing", "answered", "sung"],
                Record="true",
            ),
        )
        await asyncio.sleep(60)
        return len(exchange.office.recordings), [alert.number for alert in exchange.office.alerts]

    scene = town({})

    async def play(exchange):
        async with rest(exchange) as client:
            return await scenario(exchange, client)

    assert scene.play(play) == (1, [21626])
    assert [post["CallStatus"] for post in scene.got("/status")] == ["ringing", "in-progress"]


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", f"{HERE}/Songs.json", 404, 20404),
        ("GET", f"{HERE}/Recordings/RE0.wav", 404, 20404),
        ("GET", f"{HERE}/Messages/SM0.json", 404, 20404),
        ("GET", f"{HERE}/Conferences/CF0.json", 404, 20404),
        ("GET", "/v1/Content/HX0", 404, 20404),
        ("PUT", f"{HERE}/Calls.json", 405, 20004),
        ("POST", f"{HERE}/Calls.json", 400, 21201),
        ("POST", f"{HERE}/Messages.json", 400, 21603),
        ("GET", f"{HERE}/Calls.json?PageSize=none", 400, 20001),
        ("GET", f"{HERE}/Calls.json?StartTime=tomorrow", 400, 20001),
    ],
)
def test_every_error_has_the_carriers_shape(town, method: str, path: str, status: int, code: int) -> None:
    async def scenario(exchange, client):
        return await client.request(method, path)

    answer = asked(town, scenario)
    body = answer.json()
    assert (answer.status_code, body["status"], body["code"]) == (status, status, code)
    assert body["more_info"] == f"https://www.twilio.com/docs/errors/{code}"
    assert body["message"]


@pytest.mark.parametrize("auth", [None, (Account().sid, "x"), ("AC2", Account().token), (Account().sid, "")])
def test_without_the_right_password_nothing_is_answered(town, auth) -> None:
    async def scenario(exchange):
        async with rest(exchange, auth) as client:
            return [(await client.get(path)).status_code for path in (f"{HERE}.json", "/v1/Content", "/nothing")]

    assert town({}).play(scenario) == [401, 401, 401]


def test_an_api_key_opens_it_too():
    assert ACCOUNT.admits("SK1", "secret")
    assert not ACCOUNT.admits("SK2", "")
    assert not ACCOUNT.admits("SK1", ACCOUNT.token)


def test_a_numbers_webhooks_can_be_read_and_set(town):
    async def scenario(exchange, client):
        listed = await client.get(f"{HERE}/IncomingPhoneNumbers.json?PhoneNumber=%2B12025550100")
        (number,) = listed.json()["incoming_phone_numbers"]
        path = f"{HERE}/IncomingPhoneNumbers/{number['sid']}.json"
        await client.post(path, data={"VoiceUrl": "https://new.test/voice", "VoiceMethod": "GET"})
        return number, (await client.get(path)).json(), exchange.office.numbers[town.OURS].voice_url

    before, after, now = asked(town, scenario)
    assert before["voice_url"] == "https://app.test/voice"
    assert (after["voice_url"], after["voice_method"], now) == (
        "https://new.test/voice",
        "GET",
        "https://new.test/voice",
    )
    assert after["sms_url"] == before["sms_url"]


ROOM = {"/voice": "<Response><Dial><Conference participantLabel='lead'>call-4711</Conference></Dial></Response>"}


def test_an_agent_is_called_into_a_conference_and_put_on_hold(town, person):
    async def scenario(exchange, client):
        exchange.register(town.SECOND, person(Silence(600_000)))
        caller = Persona("", "", murmured, (Silence(120_000), HangUp()))
        async with asyncio.TaskGroup() as group:
            lead = group.create_task(exchange.dial_in(town.THEIRS, town.OURS, caller))
            await asyncio.sleep(5)
            invitation = {"From": town.OURS, "To": town.SECOND, "Label": "agent", "EndConferenceOnExit": "true"}
            path = f"{HERE}/Conferences/call-4711/Participants"
            made = (await client.post(f"{path}.json", data=invitation)).json()
            await asyncio.sleep(5)
            there = (await client.get(f"{path}.json")).json()["participants"]
            held = (await client.post(f"{path}/lead.json", data={"Hold": "true"})).json()
            again = (await client.post(f"{path}.json", data=invitation)).json()
            (room,) = (await client.get(f"{HERE}/Conferences.json?Status=in-progress")).json()["conferences"]
            await client.delete(f"{path}/agent.json")
        gone = (await client.get(f"{HERE}/Conferences/{room['sid']}.json")).json()
        return lead.result(), made, there, held, again, gone

    lead, made, there, held, again, gone = asked(town, scenario, ROOM)
    assert [(one["label"], one["end_conference_on_exit"]) for one in there] == [("lead", False), ("agent", True)]
    assert there[1]["call_sid"] == made["call_sid"]
    assert held["hold"] is True
    assert again["code"] == 16025
    assert (gone["friendly_name"], gone["status"]) == ("call-4711", "completed")
    assert lead.call.seconds == 10


def test_a_conference_can_be_ended(town):
    async def scenario(exchange, client):
        caller = Persona("", "", murmured, ())
        async with asyncio.TaskGroup() as group:
            lead = group.create_task(exchange.dial_in(town.THEIRS, town.OURS, caller))
            await asyncio.sleep(5)
            await client.post(f"{HERE}/Conferences/call-4711.json", data={"Status": "completed"})
        return lead.result().call.seconds

    assert asked(town, scenario, ROOM) == 5


def test_a_message_can_be_redacted_cancelled_and_deleted(town):
    async def scenario(exchange, client):
        fields = {"To": town.THEIRS, "From": town.OURS, "Body": "secret"}
        sid = (await client.post(f"{HERE}/Messages.json", data=fields)).json()["sid"]
        path = f"{HERE}/Messages/{sid}.json"
        redacted = (await client.post(path, data={"Body": ""})).json()["body"]
        late = (await client.post(path, data={"Status": "canceled"})).json()["code"]
        later = {
            **fields,
            "MessagingServiceSid": "MG1",
            "ScheduleType": "fixed",
            "SendAt": "2026-11-20T12:00:00Z",
        }
        scheduled = (await client.post(f"{HERE}/Messages.json", data=later)).json()
        cancelled = await client.post(f"{HERE}/Messages/{scheduled['sid']}.json", data={"Status": "canceled"})
        await asyncio.sleep(3 * 3600)
        still = (await client.get(f"{HERE}/Messages/{scheduled['sid']}.json")).json()["status"]
        deleted = (await client.delete(path)).status_code
        return redacted, late, scheduled["status"], cancelled.json()["status"], still, deleted

    assert asked(town, scenario) == ("", 30409, "scheduled", "canceled", "canceled", 204)
