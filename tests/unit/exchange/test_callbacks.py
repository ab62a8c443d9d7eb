import asyncio
from collections.abc import Mapping

import pytest
from twilio.request_validator import RequestValidator

from app.errors import CarrierFault
from app.exchange.account import Account
from app.exchange.callbacks import Courier, Rules, rules_of
from app.exchange.edges import Form, Reply, Request
from app.exchange.exchange import Exchange, Order
from app.exchange.faults import Faults
from app.exchange.leg import Subscription
from app.exchange.office import Instruction
from app.exchange.virtual import run
from app.telephony.signature import sign

TOKEN = "0123456789abcdef0123456789abcdef"
ZEROS = "0" * 32


class Replies:
    """Gives these replies in turn, and keeps what was asked."""

    def __init__(self, *replies: Reply) -> None:
        self._replies = list(replies)
        self.asked: list[Request] = []

    async def send(self, request: Request) -> Reply:
        self.asked.append(request)
        await asyncio.sleep(request.read_s if self._replies[0].failure == "rt" else 0.1)
        return self._replies.pop(0)


def courier(replies: Replies) -> Courier:
    return Courier(Account(), replies, lambda: "token")


CT, RT = Reply(failure="ct"), Reply(failure="rt")
OK, BROKEN, MISSING = Reply(200, b"<Response/>"), Reply(500), Reply(404)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://h/p?a=1", ("https://h/p?a=1", Rules())),
        ("https://h/p#rc=2&rp=ct,rt,5xx", ("https://h/p", Rules(retries=2, on=frozenset({"ct", "rt", "5xx"})))),
        ("https://h/p#ct=50&rt=99999&tt=100&rc=9", ("https://h/p", Rules(100, 15_000, 100, 5))),
        ("https://h/p#rp=all", ("https://h/p", Rules(on=frozenset({"4xx", "5xx", "ct", "rt"})))),
        ("https://h/p#rc=x&e=dublin", ("https://h/p", Rules())),
    ],
)
def test_a_url_carries_its_own_connection_rules(url: str, expected: tuple[str, Rules]) -> None:
    assert rules_of(url) == expected


@pytest.mark.parametrize(
    ("fragment", "replies", "tries"),
    [
        ("", (CT, OK), 2),
        ("", (CT, CT, OK), 2),
        ("", (BROKEN, OK), 1),
        ("", (RT, OK), 1),
        ("#rc=3&rp=5xx", (BROKEN, BROKEN, OK), 3),
        ("#rc=3&rp=5xx", (MISSING, OK), 1),
        ("#rc=3&rp=5xx", (CT, OK), 1),
        ("#rc=2&rp=all", (MISSING, CT, OK), 3),
        ("#rc=0", (CT, OK), 1),
        ("#rc=5&rp=rt&rt=4000", (RT, RT, RT, RT, OK), 4),  # 15 s in all end it
    ],
)
def test_only_what_the_rules_name_is_tried_again(fragment: str, replies: tuple[Reply, ...], tries: int) -> None:
    asked = Replies(*replies)
    run(courier(asked).send(f"https://h/p{fragment}", (("A", "1"),)))
    assert len(asked.asked) == tries
    assert {request.url for request in asked.asked} == {"https://h/p"}
    assert len({request.headers["I-Twilio-Idempotency-Token"] for request in asked.asked}) == 1


@pytest.mark.parametrize(
    ("reply", "number"),
    [(CT, 11205), (BROKEN, 11200), (RT, 11200), (Reply(200, b"{}", "application/json"), 12300)],
)
def test_a_document_that_cannot_be_had_has_its_error_number(reply: Reply, number: int) -> None:
    with pytest.raises(CarrierFault) as refusal:
        run(courier(Replies(reply, reply)).document("https://h/p", ()))
    assert refusal.value.number == number


def test_the_fallback_is_asked_with_what_went_wrong_and_where():
    asked = Replies(BROKEN, OK)
    text, url = run(courier(asked).document("https://h/p#rc=1", (("CallSid", "CA1"),), fallback="https://h/spare"))
    assert (text, url) == ("<Response/>", "https://h/spare")
    assert dict(asked.asked[1].form) == {"CallSid": "CA1", "ErrorCode": "11200", "ErrorUrl": "https://h/p"}


def test_headers_are_the_carriers():
    asked = Replies(OK)
    run(courier(asked).send("https://h/p", (("A", "1"),)))
    headers = asked.asked[0].headers
    assert headers["User-Agent"] == "TwilioProxy/1.1"
    assert headers["Content-Type"] == "application/x-www-form-urlencoded; charset=UTF-8"
    assert {"X-Twilio-Signature", "I-Twilio-Idempotency-Token", "X-Home-Region"} <= set(headers)


@pytest.mark.parametrize(
    ("url", "form", "signature"),
    [
        (
            "https://ivr.example.test/voice/inbound?tenant=acme",
            (
                ("CallSid", "CA" + ZEROS),
                ("AccountSid", "AC" + ZEROS),
                ("From", "+15005550006"),
                ("To", "+15005550009"),
                ("Digits", "1"),
            ),
            "FXvjP9uODpfZ2d7iw8uWlYqU5Tc=",
        ),
        (
            "https://ivr.example.test/voice/inbound?tenant=acme",
            (("A", "2"), ("A", "1"), ("A", "1"), ("B", "x")),
            "tqSxL4luf7cWRaTsh1zAK3n6Za8=",
        ),
        ("wss://ivr.example.test/media/s3cret", (), "+urv0sIiuJyvl11TJKGy5lr2zhg="),
    ],
)
def test_T01_signatures_match_the_published_vectors(url: str, form: Form, signature: str) -> None:
    assert sign(TOKEN, url, form) == signature


def test_a_get_is_signed_over_its_whole_url_and_carries_no_body():
    asked = Replies(OK)
    run(courier(asked).send("https://h/p?x=1", (("Digits", "1 2"),), "GET"))
    (request,) = asked.asked
    assert (request.url, request.form, request.method) == ("https://h/p?x=1&Digits=1+2", (), "GET")
    assert RequestValidator(TOKEN).validate(request.url, {}, request.headers["X-Twilio-Signature"])


# --- in a call -------------------------------------------------------------------------------------------------------

PAGES: Mapping[str, str] = {"/voice": "<Response><Pause length='5'/></Response>"}
EVENTS = ("initiated", "ringing", "answered", "completed")


def outbound(town, person) -> list[dict[str, str]]:
    async def scenario(exchange: Exchange) -> None:
        exchange.register(town.THEIRS, person())
        subscription = Subscription(f"{town.BASE}/status", "POST", EVENTS)
        exchange.place(Order(town.THEIRS, town.OURS, Instruction(f"{town.BASE}/voice"), subscription))
        await asyncio.sleep(120)

    town.play(scenario)
    return town.got("/status")


def test_status_callbacks_come_in_order_with_their_numbers(town, person):
    posts = outbound(town(PAGES), person)
    assert [(post["CallStatus"], post["SequenceNumber"]) for post in posts] == [
        ("initiated", "0"),
        ("ringing", "1"),
        ("in-progress", "2"),
        ("completed", "3"),
    ]
    assert {post["CallbackSource"] for post in posts} == {"call-progress-events"}
    assert posts[-1]["Timestamp"].endswith("+0000")
    assert (posts[-1]["CallDuration"], posts[-1]["Duration"], posts[-1]["SipResponseCode"]) == ("5", "1", "200")
    assert "CallDuration" not in posts[0]


def test_F14_duplicates_are_the_same_request_again_and_keep_their_token(town, person):
    town = town(PAGES, faults=Faults(duplicate_callbacks=2))
    posts = outbound(town, person)
    assert len(posts) == 12
    by_number: dict[str, set[str]] = {}
    for post in town.posts:
        if post.path == "/status":
            by_number.setdefault(post.form["SequenceNumber"], set()).add(post.headers["I-Twilio-Idempotency-Token"])
    assert {number: len(tokens) for number, tokens in by_number.items()} == {"0": 1, "1": 1, "2": 1, "3": 1}


def test_F14_late_callbacks_arrive_out_of_order_none_is_lost_and_a_seed_repeats_them(town, person):
    def order(seed: int) -> tuple[str, ...]:
        posts = outbound(town(PAGES, faults=Faults(late_callbacks_ms=30_000, seed=seed)), person)
        return tuple(post["SequenceNumber"] for post in posts)

    orders = [order(seed) for seed in range(6)]
    assert all(sorted(found) == ["0", "1", "2", "3"] for found in orders)
    assert set(orders) - {("0", "1", "2", "3")}
    assert order(1) == orders[1]


def test_a_slow_listener_does_not_hold_up_the_call(town):
    async def slow(form: dict[str, str]) -> str:
        await asyncio.sleep(10)
        return ""

    town = town({**PAGES, "/status": slow})
    record = town.call()
    assert record.call.seconds == 5
    assert len(town.got("/status")) == 1


def test_T01_a_webhook_of_a_call_holds_before_the_sdk_and_one_altered_bit_does_not(town):
    town = town(PAGES)
    town.call()
    validator = RequestValidator(TOKEN)
    assert {post.path for post in town.posts} == {"/voice", "/status"}
    for post in town.posts:
        signature = post.headers["X-Twilio-Signature"]
        assert validator.validate(town.BASE + post.path, post.form, signature)
        altered = {**post.form, "From": post.form["From"][:-1] + chr(ord(post.form["From"][-1]) ^ 1)}
        assert not validator.validate(town.BASE + post.path, altered, signature)
