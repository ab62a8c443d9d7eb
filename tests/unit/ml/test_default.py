from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path
from shutil import copytree
from uuid import UUID

import numpy as np
import pytest

import ml
from app.sales.lead import Conversation, LeadHistory, Tier
from ml import default
from ml.default import default_model
from ml.features import CATEGORIES, NUMBERS, READ, lead_row
from ml.model import LeadModel
from ml.simulate import leads

BOOKED = Conversation(talk_share=0.35, caller_turns=9, questions=1, facts=5, commitment=True, seconds=95)
POLITE_NO = Conversation(talk_share=0.15, caller_turns=2, objections=1, seconds=25)
STOP = Conversation(talk_share=0.2, caller_turns=2, opted_out=True, seconds=20)


def history(last: Conversation) -> LeadHistory:
    return LeadHistory(UUID(int=1), "inbound_call", {f"fact{i}": "x" for i in range(last.facts)}, 1, last)


@pytest.fixture(scope="module")
def folder(made_once: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copytree(made_once(default_model), tmp_path_factory.mktemp("data"), dirs_exist_ok=True)


@pytest.fixture(scope="module")
def model(folder: Path) -> LeadModel:
    return default_model(folder)


def test_a_booked_call_is_hot_and_a_polite_no_is_cold(model: LeadModel) -> None:
    assert model.score(lead_row(history(BOOKED))).tier is Tier.HOT
    assert model.score(lead_row(history(POLITE_NO))).tier is Tier.COLD


def test_an_opt_out_is_cold_whatever_went_before(model: LeadModel) -> None:
    assert model.score(lead_row(history(STOP))).tier is Tier.COLD
    assert model.score(lead_row(history(replace(BOOKED, opted_out=True)))).tier is Tier.COLD


def test_its_version_and_card_say_simulated(model: LeadModel) -> None:
    score = model.score(lead_row(history(BOOKED)))
    assert score.model_version.startswith("simulated-")
    assert "simulated" in model.model.card["trained_on"]
    assert any("simulated" in note for note in model.model.card["notes"])
    assert score.reasons[0] == "appointment_asked is yes: raises the chance"


def test_it_finds_the_true_chance_of_leads_it_has_not_seen(model: LeadModel) -> None:
    unseen = leads(600, seed=99)
    found = np.array([model.score(lead.row).probability for lead in unseen])
    truth = np.array([lead.chance for lead in unseen])
    assert np.corrcoef(found, truth)[0, 1] > 0.85
    assert abs(found.mean() - truth.mean()) < 0.03


def test_C45_the_features_are_the_conversation_and_nothing_about_the_person() -> None:
    row = lead_row(replace(history(BOOKED), facts={"name": "Ana", "religion": "x"}))
    assert set(row) == {*NUMBERS, *READ, *CATEGORIES}
    assert "Ana" not in map(str, row.values())
    known = {f.name for f in fields(Conversation)} | {*READ, "source", "calls", "facts_known", "facts_volunteered"}
    renamed = {"minutes": "seconds", "appointment_asked": "commitment"}
    assert {renamed.get(name, name) for name in row} <= known


def test_one_lead_takes_less_than_five_milliseconds(model: LeadModel) -> None:
    row = lead_row(history(BOOKED))
    model.score(row)
    began = time.process_time()
    for _ in range(50):
        model.score(row)
    assert (time.process_time() - began) / 50 < 0.005


def test_the_simulation_is_the_same_every_time() -> None:
    assert leads(5) == leads(5)
    assert leads(5) != leads(5, seed=2)


def test_F30_a_damaged_cached_model_is_made_again(folder: Path, model: LeadModel) -> None:
    (cached,) = (folder / "models").glob("*.strowger")
    cached.write_bytes(cached.read_bytes()[:1000])
    default._cached.cache_clear()
    assert default_model(folder).version == model.version


def test_public_names_are_there() -> None:
    for name in ml.__all__:
        assert getattr(ml, name) is not None
    with pytest.raises(AttributeError):
        _ = ml.nothing
