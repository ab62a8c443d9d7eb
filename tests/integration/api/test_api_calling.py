"""POST /calls: one outgoing call, asked for by a person, decided by the gate."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from typing import Any
from uuid import UUID

import pytest

from app.api.dialling import Dialling
from app.calling import LazyCarrier
from app.compliance.rules import Hours, Rules, Window, load
from app.errors import Busy, ProviderUncertain
from app.settings import Settings

from .conftest import Api, id_of, problem

pytestmark = pytest.mark.integration

ADA = "+12025550123"
Dialled = Callable[..., Any]


class ScriptedCarrier(LazyCarrier):
    """Writes down what it is asked to dial. Raises `failure` instead, when there is one."""

    def __init__(self, failure: Exception | None = None, *, full: bool = False) -> None:
        self.placed: list[tuple[str, str]] = []
        self.failure, self.full = failure, full

    def connect(self) -> None: ...

    def keep(self, attempt: UUID) -> None:
        if self.full:
            raise Busy("no seat is free")

    def free(self, attempt: UUID) -> None: ...

    def place(self, *, to: str, sender: str, reference: str) -> str:
        self.placed.append((to, sender))
        if self.failure:
            raise self.failure
        return "CA" + secrets.token_hex(16)


def at_any_hour() -> Rules:
    """These tests run at any hour, and the gate does not believe a clock that differs from the database's."""
    always = Window(time(0, 0), time(23, 59, 59, 999_999))
    shipped = load()
    us = shipped.countries["US"]
    return replace(shipped, countries={"US": replace(us, whole=replace(us.whole, hours=Hours(*[always] * 4)))})


@contextmanager
def dialling(api: Api, carrier: LazyCarrier) -> Iterator[None]:
    """With this telephone company, whatever the time of day."""
    usual = api.web
    made = Dialling(carrier, rules=at_any_hour())
    api.http.app.state.web = replace(usual, dialling=made)  # type: ignore[attr-defined]
    try:
        yield
    finally:
        made.close()
        api.http.app.state.web = usual  # type: ignore[attr-defined]


def lead(api: Api, phone: str, *, agreed: bool = True) -> UUID:
    here = id_of("a", "workspace")
    if agreed:
        api.sql(
            "insert into consents (workspace_id, phone, purpose, kind, wording, channel, evidence, given_at) "
            "values (%s, %s, 'marketing', 'written', 'You may call me.', 'form', 'form 7', %s)",
            here,
            phone,
            datetime.now(UTC) - timedelta(days=1),
        )
    made: UUID = api.sql("insert into leads (workspace_id, phone) values (%s, %s) returning id", here, phone)[0][0]
    return made


def test_a_lead_is_called_once_however_often_the_answer_is_lost(api: Api) -> None:
    carrier, ada = ScriptedCarrier(), lead(api, ADA)
    once = {"Idempotency-Key": "call-ada"}
    with dialling(api, carrier):
        answers = [api.as_("agent").post("/calls", json={"lead_id": str(ada)}, headers=once) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[0].json() == answers[1].json()
    ours = api.sql("select e164 from phone_numbers where workspace_id = %s", id_of("a", "workspace"))[0][0]
    assert carrier.placed == [(ADA, ours)]
    sid = answers[0].json()["sid"]
    call = api.as_("viewer").get(f"/calls/{sid}").json()
    assert (call["direction"], call["lead_id"], call["state"]) == ("outbound", str(ada), "ringing")


def test_T38_who_called_is_in_the_audit_log_by_the_transaction_that_reserves(api: Api) -> None:
    """Also where it is not known whether the phone rang: then nothing after it is ever written."""
    carrier, grace = ScriptedCarrier(ProviderUncertain("no answer")), lead(api, "+12025550124")
    with dialling(api, carrier):
        answer = api.as_("agent").post("/calls", json={"lead_id": str(grace)})
        again = api.as_("agent").post("/calls", json={"lead_id": str(grace)})
    assert (answer.status_code, problem(answer)["code"]) == (502, "provider_uncertain")
    assert len(carrier.placed) == 1, "the phone may ring: it is not dialled again"
    assert problem(again)["rules"] == [
        {"rule": "caps.attempts", "reason": "This person was called less than 4 hours ago."}
    ]
    noted = api.sql("select actor from audit_log where action = 'calls_create' and subject = %s", str(grace))
    assert noted == [(str(id_of("a", "agent")),)]


def test_C02_a_refusal_says_which_rule_and_nothing_is_dialled(api: Api) -> None:
    carrier, nobody = ScriptedCarrier(), lead(api, "+12025550125", agreed=False)
    with dialling(api, carrier):
        answers = [
            api.as_("agent").post("/calls", json=body) for body in ({"lead_id": str(nobody)}, {"to": "+12025550126"})
        ]
    for answer in answers:
        assert (answer.status_code, problem(answer)["code"]) == (409, "call_refused")
        assert [one["rule"] for one in problem(answer)["rules"]] == ["C02.consent"]
        assert problem(answer)["until"] is None
    assert carrier.placed == []
    kept = api.sql("select count(*) from decisions where phone in ('+12025550125', '+12025550126')")
    assert kept == [(2,)], "the refusal is evidence"


def test_C03_what_passes_by_waiting_says_until_when(api: Api) -> None:
    carrier, soon = ScriptedCarrier(), lead(api, "+12025550127")
    with dialling(api, carrier):
        assert api.as_("agent").post("/calls", json={"lead_id": str(soon)}).status_code == 201
        again = problem(api.as_("agent").post("/calls", json={"to": "+12025550127"}))
    left = datetime.fromisoformat(again["until"]) - datetime.now(UTC)
    assert timedelta(hours=3, minutes=59) < left <= timedelta(hours=4)


@pytest.mark.parametrize("body", [{}, {"to": ADA, "lead_id": str(id_of("a", "lead"))}, {"to": "1"}])
def test_what_says_nobody_or_two_people_is_not_understood(api: Api, body: dict[str, str]) -> None:
    assert api.as_("agent").post("/calls", json=body).status_code == 422


def test_what_is_no_number_is_said(api: Api) -> None:
    answer = api.as_("agent").post("/calls", json={"to": "call me maybe"})
    assert (answer.status_code, problem(answer)["code"]) == (400, "bad_input")


def test_T12_a_lead_of_another_workspace_is_not_there(api: Api) -> None:
    carrier = ScriptedCarrier()
    with dialling(api, carrier):
        answer = api.as_("owner").post("/calls", json={"lead_id": str(id_of("b", "lead"))})
    assert answer.status_code == 404
    assert carrier.placed == []


def test_without_a_carrier_it_says_so_and_counts_no_attempt(api: Api, no_carrier: Settings) -> None:
    ida = lead(api, "+12025550128")
    with dialling(api, LazyCarrier(no_carrier)):
        answer = api.as_("agent").post("/calls", json={"lead_id": str(ida)})
    assert (answer.status_code, problem(answer)["code"]) == (409, "conflict")
    assert "TWILIO_ACCOUNT_SID" in problem(answer)["detail"]
    assert api.sql("select count(*) from attempts where lead_id = %s", ida) == [(0,)]


def test_C09_without_a_seat_nobody_is_called_and_no_attempt_counts(api: Api) -> None:
    carrier, joan = ScriptedCarrier(full=True), lead(api, "+12025550129")
    with dialling(api, carrier):
        answer = api.as_("agent").post("/calls", json={"lead_id": str(joan)})
    assert (answer.status_code, problem(answer)["code"]) == (503, "busy")
    assert carrier.placed == []
    assert api.sql("select count(*) from attempts where lead_id = %s", joan) == [(0,)]


@pytest.fixture
def no_carrier() -> Settings:
    from app.settings import load as settings

    return settings(_env_file=None, twilio_account_sid=None)
