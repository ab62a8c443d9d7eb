"""`strowger call`: the gate, the reservation and the carrier, against a real database."""

from __future__ import annotations

import ast
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from app.api.context import web_of
from app.calling import Reservation, place_call
from app.compliance.rules import Hours, Rules, Window, load
from app.errors import BadInput, Busy, CallRefused, ProviderDown, ProviderUncertain
from app.providers.scripted import ScriptedSeats
from app.sales.prices import shipped
from app.sales.spending import open_call_usd
from app.store import consents, suppressions
from app.store.connect import Database
from app.store.consents import NewConsent

from .conftest import BUSINESS, CALLER, Twilio, verbs

pytestmark = pytest.mark.integration

Rows = Callable[..., list[tuple[object, ...]]]


class ScriptedCarrier:
    """Writes down what it is asked to dial. Raises `failure` instead, when there is one."""

    def __init__(self, failure: Exception | None = None) -> None:
        self.placed: list[tuple[str, str, str]] = []
        self.failure = failure

    def place(self, *, to: str, sender: str, reference: str) -> str:
        self.placed.append((to, sender, reference))
        if self.failure:
            raise self.failure
        return f"CA{len(self.placed)}"

    def hang_up(self, call_sid: str) -> None:
        return


def rules_for_any_hour() -> Rules:
    """These tests run at any hour, and the gate does not believe a clock that differs from the database's."""
    always = Window(time(0, 0), time(23, 59, 59, 999_999))
    shipped = load()
    us = shipped.countries["US"]
    whole = replace(us.whole, hours=Hours(always, always, always, always))
    return replace(shipped, countries={"US": replace(us, whole=whole)})


RULES = rules_for_any_hour()


def agree(database: Database, workspace: UUID, phone: str = CALLER, **changes: str) -> None:
    usual = {"purpose": "marketing", "kind": "written", "wording": "I agree to be called ...", "evidence": "form 17"}
    with database.worker(workspace) as db:
        consents.give(
            db, NewConsent(phone=phone, given_at=datetime.now(UTC) - timedelta(days=1), **{**usual, **changes})
        )


def test_C02_without_written_consent_nobody_is_called_and_the_refusal_is_kept(
    database: Database, workspace: UUID, rows: Rows
) -> None:
    carrier = ScriptedCarrier()
    agree(database, workspace, kind="oral")
    with pytest.raises(CallRefused, match="no recorded written consent"):
        place_call(database, carrier, CALLER, ours=BUSINESS, seats=ScriptedSeats(), rules=RULES)
    assert carrier.placed == []
    assert rows("select verdict, rules from decisions") == [("deny", ["C02.consent"])]
    assert rows("select count(*) from attempts") == [(0,)]


def test_a_call_that_is_allowed_is_decided_reserved_dialled_and_recorded(
    database: Database, workspace: UUID, rows: Rows
) -> None:
    carrier = ScriptedCarrier()
    agree(database, workspace)
    placed = place_call(database, carrier, "+1 (202) 555-0111", ours=BUSINESS, seats=ScriptedSeats(), rules=RULES)
    assert carrier.placed == [(CALLER, BUSINESS, str(placed.attempt_id))]
    assert rows("select verdict from decisions") == [("allow",)]
    assert rows("select id, number from attempts") == [(placed.attempt_id, 1)]
    assert rows("select call_sid, direction, caller, called, status from calls") == [
        ("CA1", "outbound", BUSINESS, CALLER, "queued")
    ]


def test_P5_fifty_at_once_dial_once(database: Database, workspace: UUID, rows: Rows) -> None:
    carrier = ScriptedCarrier()
    agree(database, workspace)

    def dial(_: int) -> bool:
        try:
            place_call(database, carrier, CALLER, ours=BUSINESS, seats=ScriptedSeats(), rules=RULES)
        except CallRefused:
            return False
        return True

    with ThreadPoolExecutor(4) as threads:
        assert sum(threads.map(dial, range(50))) == 1
    assert len(carrier.placed) == 1
    assert rows("select count(*) from attempts") == [(1,)]


@pytest.mark.parametrize("what", ["suppressed", "revoked"])
def test_C07_C06_who_asked_to_be_left_alone_is_not_called(database: Database, workspace: UUID, what: str) -> None:
    agree(database, workspace)
    with database.worker(workspace) as db:
        if what == "suppressed":
            suppressions.add(db, CALLER, evidence="test")
        else:
            consents.revoke(db, CALLER, "said so", datetime.now(UTC))
    with pytest.raises(CallRefused):
        place_call(database, ScriptedCarrier(), CALLER, ours=BUSINESS, seats=ScriptedSeats(), rules=RULES)


def test_C03_F25_a_clock_the_database_contradicts_calls_nobody(database: Database, workspace: UUID, rows: Rows) -> None:
    agree(database, workspace)
    wrong = datetime.now(UTC) + timedelta(hours=1)
    with pytest.raises(CallRefused, match="clock"):
        place_call(
            database, ScriptedCarrier(), CALLER, ours=BUSINESS, seats=ScriptedSeats(), rules=RULES, now=lambda: wrong
        )
    assert rows("select count(*) from attempts") == [(0,)]


def test_a_carrier_that_may_have_dialled_is_not_asked_again(database: Database, workspace: UUID, rows: Rows) -> None:
    agree(database, workspace)
    with pytest.raises(ProviderUncertain):
        place_call(
            database,
            ScriptedCarrier(ProviderUncertain("no answer")),
            CALLER,
            ours=BUSINESS,
            seats=ScriptedSeats(),
            rules=RULES,
        )
    with pytest.raises(CallRefused, match="4 hours"):
        place_call(database, ScriptedCarrier(), CALLER, ours=BUSINESS, seats=ScriptedSeats(), rules=RULES)
    assert rows("select count(*) from attempts") == [(1,)]


def test_what_is_no_number_or_not_ours_is_bad_input(database: Database, workspace: UUID) -> None:
    with pytest.raises(BadInput, match="country code"):
        place_call(database, ScriptedCarrier(), "555 0111", ours=BUSINESS, seats=ScriptedSeats(), rules=RULES)
    with pytest.raises(BadInput, match="TWILIO_NUMBER"):
        place_call(database, ScriptedCarrier(), CALLER, ours="+12025550199", seats=ScriptedSeats())


def test_the_placed_call_is_answered_by_us_and_its_reports_find_it(
    twilio: Twilio, database: Database, workspace: UUID, rows: Rows
) -> None:
    """Also when the carrier's webhooks overtake its answer to us: here the row is not there yet."""
    agree(database, workspace)

    class Hasty(ScriptedCarrier):
        def place(self, *, to: str, sender: str, reference: str) -> str:
            path = f"/twilio/status?attempt={reference}"
            form = {"CallSid": "CA7", "From": sender, "To": to, "Direction": "outbound-api"}
            assert twilio.post(path, CallStatus="initiated", SequenceNumber="0", **form).status_code == 204
            answer = twilio.post(f"/twilio/voice?attempt={reference}", CallStatus="in-progress", **form)
            assert "Connect" in verbs(answer)
            return "CA7"

    placed = place_call(database, Hasty(), CALLER, ours=BUSINESS, seats=ScriptedSeats(), rules=RULES)
    assert rows("select call_sid, direction, attempt_id from calls") == [("CA7", "outbound", placed.attempt_id)]


def test_providers_are_connected_while_the_phone_rings_and_given_up_when_nobody_answers(
    twilio: Twilio, database: Database, workspace: UUID
) -> None:
    agree(database, workspace)
    studio = twilio.studio
    placed = place_call(database, ScriptedCarrier(), CALLER, ours=BUSINESS, seats=ScriptedSeats(), rules=RULES)
    path = f"/twilio/status?attempt={placed.attempt_id}"
    form = {"CallSid": "CA1", "From": BUSINESS, "To": CALLER, "Direction": "outbound-api"}

    def report(status: str, sequence: str) -> None:
        assert twilio.post(path, CallStatus=status, SequenceNumber=sequence, **form).status_code == 204

    report("initiated", "0")
    assert studio.expected == []
    report("ringing", "1")
    assert (studio.expected, studio.given_up) == (["CA1"], [])
    report("no-answer", "2")
    assert "CA1" in studio.given_up
    report("ringing", "1")  # sent again, too late
    assert studio.expected == ["CA1"]


def test_C09_without_a_seat_nobody_is_dialled_and_no_attempt_counts(
    database: Database, workspace: UUID, rows: Rows
) -> None:
    agree(database, workspace)
    carrier = ScriptedCarrier()
    with pytest.raises(Busy):
        place_call(database, carrier, CALLER, ours=BUSINESS, seats=ScriptedSeats(0), rules=RULES)
    assert carrier.placed == []
    assert rows("select count(*) from attempts") == [(0,)]


def test_C09_the_seat_is_kept_under_the_attempt_before_the_carrier_is_asked(
    database: Database, workspace: UUID
) -> None:
    agree(database, workspace)
    seats, kept = ScriptedSeats(), []

    class Watching(ScriptedCarrier):
        def place(self, *, to: str, sender: str, reference: str) -> str:
            kept.extend(seats.kept)
            return super().place(to=to, sender=sender, reference=reference)

    placed = place_call(database, Watching(), CALLER, ours=BUSINESS, seats=seats, rules=RULES)
    assert kept == seats.kept == [placed.attempt_id]


@pytest.mark.parametrize(("failure", "kept"), [(ProviderDown("no"), 0), (ProviderUncertain("no answer"), 1)])
def test_C09_a_seat_is_free_again_when_it_is_sure_that_nobody_was_dialled(
    database: Database, workspace: UUID, failure: Exception, kept: int
) -> None:
    agree(database, workspace)
    seats = ScriptedSeats()
    with pytest.raises(type(failure)):
        place_call(database, ScriptedCarrier(failure), CALLER, ours=BUSINESS, seats=seats, rules=RULES)
    assert len(seats.kept) == kept


def test_C09_a_seat_is_asked_for_with_our_signature_and_the_answered_call_takes_it(
    twilio: Twilio, database: Database, workspace: UUID
) -> None:
    agree(database, workspace)
    board = web_of(twilio.client).board
    live: list[int] = []

    class Asked(ScriptedSeats):
        def keep(self, attempt: UUID) -> None:
            path = f"/internal/seats/{attempt}"
            assert twilio.post(path, signed_as="forged").status_code == 403
            live.append(board.live())
            assert twilio.post(path).status_code == 204
            live.append(board.live())

    class Prompt(ScriptedCarrier):
        def place(self, *, to: str, sender: str, reference: str) -> str:
            form = {"CallSid": "CA7", "From": sender, "To": to, "Direction": "outbound-api"}
            answer = twilio.post(f"/twilio/voice?attempt={reference}", CallStatus="in-progress", **form)
            assert "Connect" in verbs(answer)
            live.append(board.live())
            assert twilio.post(f"/internal/seats/{reference}/free").status_code == 204  # too late: the call has it
            live.append(board.live())
            return "CA7"

    place_call(database, Prompt(), CALLER, ours=BUSINESS, seats=Asked(), rules=RULES)
    assert live == [0, 1, 1, 1]


def test_T06_a_burst_of_two_hundred_stops_at_the_cap(database: Database, workspace: UUID, rows: Rows) -> None:
    """Two hundred people, many at once: what is reserved last sees what was reserved before."""
    carrier = ScriptedCarrier()
    people = [f"+1202555{1000 + n}" for n in range(200)]
    for person in people:
        agree(database, workspace, person)
    rows("update workspaces set calls_per_minute = 17 returning id")

    def dial(person: str) -> str:
        try:
            place_call(database, carrier, person, ours=BUSINESS, seats=ScriptedSeats(), rules=RULES)
        except CallRefused as refusal:
            return refusal.findings[0][0] if refusal.until else "never"
        return "rings"

    with ThreadPoolExecutor(4) as threads:
        said = list(threads.map(dial, people))
    assert (said.count("rings"), said.count("T06.minute")) == (17, 183)
    assert len(carrier.placed) == 17
    assert rows("select count(*) from attempts") == [(17,)]
    assert rows("select kind, subject, times from alerts where closed_at is null") == [("limit", "T06.minute", 183)]
    rows("update workspaces set calls_per_minute = 600 returning id")
    assert dial(people[-1]) == "rings"
    assert rows("select count(*) from alerts where closed_at is null") == [(0,)], "what has passed is closed"


def test_T06_the_days_money_is_counted_with_calls_that_have_no_bill_yet(
    database: Database, workspace: UUID, rows: Rows
) -> None:
    carrier = ScriptedCarrier()
    each = open_call_usd(shipped())
    rows(f"update workspaces set spend_per_day_usd = {each * 3:.2f} returning id")
    said = []
    for n in range(5):
        agree(database, workspace, f"+1202555{2000 + n}")
        try:
            place_call(database, carrier, f"+1202555{2000 + n}", ours=BUSINESS, seats=ScriptedSeats(), rules=RULES)
            said.append("rings")
        except CallRefused as refusal:
            said.append(refusal.findings[0][0])
    rang = said.count("rings")
    assert said == ["rings"] * rang + ["T06.spend"] * (5 - rang)
    assert rang in (3, 4), "the limit has cents, the price has more digits"


def test_T06_only_countries_of_the_workspace_are_dialled(database: Database, workspace: UUID, rows: Rows) -> None:
    agree(database, workspace)
    rows("update workspaces set reach = '{+34}' returning id")
    with pytest.raises(CallRefused) as refused:
        place_call(database, ScriptedCarrier(), CALLER, ours=BUSINESS, seats=ScriptedSeats(), rules=RULES)
    assert refused.value.findings[0][0] == "T06.destination"
    assert refused.value.until is None
    assert rows("select verdict, rules from decisions") == [("deny", ["T06.destination"])]


def test_C02_a_reservation_cannot_be_made_by_hand() -> None:
    with pytest.raises(TypeError, match="gate"):
        Reservation(uuid4(), uuid4(), CALLER, BUSINESS, "northlight_solar", object())


def test_C02_nothing_but_calling_asks_the_carrier_to_dial() -> None:
    """`.place(` with a reference is the carrier's; and only one module may import the carrier that dials."""
    root = Path(__file__).parents[3]
    for path in [*root.glob("app/**/*.py"), *root.glob("workers/**/*.py")]:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        dials = any(
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr == "place"
            and any(keyword.arg == "reference" for keyword in node.keywords)
            for node in ast.walk(tree)
        )
        creates = "calls.create(" in path.read_text(encoding="utf-8")
        name = path.relative_to(root).as_posix()
        assert not dials or name == "app/calling.py", name
        assert not creates or name == "app/providers/twilio.py", name
