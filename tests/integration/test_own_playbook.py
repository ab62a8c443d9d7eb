"""A business of one's own: a playbook file named in the settings."""

from __future__ import annotations

from pathlib import Path

import pytest

from app import playbooks
from app.errors import BadPlaybook, BadSetting
from app.local import NUMBER, furnish
from app.settings import Settings
from app.store import workspaces
from app.store.connect import Database

pytestmark = pytest.mark.integration


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    path = tmp_path / "Our Business.yaml"
    text = playbooks.text_of("northlight_solar").replace("playbook: northlight_solar", "playbook: our_business")
    path.write_text(text, encoding="utf-8")
    return path


def settings(playbook: Path) -> Settings:
    return Settings(playbook=str(playbook), _env_file=None)  # type: ignore[call-arg]


def test_the_number_answers_with_the_file_by_its_own_name(mine: Path, postgres_url: str, database: Database) -> None:
    furnish(settings(mine), postgres_url)
    with database.system() as db:
        number = workspaces.by_number(db, NUMBER)
    assert number is not None
    assert number.playbook == "our_business"


def test_a_fault_is_named_before_anything_is_written(mine: Path) -> None:
    mine.write_text(mine.read_text().replace("agent: Nora", "agnet: Nora"))
    with pytest.raises(BadPlaybook, match="did you mean 'agent'"):
        furnish(settings(mine), "postgresql://nobody@127.0.0.1:1/none")


def test_a_name_the_database_would_not_take_is_refused_in_words(mine: Path) -> None:
    mine.write_text(mine.read_text().replace("playbook: our_business", "playbook: Our Business"))
    with pytest.raises(BadPlaybook, match="small letters"):
        furnish(settings(mine), "postgresql://nobody@127.0.0.1:1/none")


def test_a_file_that_is_not_there_is_named() -> None:
    with pytest.raises(BadSetting, match="neither a file nor a shipped playbook"):
        playbooks.text_of("nowhere/at_all.yaml")
