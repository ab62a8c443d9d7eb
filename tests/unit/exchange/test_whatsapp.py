"""Messages: the 24-hour window, templates, delivery, and people who write."""

import asyncio
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import CarrierFault
from app.exchange.content import Template
from app.exchange.exchange import OPENED
from app.exchange.faults import Faults
from app.exchange.whatsapp import Delays, Draft

US, THEM = "whatsapp:+12025550100", "whatsapp:+12025550111"


def sent(town, draft=None, *, before=None, hours: float = 0.0):
    """A message sent, and its end. `before` runs first, then so many hours pass."""

    async def scenario(exchange):
        extra = await before(exchange) if before is not None else {}
        await asyncio.sleep(hours * 3600)
        message = exchange.messages.create(
            draft or Draft(THEM, US, "hello", status_callback=f"{town.BASE}/sms", **extra)
        )
        assert (message.status, message.error_code) == ("queued", None)
        await asyncio.sleep(60)
        return message

    return town.play(scenario)


async def they_wrote(exchange):
    await exchange.messages.receive(THEM, US, "hi", profile="Ann")
    return {}


@pytest.mark.parametrize(
    ("hours", "status"), [(0, "read"), (23.9999, "read"), (24.0001, "undelivered"), (48, "undelivered")]
)
def test_C51_free_text_passes_for_24_hours_after_the_persons_last_message(town, hours: float, status: str) -> None:
    message = sent(town({}), before=they_wrote, hours=hours)
    assert message.status == status
    assert message.error_code == (63016 if status == "undelivered" else None)


def test_a_violation_is_told_by_callback_only(town):
    town = town({})
    sent(town)
    queued, failed = town.got("/sms")
    assert queued["MessageStatus"] == "queued"
    assert (failed["MessageStatus"], failed["SmsStatus"], failed["ErrorCode"]) == (
        "undelivered",
        "undelivered",
        "63016",
    )


def test_a_delivered_message_is_told_step_by_step(town):
    town = town({})
    message = sent(town, before=they_wrote)
    posts = town.got("/sms")
    assert [post["MessageStatus"] for post in posts] == ["queued", "sent", "delivered", "read"]
    assert {post["MessageSid"] for post in posts} == {message.sid}
    assert posts[-1]["EventType"] == "READ"
    assert posts[0]["ChannelPrefix"] == "whatsapp"
    assert posts[0]["ChannelToAddress"] == "+12025550111"


def test_somebody_may_never_open_it(town):
    async def unread(exchange):
        exchange.messages.delays = Delays(read_s=None)
        return await they_wrote(exchange)

    assert sent(town({}), before=unread).status == "delivered"


def test_F29_callbacks_may_come_twice_and_in_any_order(town):
    orders = set()
    for seed in range(5):
        scene = town({}, faults=Faults(duplicate_callbacks=1, late_callbacks_ms=10_000, seed=seed))
        sent(scene, before=they_wrote)
        order = tuple(post["MessageStatus"] for post in scene.got("/sms"))
        assert sorted(order) == sorted(["queued", "sent", "delivered", "read"] * 2)
        orders.add(order)
    assert len(orders) > 1


# --- templates -------------------------------------------------------------------------------------------------------


async def with_template(exchange, **approval):
    sid = exchange.messages.add_template("visit", "Hi {{1}}, see you {{2}}")
    exchange.messages.templates[sid].approval.update(approval)
    return {"content_sid": sid, "content_variables": '{"1":"Ann","2":"Tuesday"}'}


def test_an_approved_template_opens_a_conversation(town):
    message = sent(town({}), before=with_template)
    assert (message.status, message.body) == ("read", "Hi Ann, see you Tuesday")


def test_a_template_keeps_its_own_name_and_is_approved_under_one_that_is_allowed(town):
    async def scenario(exchange):
        return exchange.messages.templates[exchange.messages.add_template("Northlight.visit-1", "Hi")]

    template = town({}).play(scenario)
    assert (template.friendly_name, template.approval["name"]) == ("Northlight.visit-1", "northlight_visit_1")


def test_what_no_variable_is_given_for_keeps_its_sample():
    template = Template(
        "HX1", "AC1", "n", "en", {"1": "you", "2": "soon"}, {"twilio/text": {"body": "{{1}} {{2}}"}}, OPENED
    )
    assert template.filled('{"1": "Ann"}') == "Ann soon"


def test_one_that_is_not_approved_does_not(town):
    async def pending(exchange):
        return await with_template(exchange, status="pending")

    assert sent(town({}), before=pending).error_code == 63016


def test_C52_marketing_is_not_delivered_to_the_united_states(town):
    async def marketing(exchange):
        return await with_template(exchange, category="MARKETING")

    assert sent(town({}), before=marketing).error_code == 63049


@pytest.mark.parametrize("variables", ["{", "[]", '{"1": 2}', '{"1": ""}', '{"1": "two\\nlines"}', '{"1": "a     b"}'])
def test_variables_that_whatsapp_would_not_take_are_21656(variables: str) -> None:
    template = Template("HX1", "AC1", "n", "en", {}, {"twilio/text": {"body": "{{1}}"}}, OPENED)
    with pytest.raises(CarrierFault) as refusal:
        template.filled(variables)
    assert refusal.value.number == 21656


@given(st.text("abc {}12\\$&", min_size=1).filter(lambda text: text.strip() and "     " not in text))
def test_a_value_is_put_in_as_it_is(value: str) -> None:
    template = Template("HX1", "AC1", "n", "en", {}, {"twilio/text": {"body": "<{{1}}>"}}, OPENED)
    assert template.filled(json.dumps({"1": value})) == f"<{value}>"


# --- refusals --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("draft", "number"),
    [
        (Draft(THEM, "", "x"), 21603),
        (Draft("", "+12025550100", "x"), 21604),
        (Draft("+12025550111", US, "x"), 21910),
        (Draft("whatsapp:hello", US, "x"), 21211),
        (Draft(THEM, "whatsapp:+12025550777", "x"), 63007),
        (Draft("+12025550111", "+12025550777", "x"), 21606),
        (Draft(THEM, US), 21602),
        (Draft(THEM, US, "x" * 1601), 21617),
        (Draft(THEM, US, content_sid="HX0"), 21655),
        (Draft("whatsapp:+15005550004", US, "x"), 21610),
        (Draft("+15005550009", "+12025550100", "x"), 21614),
    ],
)
def test_what_the_api_refuses_at_once(town, draft: Draft, number: int) -> None:
    async def scenario(exchange):
        with pytest.raises(CarrierFault) as refusal:
            exchange.messages.create(draft)
        return refusal.value.number, len(exchange.messages.all)

    assert town({}).play(scenario) == (number, 0)


def test_a_recipient_may_be_made_unreachable(town):
    async def blocked(exchange):
        exchange.messages.undeliverable[THEM] = 63024
        return await they_wrote(exchange)

    assert sent(town({}), before=blocked).error_code == 63024


# --- in --------------------------------------------------------------------------------------------------------------


def test_a_person_writes_and_the_application_answers(town):
    town = town({"/whatsapp": "<Response><Message>Thanks, <Body>noted</Body></Message></Response>"})

    async def scenario(exchange):
        message = await exchange.messages.receive(THEM, US, "Yes", button="confirm", profile="Ann")
        await asyncio.sleep(60)
        return message, [other for other in exchange.messages.all.values() if other is not message]

    message, (reply,) = town.play(scenario)
    (form,) = town.got("/whatsapp")
    assert form["MessageSid"] == form["SmsMessageSid"] == form["SmsSid"] == message.sid
    assert (form["From"], form["To"], form["Body"], form["SmsStatus"]) == (THEM, US, "Yes", "received")
    assert (form["ProfileName"], form["WaId"], form["NumMedia"]) == ("Ann", "12025550111", "0")
    assert (form["MessageType"], form["ButtonText"], form["ButtonPayload"]) == ("button", "Yes", "confirm")
    assert (reply.to, reply.from_, reply.body, reply.direction, reply.status) == (
        THEM,
        US,
        "noted",
        "outbound-reply",
        "read",
    )


def test_a_webhook_that_fails_is_reported_and_the_window_is_open_all_the_same(town):
    async def scenario(exchange):
        await exchange.messages.receive(THEM, US, "hi")
        return [alert.number for alert in exchange.office.alerts], exchange.messages.window_open(US, THEM)

    assert town({"/whatsapp": 500}).play(scenario) == ([11200], True)
