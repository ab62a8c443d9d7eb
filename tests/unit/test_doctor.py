"""The doctor: what it says about settings that are wrong, without a network."""

from __future__ import annotations

from pathlib import Path

import pytest

from app import doctor, playbooks
from app.doctor import Check, Finding
from app.settings import Settings

SID, TOKEN = "AC" + "0" * 31 + "1", "0123456789abcdef0123456789abcdef"


def a_setting(**values: object) -> Settings:
    """Nothing from the environment of whoever runs the tests."""
    blank = dict.fromkeys(
        ("smtp_url", "public_url", "database_url", "redis_url", "twilio_account_sid", "twilio_auth_token")
    )
    return Settings(_env_file=None, **{**blank, **values})  # type: ignore[arg-type, call-arg]


def only(checks: list[Check], name: str) -> Check:
    (found,) = (check for check in checks if check.name == name)
    return found


def test_a_machine_with_nothing_configured_is_healthy(tmp_path: Path) -> None:
    checks = doctor.run(a_setting(data_dir=tmp_path))
    broken = [check for check in checks if check.finding is Finding.BROKEN]
    assert broken == []
    assert only(checks, "public url").finding is Finding.NOTE


def test_every_broken_thing_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "a file").touch()
    checks = doctor.run(
        a_setting(
            data_dir=tmp_path / "a file" / "data",
            database_url="postgresql://nobody@127.0.0.1:1/none",
            redis_url="redis://127.0.0.1:1/0",
            public_url="http://calls.example.com",
            twilio_account_sid="my account",
            twilio_auth_token=TOKEN,
            stt="deepgram,offline",
            tts="elevenlabs",
            smtp_url="smtp://127.0.0.1:1",
        )
    )
    broken = {check.name: check for check in checks if check.finding is Finding.BROKEN}
    assert set(broken) == {
        "data folder",
        "database",
        "redis",
        "public url",
        "twilio",
        "speech to text",
        "text to speech",
        "e-mail",
    }
    assert all(check.fix.endswith(".") for check in broken.values())
    assert "DEEPGRAM_API_KEY" in broken["speech to text"].fix
    assert "ELEVENLABS_API_KEY and ELEVENLABS_VOICE_ID" in broken["text to speech"].fix
    assert "https" in broken["public url"].fix


def test_a_provider_nobody_knows_is_named(tmp_path: Path) -> None:
    check = only(doctor.run(a_setting(data_dir=tmp_path, stt="acme,offline")), "speech to text")
    assert (check.finding, check.says) == (Finding.BROKEN, "acme is not a provider.")
    assert "deepgram, offline" in check.fix


def test_a_voice_the_playbook_names_for_nothing_is_noted(tmp_path: Path) -> None:
    book = playbooks.text_of("northlight_solar") + "\nvoice: {elevenlabs: abc, offline: slt}\n"
    (tmp_path / "mine.yaml").write_text(book)
    settings = a_setting(data_dir=tmp_path, playbook=str(tmp_path / "mine.yaml"))
    check = only(doctor.run(settings), "playbook's voice")
    assert (check.finding, check.says) == (Finding.NOTE, "the playbook names a voice of elevenlabs, which nobody asks.")


@pytest.mark.parametrize(
    ("chain", "lacks"),
    [
        ("anthropic,playbook", "ANTHROPIC_API_KEY"),
        ("openai_2,playbook", "OPENAI_2_MODEL"),
        ("openai", "OPENAI_API_KEY"),
    ],
)
def test_a_language_model_without_its_setting_is_named(chain: str, lacks: str, tmp_path: Path) -> None:
    check = only(doctor.run(a_setting(data_dir=tmp_path, llm=chain)), "dialogue")
    assert (check.finding, check.fix) == (
        Finding.BROKEN,
        f"Set {lacks}, or take the provider out of STROWGER_LLM.",
    )


@pytest.mark.parametrize(
    ("sid", "token", "finding"),
    [
        (SID, TOKEN, Finding.OK),
        (SID, "short", Finding.BROKEN),
        (SID, None, Finding.BROKEN),
        (None, TOKEN, Finding.BROKEN),
        ("SK" + "0" * 32, TOKEN, Finding.BROKEN),
        (None, None, Finding.NOTE),
    ],
)
def test_credentials_are_judged_by_their_shape_and_never_printed(
    tmp_path: Path, sid: str | None, token: str | None, finding: Finding
) -> None:
    checks = list(doctor.twilio(a_setting(twilio_account_sid=sid, twilio_auth_token=token)))
    assert [check.finding for check in checks] == [finding]
    assert not any(token and token in f"{check.says}{check.fix}" for check in checks)


def test_an_unreachable_public_address_is_found(tmp_path: Path) -> None:
    check = only(list(doctor.public_url(a_setting(public_url="https://127.0.0.2:1"))), "public url")
    assert check.finding is Finding.BROKEN
    assert "/health/live" in check.says


def test_the_report_is_readable_by_programs_and_fails_when_something_is_broken(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    import json

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("STROWGER_LOG", "loud")
    assert doctor.report(as_json=True) == 1
    (check,) = json.loads(capsys.readouterr().out)
    assert check["finding"] == "broken"
    assert "STROWGER_LOG" in check["says"]
