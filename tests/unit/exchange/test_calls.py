from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import CarrierFault
from app.exchange.calls import MOVES, TERMINAL, Call, Status

AT = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)


def a_call() -> Call:
    return Call("CA" + "0" * 31 + "1", "AC1", "+15005550009", "+15005550006", "outbound-api", AT)


def test_the_resource_is_the_carriers_to_the_letter():
    json = a_call().json()
    json.pop("subresource_uris")
    assert json == {
        "sid": "CA00000000000000000000000000000001",
        "account_sid": "AC1",
        "parent_call_sid": None,
        "to": "+15005550009",
        "from": "+15005550006",
        "to_formatted": "(500) 555-0009",
        "from_formatted": "(500) 555-0006",
        "phone_number_sid": None,
        "status": "queued",
        "start_time": None,
        "end_time": None,
        "duration": None,
        "price": None,
        "price_unit": "USD",
        "direction": "outbound-api",
        "answered_by": None,
        "api_version": "2010-04-01",
        "forwarded_from": None,
        "group_sid": None,
        "caller_name": None,
        "queue_time": "0",
        "trunk_sid": None,
        "date_created": "Fri, 20 Nov 2026 10:00:00 +0000",
        "date_updated": "Fri, 20 Nov 2026 10:00:00 +0000",
        "uri": "/2010-04-01/Accounts/AC1/Calls/CA00000000000000000000000000000001.json",
    }


def test_a_completed_call_has_its_seconds_as_text():
    call = a_call()
    for after, status in enumerate((Status.INITIATED, Status.RINGING, Status.IN_PROGRESS)):
        call.move(status, AT + timedelta(seconds=after))
    call.move(Status.COMPLETED, AT + timedelta(seconds=44))
    assert (call.json()["duration"], call.json()["end_time"]) == ("42", "Fri, 20 Nov 2026 10:00:44 +0000")


def test_initiated_is_for_callbacks_only():
    call = a_call()
    call.move(Status.INITIATED, AT)
    assert call.json()["status"] == "queued"
    assert dict(call.form())["CallStatus"] == "initiated"


@given(st.lists(st.sampled_from(list(Status)), max_size=8))
def test_no_way_leads_out_of_a_terminal_state_or_backwards(wishes: list[Status]) -> None:
    call, order = a_call(), list(Status)
    for wish in wishes:
        before = call.status
        if wish in MOVES.get(before, ()):
            call.move(wish, AT)
            assert before not in TERMINAL
            assert order.index(wish) > order.index(before)
            continue
        with pytest.raises(CarrierFault) as refusal:
            call.move(wish, AT)
        assert (refusal.value.number, call.status) == (21220, before)


def test_a_webhook_names_both_numbers_four_times():
    form = dict(a_call().form())
    assert [form[name] for name in ("From", "Caller", "To", "Called")] == ["+15005550006"] * 2 + ["+15005550009"] * 2
    assert form["ApiVersion"] == "2010-04-01"
    assert {f"{side}{part}" for side in ("From", "To", "Caller", "Called") for part in ("City", "State", "Zip")} <= set(
        form
    )


def test_an_unknown_move_says_from_what_to_what():
    with pytest.raises(CarrierFault, match="a call that is queued cannot become in-progress"):
        a_call().move(Status.IN_PROGRESS, AT)
