from __future__ import annotations

import hashlib
import io
import json
import pickle
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.errors import ModelRefused
from ml import artifacts

Change = Callable[[dict[str, bytes]], None]


def rewritten(path: Path, to: Path, change: Change, *, seal: bool) -> Path:
    """The model file with its members changed; `seal` makes the manifest agree again, as a careful forger would."""
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    change(members)
    if seal:
        manifest = json.loads(members["manifest.json"])
        manifest["sha256"] = {n: hashlib.sha256(members[n]).hexdigest() for n in manifest["sha256"]}
        members["manifest.json"] = json.dumps(manifest).encode()
    with zipfile.ZipFile(to, "w") as archive:
        for name, body in members.items():
            archive.writestr(name, body)
    return to


def arrays_of(members: dict[str, bytes]) -> Any:
    from skops.io import loads

    return loads(members["model.skops"])


def test_a_model_comes_back_with_the_same_scores_and_version(trained: Any, tmp_path: Path) -> None:
    again = artifacts.load(trained.path)
    row = {"visits": "3", "plan": "pro", "age": "44"}
    assert again.score(row) == trained.model.score(row)
    assert again.version == trained.model.version
    assert again.version.startswith("lead-")


def test_a_folder_means_the_model_in_it(trained: Any, tmp_path: Path) -> None:
    (tmp_path / "model.strowger").write_bytes(trained.path.read_bytes())
    assert artifacts.load(tmp_path).version == trained.model.version


def test_card_and_schema_lie_beside_the_model_for_people(trained: Any) -> None:
    assert "duration" in trained.path.with_name("lead.strowger.card.md").read_text()
    schema = json.loads(trained.path.with_name("lead.strowger.schema.json").read_text())
    assert {c["name"]: c["kind"] for c in schema["columns"]}["visits"] == "number"


def test_F30_a_truncated_file_is_refused(trained: Any, tmp_path: Path) -> None:
    body = trained.path.read_bytes()
    for length in (0, 10, len(body) // 2, len(body) - 1):
        broken = tmp_path / f"{length}.strowger"
        broken.write_bytes(body[:length])
        with pytest.raises(ModelRefused):
            artifacts.load(broken)


def test_F30_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelRefused, match="no model at"):
        artifacts.load(tmp_path / "none.strowger")


@pytest.mark.parametrize("member", ["model.skops", "schema.json", "card.json", "card.md"])
def test_F30_a_changed_member_no_longer_matches_its_hash(trained: Any, tmp_path: Path, member: str) -> None:
    def change(members: dict[str, bytes]) -> None:
        members[member] += b" "

    with pytest.raises(ModelRefused, match="SHA-256"):
        artifacts.load(rewritten(trained.path, tmp_path / "m.strowger", change, seal=False))


def test_F30_a_model_with_another_number_of_features_is_refused(trained: Any, tmp_path: Path) -> None:
    def change(members: dict[str, bytes]) -> None:
        schema = json.loads(members["schema.json"])
        schema["columns"] = [c for c in schema["columns"] if c["name"] != "visits"]
        members["schema.json"] = json.dumps(schema).encode()

    with pytest.raises(ModelRefused):
        artifacts.load(rewritten(trained.path, tmp_path / "m.strowger", change, seal=True))


def test_F30_a_changed_weight_is_refused_even_with_matching_hashes(trained: Any, tmp_path: Path) -> None:
    from skops.io import dumps

    def change(members: dict[str, bytes]) -> None:
        arrays = arrays_of(members)
        arrays["forward"]["line"] = arrays["forward"]["line"] + 1e-12
        members["model.skops"] = dumps(arrays)

    with pytest.raises(ModelRefused, match="no longer gives the scores"):
        artifacts.load(rewritten(trained.path, tmp_path / "m.strowger", change, seal=True))


def test_T24_a_pickle_is_refused_and_never_run(tmp_path: Path) -> None:
    flag = tmp_path / "run"

    class Evil:
        def __reduce__(self) -> tuple[Any, ...]:
            return flag.touch, ()

    path = tmp_path / "m.strowger"
    path.write_bytes(pickle.dumps(Evil()))
    with pytest.raises(ModelRefused):
        artifacts.load(path)
    assert not flag.exists()


def test_T24_a_pickle_inside_a_sealed_file_is_refused_and_never_run(trained: Any, tmp_path: Path) -> None:
    flag = tmp_path / "run"

    class Evil:
        def __reduce__(self) -> tuple[Any, ...]:
            return flag.touch, ()

    def change(members: dict[str, bytes]) -> None:
        members["model.skops"] = pickle.dumps(Evil())

    with pytest.raises(ModelRefused):
        artifacts.load(rewritten(trained.path, tmp_path / "m.strowger", change, seal=True))
    assert not flag.exists()


@pytest.mark.parametrize(
    ("payload", "says"),
    [
        ("function", "names types"),
        ("estimator", "names types"),
        ("objects", "names types"),
        ("texts", "does not hold a model"),
    ],
)
def test_T24_types_that_no_model_of_ours_has_are_refused(trained: Any, tmp_path: Path, payload: str, says: str) -> None:
    from sklearn.linear_model import LogisticRegression
    from skops.io import dumps

    strange: Any = {"function": np.sum, "estimator": LogisticRegression(), "objects": np.array([{}], dtype=object)}
    strange["texts"] = np.array(["a"])

    def change(members: dict[str, bytes]) -> None:
        members["model.skops"] = dumps({**arrays_of(members), "extra": strange[payload]})

    with pytest.raises(ModelRefused, match=says):
        artifacts.load(rewritten(trained.path, tmp_path / "m.strowger", change, seal=True))


def test_T24_no_pickle_or_joblib_is_loaded_anywhere() -> None:
    import ml

    for file in Path(ml.__file__).parent.glob("*.py"):
        text = file.read_text()
        assert not any(word in text for word in ("import pickle", "import joblib", "allow_pickle=True", "cloudpickle"))


def test_F30_a_huge_member_is_refused_before_it_is_read(trained: Any, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr(artifacts, "_MOST_BYTES", 100)
    with pytest.raises(ModelRefused, match="too large"):
        artifacts.load(trained.path)


def test_saving_twice_gives_the_same_version(trained: Any, tmp_path: Path) -> None:
    from ml.encode import Block

    model = trained.model.model
    probes = Block(np.array([[1.0, 40.0]]), np.array([[1]]))
    first = artifacts.save(replace(model, version=""), tmp_path / "a.strowger", "card", probes)
    second = artifacts.save(replace(model, version=""), tmp_path / "b" / "b.strowger", "card", probes)
    assert first.version == second.version
    assert artifacts.load(tmp_path / "b" / "b.strowger").version == first.version
    assert not [p for p in tmp_path.iterdir() if p.name.startswith(".")]


def test_the_file_names_only_plain_types(trained: Any) -> None:
    with zipfile.ZipFile(trained.path) as archive:
        inner = zipfile.ZipFile(io.BytesIO(archive.read("model.skops")))
    named = artifacts._types_in(json.loads(inner.read("schema.json")))
    assert named <= artifacts.TRUSTED
