"""Models as the dashboard shows them: figures with their ranges, the curve, and the model that ships."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from app.shipped import shipped_card

from .conftest import Api, id_of, problem

pytestmark = pytest.mark.integration

AUC = {"value": 0.9, "low": 0.8, "high": 0.95}
CURVE = [{"predicted": 0.1, "observed": 0.12, "rows": 50}, {"predicted": 0.6, "observed": 0.5, "rows": 50}]
CARD = {
    "version": "simulated-0123456789ab",
    "trained_on": "simulated calls",
    "rows": 5_000,
    "positive_rate": 0.25,
    "later": {"metrics": {"auc": AUC, "lift_10": {**AUC, "value": 3.5}}, "curve": CURVE},
}
_ADD = """
    insert into models (workspace_id, target, version, file_sha256, features, metrics, trained_on, data_sha256,
                        code_version, rows, positives)
    select workspace_id, target, 'lead-2', file_sha256, features, %s, trained_on, data_sha256, code_version, 100, 20
    from models where workspace_id = %s and version = 'lead-1'
"""


def laid_down(data_dir: Path, card: Any) -> None:
    folder = data_dir / "models"
    folder.mkdir(exist_ok=True)
    (folder / "shipped-1.strowger.card.json").write_text(card if isinstance(card, str) else json.dumps(card))
    (folder / "shipped-1.strowger.card.md").write_text("# Model\n\n## Learners\n")


def test_the_model_that_ships_is_shown_once_it_is_made(serve_api: Callable[..., Any], tmp_path: Path) -> None:
    with serve_api(data_dir=tmp_path) as api:
        assert api.as_("viewer").get("/models").json()["shipped"] is None
        laid_down(tmp_path, CARD)
        shipped = api.as_("viewer").get("/models").json()["shipped"]
    assert (shipped["version"], shipped["rows"], shipped["positives"]) == ("simulated-0123456789ab", 5_000, 1_250)
    assert shipped["calibration"] == CURVE
    assert shipped["lift"] == [{"share": 0.1, "lift": 3.5}]
    assert shipped["metrics"]["auc"] == AUC
    assert shipped["card"].endswith("## Learners\n")


@pytest.mark.parametrize("card", ["{", "[]", {**CARD, "later": None}, {"version": "1"}])
def test_a_card_that_cannot_be_read_is_not_shown(tmp_path: Path, card: Any) -> None:
    laid_down(tmp_path, card)
    assert shipped_card(tmp_path) is None


def test_figures_of_an_own_model_come_with_their_ranges_and_the_curve(api: Api) -> None:
    """As a night writes them; what is no figure stays in the card."""
    metrics = {"positive_rate": 0.2, "auc": AUC, "lift_20": {"value": 2.5}, "calibration": CURVE, "frozen": "better"}
    api.sql(_ADD, json.dumps(metrics), id_of("a", "workspace"))
    found = api.as_("viewer").get("/models/lead-2").json()
    assert found["metrics"] == {
        "positive_rate": {"value": 0.2, "low": None, "high": None},
        "auc": AUC,
        "lift_20": {"value": 2.5, "low": None, "high": None},
    }
    assert found["calibration"] == CURVE
    assert found["lift"] == [{"share": 0.2, "lift": 2.5}]


FOUND = {
    "drift": [{"name": "minutes", "psi": 0.4, "ks": 0.3, "moved": True}],
    "kept": {
        "outcomes": 60,
        "promised": 0.2,
        "seen": 0.3,
        "calibration_error": 0.1,
        "low": 0.0,
        "high": 0.2,
        "evidence": 2,
    },
    "duel": {
        "challenger": "lead-2",
        "outcomes": 60,
        "evidence": 3.0,
        "needed": 40.0,
        "verdict": "undecided",
        "alpha": 0.1,
    },
    "champion": "lead-1",
    "did": ["10 outcomes refused"],
}


def test_a_night_tells_what_moved_and_a_person_lets_its_outcomes_in(api: Api) -> None:
    values = (json.dumps(FOUND), id_of("a", "workspace"))
    api.sql("update model_nights set learned = false, found = %s where workspace_id = %s", *values)
    (night,) = api.as_("viewer").get("/models/nights").json()["items"]
    assert (night["night"], night["learned"], night["did"]) == ("2026-11-20", False, ["10 outcomes refused"])
    assert night["drift"] == FOUND["drift"]
    assert night["kept"]["seen"] == 0.3
    assert night["duel"]["needed"] == 40.0
    assert api.as_("manager").post("/models/nights/2026-11-20/accept").status_code == 403
    assert api.as_("admin").post("/models/nights/2026-11-20/accept").json() == {"night": "2026-11-20", "learned": True}
    assert api.as_("viewer").get("/models/nights").json()["items"][0]["learned"]
    again = api.as_("admin").post("/models/nights/2026-11-20/accept")
    assert problem(again)["code"] == "conflict"
    assert api.as_("admin").post("/models/nights/2026-11-19/accept").status_code == 404


def test_models_of_another_target_are_asked_for_by_its_name(api: Api) -> None:
    api.sql(
        "insert into models (workspace_id, target, version, stage, file_sha256, features, trained_on, data_sha256, "
        "code_version, rows, positives) values (%s, 'churned', 'own-churn', 'candidate', %s, 3, 'own outcomes', %s, "
        "'test', 300, 40) returning 1",
        id_of("a", "workspace"),
        "a" * 64,
        "b" * 64,
    )
    viewer, admin = api.as_("viewer"), api.as_("admin")
    assert [one["version"] for one in viewer.get("/models?target=churned").json()["items"]] == ["own-churn"]
    assert "own-churn" not in [one["version"] for one in viewer.get("/models").json()["items"]]
    assert viewer.get("/models/own-churn").status_code == 404
    assert viewer.get("/models/own-churn?target=churned").json()["target"] == "churned"
    assert admin.post("/models/own-churn/promote?target=churned").json() == {"champion": "own-churn"}
    assert viewer.get("/models?target=Churned!").status_code == 422
