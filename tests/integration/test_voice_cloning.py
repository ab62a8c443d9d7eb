"""Copying a voice: nothing leaves the machine without a recorded consent, and what was agreed to is kept."""

from __future__ import annotations

import asyncio
import json
import math
import struct
import wave
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest

from app import voice_cloning
from app.errors import BadInput, BadSetting, Conflict, NotFound, ProviderRefused, ProviderUncertain, Refused
from app.exchange.elevenlabs import ElevenLabsServer
from app.local import NUMBER, furnish
from app.settings import load
from app.store import playbooks, voices
from app.store.connect import Database
from app.voice_cloning import Wish

pytestmark = pytest.mark.integration

WORDS = "I, Dana Whitfield, agree that Northlight Solar uses a copy of my voice in its telephone calls."
WISH = Wish("dana", "Dana Whitfield", WORDS)


def recorded(path: Path, seconds: float, *, pitch: float = 200.0, rate: int = 16_000, level: float = 0.3) -> Path:
    with wave.open(str(path), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(rate)
        cycle = [int(32_000 * level * math.sin(2 * math.pi * pitch * at / rate)) for at in range(rate)]
        second = struct.pack(f"<{rate}h", *cycle)
        out.writeframes((second * math.ceil(seconds))[: int(seconds * rate) * 2])
    return path


@pytest.fixture
def samples(tmp_path: Path) -> list[Path]:
    return [recorded(tmp_path / f"{pitch}.wav", 20, pitch=pitch) for pitch in (180, 220)]


@pytest.fixture
def consent(tmp_path: Path) -> Path:
    return recorded(tmp_path / "consent.wav", 6, pitch=150)


@pytest.fixture(autouse=True)
def business(postgres_url: str, valkey_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    monkeypatch.setenv("DATABASE_URL", postgres_url)
    monkeypatch.setenv("REDIS_URL", valkey_url)
    monkeypatch.setenv("STROWGER_DATA_DIR", str(tmp_path / "data"))
    for name in ("TWILIO_NUMBER", "TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN", "ELEVENLABS_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    furnish(load(), postgres_url, NUMBER)
    return postgres_url


@pytest.fixture
def at_elevenlabs(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[ElevenLabsServer], None]], None]:
    """Runs a command's function in a thread while the local server serves."""

    def run(main: Callable[[ElevenLabsServer], None]) -> None:
        async def serve() -> None:
            async with asyncio.timeout(60), ElevenLabsServer() as server:
                monkeypatch.setenv("ELEVENLABS_API_KEY", server.key)
                monkeypatch.setenv("ELEVENLABS_BASE_URL", server.url)
                await _thread(main, server)

        asyncio.run(serve())

    return run


def _thread(main: Callable[[ElevenLabsServer], None], server: ElevenLabsServer) -> Awaitable[None]:
    return asyncio.to_thread(main, server)


def rows(url: str, query: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(url) as db:
        return db.execute(query).fetchall()  # type: ignore[arg-type]


def test_a_voice_is_copied_with_its_consent_listed_and_deleted(
    at_elevenlabs: Any, business: str, samples: list[Path], consent: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def main(server: ElevenLabsServer) -> None:
        assert voice_cloning.clone(WISH, samples=samples, consent=consent) == 0
        [copy] = server.library.copies.values()
        assert [name for name, _ in copy.samples] == [path.name for path in samples]
        assert [data for _, data in copy.samples] == [path.read_bytes() for path in samples]
        assert f"elevenlabs: {copy.voice_id}" in capsys.readouterr().out

        voice_cloning.show(as_json=True)
        [listed] = json.loads(capsys.readouterr().out)
        assert (listed["name"], listed["speaker"], listed["voice_id"]) == ("dana", "Dana Whitfield", copy.voice_id)
        assert Path(listed["evidence"]).read_bytes() == consent.read_bytes()

        said_before = load().data_dir / "phrases" / "0123.phrase"
        said_before.parent.mkdir()
        said_before.write_bytes(b"in the voice of Dana")
        assert voice_cloning.delete("dana", why="Dana took her consent back") == 0
        assert not said_before.exists()
        assert server.library.copies == {}
        with pytest.raises(NotFound):
            voice_cloning.delete("dana", why="again")

    at_elevenlabs(main)
    [(speaker, wording, how)] = rows(business, "select speaker, wording, deleted_how from voices")
    assert (speaker, wording, how) == ("Dana Whitfield", WORDS, "Dana took her consent back")
    acts = rows(business, "select action from audit_log where action like 'voice.%' order by at")
    assert [action for (action,) in acts] == ["voice.consent", "voice.made", "voice.delete"]


def test_without_consent_nothing_leaves_the_machine(at_elevenlabs: Any, business: str, samples: list[Path]) -> None:
    def main(server: ElevenLabsServer) -> None:
        with pytest.raises(BadInput, match="without consent"):
            voice_cloning.clone(WISH, samples=samples, consent=None)
        with pytest.raises(BadInput, match="a recording of its own"):
            voice_cloning.clone(WISH, samples=samples, consent=samples[0])
        assert server.library.copies == {}

    at_elevenlabs(main)
    assert rows(business, "select 1 from voices") == []


def test_the_consent_is_kept_before_the_samples_are_sent(
    at_elevenlabs: Any, business: str, samples: list[Path], consent: Path
) -> None:
    """Whatever the provider does: refused, the consent is there, and the name is free again."""

    def main(server: ElevenLabsServer) -> None:
        server.library.status = 400
        with pytest.raises(ProviderRefused, match="voice_limit_reached"):
            voice_cloning.clone(WISH, samples=samples, consent=consent)
        server.library.status = 0
        assert voice_cloning.clone(WISH, samples=samples, consent=consent) == 0
        with pytest.raises(Conflict, match="already"):
            voice_cloning.clone(WISH, samples=samples, consent=consent)
        assert len(server.library.copies) == 1

    at_elevenlabs(main)
    kept = rows(business, "select voice_id is not null, deleted_how from voices order by created_at")
    assert kept == [(False, "not made: ElevenLabs answered 400 (voice_limit_reached)"), (True, None)]


def test_a_voice_whose_making_was_not_answered_is_found_and_deleted(
    at_elevenlabs: Any, samples: list[Path], consent: Path
) -> None:
    def main(server: ElevenLabsServer) -> None:
        assert voice_cloning.clone(replace(WISH, name="other"), samples=samples, consent=consent) == 0
        server.library.silent = True
        with pytest.raises(ProviderUncertain, match="strowger voice delete dana"):
            voice_cloning.clone(WISH, samples=samples, consent=consent)
        assert len(server.library.copies) == 2
        voice_cloning.delete("dana", why="start again")
        assert [copy.name for copy in server.library.copies.values()] == ["other"]

    at_elevenlabs(main)


def test_a_voice_deleted_at_the_provider_already_is_deleted_here_too(
    at_elevenlabs: Any, samples: list[Path], consent: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def main(server: ElevenLabsServer) -> None:
        voice_cloning.clone(WISH, samples=samples, consent=consent)
        server.library.copies.clear()
        assert voice_cloning.delete("dana", why="cleaning up") == 0
        assert "any more" in capsys.readouterr().out

    at_elevenlabs(main)


def test_a_voice_that_was_agreed_to_for_others_or_not_any_more_is_not_ours(
    at_elevenlabs: Any, business: str, samples: list[Path], consent: Path
) -> None:
    copied: list[str] = []

    def main(server: ElevenLabsServer) -> None:
        voice_cloning.clone(WISH, samples=samples, consent=consent)
        copied.extend(server.library.copies)
        assert judged(copied[0]) == [False, True]
        assert published(owner, copied[0], "one") == 1
        with pytest.raises(Refused, match=copied[0]):
            published(stranger, copied[0], "one")
        assert judged("21m00Tcm4TlvDq8ikWAM") == [False, False], "a voice nobody copied is everybody's"
        voice_cloning.delete("dana", why="taken back")

    def judged(voice_id: str) -> list[bool]:
        found = []
        database = Database.open(business)
        for workspace in (owner, stranger):
            with database.worker(workspace) as db:
                found.append(voices.not_ours(db, "elevenlabs", voice_id))
        database.close()
        return found

    def published(workspace: UUID, voice_id: str, name: str) -> int:
        database = Database.open(business)
        try:
            with database.worker(workspace) as db:
                return playbooks.publish(db, name, f"voice: {{elevenlabs: {voice_id}}}", "test")
        finally:
            database.close()

    with psycopg.connect(business) as db:
        [owner] = db.execute("select workspace_id from phone_numbers where e164 = %s", (NUMBER,)).fetchone() or ()
        [stranger] = db.execute("insert into workspaces (name) values ('another') returning id").fetchone() or ()
    at_elevenlabs(main)
    assert judged(copied[0]) == [True, True]
    with pytest.raises(Refused):
        published(owner, copied[0], "two")


def test_without_a_key_there_is_no_copy(samples: list[Path], consent: Path) -> None:
    with pytest.raises(BadSetting, match="ELEVENLABS_API_KEY"):
        voice_cloning.clone(WISH, samples=samples, consent=consent)


@pytest.mark.parametrize(
    ("wish", "says"),
    [
        (replace(WISH, name="Dana W."), "no name for a voice"),
        (replace(WISH, speaker=" "), "whose voice"),
        (replace(WISH, wording="Yes, fine."), "name the speaker"),
        (replace(WISH, wording=WORDS.replace("Dana Whitfield", "somebody")), "name the speaker"),
        (replace(WISH, consented_at=datetime.now(UTC) + timedelta(days=1)), "in the future"),
    ],
)
def test_what_is_no_consent_is_refused(wish: Wish, says: str, samples: list[Path], consent: Path) -> None:
    with pytest.raises(BadInput, match=says):
        voice_cloning.clone(wish, samples=samples, consent=consent)
