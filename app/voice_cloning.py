"""`strowger voice`: copies of people's voices, each with the recorded consent of the speaker, and their end.

The consent is in the database before a sample leaves this machine, and stays there when the voice is deleted.
"""

from __future__ import annotations

import contextlib
import json
import re
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import typer

from app import voice_samples
from app.errors import BadInput, BadSetting, ProviderDown, ProviderRefused, ProviderUncertain
from app.local import opened, owner_of
from app.providers.elevenlabs_voices import NAME, VoiceLibrary, make
from app.settings import Settings, load
from app.store import audit, voices
from app.store.connect import Database
from app.store.voices import Voice, VoiceConsent
from app.voice_samples import Recording

_ACTOR = "command line"
_NAME = re.compile(r"[a-z0-9_-]{1,64}")
_LEAST_WORDING = 5  # words


@dataclass(frozen=True, slots=True)
class Wish:
    """What is asked for: a voice of this name, of this speaker, who agreed to this wording aloud."""

    name: str
    speaker: str
    wording: str
    consented_at: datetime | None = None


def clone(wish: Wish, *, samples: Sequence[Path], consent: Path | None) -> int:
    """Raises BadInput for what is missing or unusable, before anything leaves this machine."""
    agreed_at = _checked(wish)
    if consent is None:
        raise BadInput(
            "No voice is copied without consent: record the speaker reading the wording, and give it with --consent."
        )
    spoken, proof = voice_samples.samples(samples), voice_samples.consent(consent)
    if proof.sha256 in {each.sha256 for each in spoken}:
        raise BadInput(f"{consent} is one of the samples; the consent must be a recording of its own.")
    settings = _settings()
    with _at_work(settings) as (database, workspace, library):
        evidence = _stored(settings.data_dir, proof)
        kept = VoiceConsent(
            provider=NAME,
            name=wish.name,
            speaker=wish.speaker,
            wording=wish.wording,
            evidence=str(evidence),
            evidence_sha256=proof.sha256,
            samples_sha256=[each.sha256 for each in spoken],
            consented_at=agreed_at,
            kept_by=_ACTOR,
        )
        with database.worker(workspace) as db:
            voice = voices.keep(db, kept)
            audit.write(db, _ACTOR, "voice.consent", wish.name, {"speaker": wish.speaker, "sha256": proof.sha256})
        voice_id = _copied(database, workspace, library, voice, wish.name, spoken)
    typer.echo(f"The voice {wish.name!r} of {wish.speaker} is made: {voice_id}. The consent is kept with it.")
    typer.echo(f"A playbook speaks with it by\n\nvoice:\n  elevenlabs: {voice_id}")
    return 0


def delete(name: str, *, why: str) -> int:
    """At the provider first, then here. The consent stays as evidence of what was agreed to, and until when."""
    if not why.strip():
        raise BadInput("Say why (--why), for example: the speaker took the consent back.")
    settings = _settings()
    with _at_work(settings) as (database, workspace, library):
        with database.worker(workspace) as db:
            voice = voices.named(db, name)
        # Without an id the answer to its making may have been lost: it is looked for by our mark.
        made = [voice.voice_id] if voice.voice_id else list(library.find(str(voice.id)))
        gone = [voice_id for voice_id in made if not library.delete(voice_id)]
        shutil.rmtree(settings.data_dir / "phrases", ignore_errors=True)  # what the voice said before, among others
        with database.worker(workspace) as db:
            voices.deleted(db, voice.id, why, datetime.now(UTC))
            audit.write(db, _ACTOR, "voice.delete", name, {"why": why, "voice_ids": made})
    there = f"deleted at {NAME}" if made and not gone else f"was not at {NAME} any more" if gone else "never made"
    typer.echo(f"The voice {name!r} is {there}. The consent is kept, and when it ended.")
    typer.echo("Take it out of playbooks, and restart `strowger serve`: it may hold lines the voice said before.")
    return 0


def show(*, as_json: bool) -> int:
    """All of the workspace, the deleted ones too."""
    settings = load()
    with opened(settings) as database, database.worker(owner_of(database, settings)) as db:
        found = voices.of(db)
    if as_json:
        typer.echo(json.dumps([asdict(voice) for voice in found], default=str, indent=2))
        return 0
    for voice in found:
        typer.echo(f"{voice.name}  {_state(voice)}  {voice.speaker}, agreed {voice.consented_at:%Y-%m-%d}")
    if not found:
        typer.echo("No voice was copied yet. `strowger voice clone --help` says what is needed.")
    return 0


def _state(voice: Voice) -> str:
    if voice.deleted_at is not None:
        return f"deleted {voice.deleted_at:%Y-%m-%d}"
    return voice.voice_id or "agreed to, but not known to be made"


def _checked(wish: Wish) -> datetime:
    """When the speaker agreed. Raises BadInput."""
    if not _NAME.fullmatch(wish.name):
        raise BadInput(f"{wish.name!r} is no name for a voice: small letters, digits, - and _ only.")
    if not wish.speaker.strip():
        raise BadInput("Say whose voice it is (--speaker).")
    if wish.speaker.lower() not in wish.wording.lower() or len(wish.wording.split()) < _LEAST_WORDING:
        raise BadInput(
            "The wording (--wording) must be the exact text the speaker read aloud, and name the speaker, for example: "
            f"I, {wish.speaker}, agree that Northlight Solar uses a copy of my voice in its telephone calls."
        )
    now = datetime.now(UTC)
    at = (wish.consented_at or now).astimezone(UTC)
    if at > now:
        raise BadInput(f"The consent cannot have been given in the future ({at:%Y-%m-%d %H:%M} UTC).")
    return at


def _settings() -> Settings:
    settings = load()
    if settings.elevenlabs_api_key is None:
        raise BadSetting("ELEVENLABS_API_KEY is not set: voices are copied at ElevenLabs.")
    return settings


@contextlib.contextmanager
def _at_work(settings: Settings) -> Iterator[tuple[Database, UUID, VoiceLibrary]]:
    """The database, whose voices they are, and the provider."""
    with opened(settings) as database, contextlib.closing(make(settings)) as library:
        yield database, owner_of(database, settings), library


def _stored(data_dir: Path, proof: Recording) -> Path:
    """A copy that stays when the file that was handed in goes, named after what is in it."""
    path = (data_dir / "voices" / f"{proof.sha256}.wav").absolute()
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    path.write_bytes(proof.data)
    path.chmod(0o600)
    return path


def _copied(
    database: Database,
    workspace: UUID,
    library: VoiceLibrary,
    voice: UUID,
    name: str,
    samples: Sequence[Recording],
) -> str:
    """Raises ProviderError. What was surely not made leaves its name free; what may have been waits for `delete`."""
    try:
        made = library.copy(name, [(each.name, each.data) for each in samples], str(voice))
    except ProviderUncertain as lost:
        raise ProviderUncertain(f"{lost}; `strowger voice delete {name}` looks for it and deletes it.") from None
    except (ProviderRefused, ProviderDown) as error:
        with database.worker(workspace) as db:
            voices.deleted(db, voice, f"not made: {error}", datetime.now(UTC))
            audit.write(db, _ACTOR, "voice.not_made", name, {"why": str(error)})
        raise
    with database.worker(workspace) as db:
        voices.made(db, voice, made.voice_id, datetime.now(UTC))
        audit.write(db, _ACTOR, "voice.made", name, {"voice_id": made.voice_id})
    if made.needs_verification:
        typer.echo("ElevenLabs wants to hear from the speaker before the voice may be used: see its page of the voice.")
    return made.voice_id
