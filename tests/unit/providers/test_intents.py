"""The intent recogniser: equal to scikit-learn's, quick, cached whole or not at all, and good on new sayings."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from threadpoolctl import threadpool_limits

from app.dialog.playbook import Playbook, parse
from app.errors import ModelRefused
from app.providers.offline import intent_training, intents
from app.providers.offline.text_model import load, save

ROOT = Path(__file__).parents[3]
NEW = [
    "what would the panels set me back",
    "my husband takes care of that",
    "ring me tomorrow",
    "sí me interesa",
    "zzz",
    "",
]

SMALL = [("how much", "price"), ("what price", "price"), ("who is it", "who"), ("who is this", "who"), ("bye", "bye")]


@pytest.fixture(scope="module")
def playbook() -> Playbook:
    file = ROOT / "app" / "playbooks" / "northlight_solar.yaml"
    return parse(file.read_text(encoding="utf-8"), file.name)


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("models")


@pytest.fixture(scope="module")
def recogniser(playbook: Playbook, models: Path) -> intents.Intents:
    return intents.Intents.load(playbook, models)


def test_the_exported_model_equals_the_pipeline_it_came_from() -> None:
    examples = intents.general_examples("en")[::3]
    texts = [text for text, _ in examples[::5]] + NEW[:-2]
    with threadpool_limits(1):
        pipeline = intent_training.build().fit([text for text, _ in examples], [label for _, label in examples])
        theirs = pipeline.predict_proba(texts)
    exported = intent_training.export(pipeline, 0.3)
    np.testing.assert_allclose([exported.probabilities(text) for text in texts], theirs, atol=1e-9)


def test_it_is_kept_and_found_again(tmp_path: Path) -> None:
    examples = SMALL
    first = intents.trained(examples, 0.4, tmp_path, "small")
    [file] = (tmp_path / "models").iterdir()
    stamp = file.stat().st_mtime_ns
    again = intents.trained(examples, 0.4, tmp_path, "small")
    assert file.stat().st_mtime_ns == stamp
    assert again.recognise("the price") == first.recognise("the price")
    intents.trained([*examples, ("cost", "price")], 0.4, tmp_path, "small")
    assert len(list((tmp_path / "models").iterdir())) == 2, "other data make another model"


def test_a_damaged_cache_is_trained_anew(tmp_path: Path) -> None:
    examples = SMALL
    intents.trained(examples, 0.4, tmp_path, "small")
    [file] = (tmp_path / "models").iterdir()
    file.write_bytes(file.read_bytes()[:100])
    with pytest.raises(ModelRefused):
        load(file)
    assert intents.trained(examples, 0.4, tmp_path, "small").recognise("who is it")[0] == "who"


def test_saving_leaves_no_half_written_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = intents.trained(SMALL, 0.4, tmp_path, "m")

    def full(*_: object, **__: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(np, "savez_compressed", full)
    with pytest.raises(OSError, match="disk full"):
        save(model, tmp_path / "elsewhere" / "m.npz")
    assert list((tmp_path / "elsewhere").iterdir()) == []


@pytest.mark.usefixtures("recogniser")
def test_serving_from_the_cache_does_not_load_scikit_learn(models: Path) -> None:
    code = """
import sys
from pathlib import Path
from app.dialog.playbook import parse
from app.providers.offline.intents import Intents
path = Path("app/playbooks/northlight_solar.yaml")
Intents.load(parse(path.read_text(encoding="utf-8"), path.name), Path(sys.argv[1])).understand("hello")
assert "sklearn" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", code, str(models)], check=True, cwd=ROOT)


@pytest.mark.parametrize(
    ("said", "intent"),
    [
        ("i'd really like to talk with an actual person", "wants_human"),
        ("could you ring me back tomorrow afternoon", "call_back_later"),
        ("please email me the details", "send_info"),
        ("i think you dialed the wrong number", "wrong_number"),
        ("can you say that one more time", "repeat"),
        ("no thanks that's everything", "done"),
        ("alright bye bye", "goodbye"),
    ],
)
def test_requests_in_new_words(recogniser: intents.Intents, said: str, intent: str) -> None:
    assert recogniser.understand(said).intent == intent


@pytest.mark.parametrize(
    ("said", "about"),
    [
        ("so how much would the whole thing cost me", "question:price"),
        ("and what kind of warranty is there", "question:warranty"),
        ("what if we sell our house in two years", "question:moving"),
        ("do i have to wash the panels", "question:maintenance"),
        ("can i pay for it monthly", "question:financing"),
        ("is there any tax credit for this", "question:tax_credit"),
        ("honestly that's too expensive for us", "objection:too_expensive"),
        ("i have to talk to my wife about it first", "objection:ask_partner"),
        ("i need to think about it some more", "objection:think_about_it"),
        ("how do i know this isn't a scam", "objection:trust"),
        ("we already have solar panels", "objection:already_have"),
        ("two hundred dollars", ""),
        ("nine four one oh seven", ""),
        ("yes", ""),
        ("let me think", ""),
    ],
)
def test_questions_and_objections_in_new_words(recogniser: intents.Intents, said: str, about: str) -> None:
    assert recogniser.understand(said).about == about


@given(st.text(max_size=60))
def test_any_text_gets_an_answer(recogniser: intents.Intents, text: str) -> None:
    found = recogniser.understand(text)
    assert 0 <= found.confidence <= 1
    assert found.intent in {*recogniser.general.labels, intents.OTHER}


@pytest.mark.parametrize("language", ["en", "es"])
def test_C05_requests_to_stop_are_never_missed_among_our_sayings(language: str, tmp_path: Path) -> None:
    stops = [text for text, intent in intents.general_examples(language) if intent == "stop_calling"]
    assert {intents.recognise(text, language, tmp_path)[0] for text in stops} == {"stop_calling"}
