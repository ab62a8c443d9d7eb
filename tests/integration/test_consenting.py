"""Writing down a consent, and what the gate then makes of it."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime, timedelta

import pytest

from app import consenting
from app.calling import call_number
from app.errors import BadInput, BadSetting
from app.local import NUMBER, furnish
from app.settings import load

pytestmark = pytest.mark.integration

PERSON = "+12025550147"
WORDS = "Northlight Solar may call me about solar offers with an automated voice. I need not agree to buy anything."


@pytest.fixture(autouse=True)
def business(postgres_url: str, valkey_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", postgres_url)
    monkeypatch.setenv("REDIS_URL", valkey_url)
    for name in ("TWILIO_NUMBER", "TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    furnish(load(), postgres_url, NUMBER)


def test_C02_without_a_consent_the_call_is_refused_and_the_reason_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert call_number(PERSON) == 1
    assert "no recorded written consent" in capsys.readouterr().out


def test_C02_a_written_consent_is_no_longer_the_reason(capsys: pytest.CaptureFixture[str]) -> None:
    assert consenting.record(PERSON, wording=WORDS, evidence="form 17", given_at=None) == 0
    with contextlib.suppress(BadSetting):  # at a legal hour the rules say yes, and there is no account
        call_number(PERSON)
    assert "no recorded written consent" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("number", "wording", "evidence", "given_at", "says"),
    [
        ("555", WORDS, "form 17", None, "not a telephone number"),
        (PERSON, " ", "form 17", None, "exact text"),
        (PERSON, WORDS, "", None, "where the proof lies"),
        (PERSON, WORDS, "form 17", datetime.now(UTC) + timedelta(days=1), "in the future"),
    ],
)
def test_C02_what_is_no_consent_is_not_kept(
    number: str, wording: str, evidence: str, given_at: datetime | None, says: str
) -> None:
    with pytest.raises(BadInput, match=says):
        consenting.record(number, wording=wording, evidence=evidence, given_at=given_at)
