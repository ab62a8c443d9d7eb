"""How jobs travel: the settings of Celery that a lost job would be paid for with, and the table of tasks."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from app.errors import BadSetting
from app.settings import Settings
from workers import relay
from workers.app import TASK_SOFT_LIMIT_S, celery, configuration, environment, run_worker
from workers.followup import SURE
from workers.limits import TASK_LIMIT_S
from workers.liveness import PATIENCE_S
from workers.tasks import JOBS


def settings(**changes: object) -> Settings:
    addresses = {"DATABASE_URL": "postgresql://u:p@h/d", "REDIS_URL": "redis://127.0.0.1:1/0"}
    return Settings(_env_file=None, **{**addresses, **changes})  # type: ignore[arg-type]


def test_every_kind_of_job_the_relay_knows_has_a_task_and_every_task_a_kind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://u:p@h/d")
    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:1/0")
    assert set(relay.TASKS.values()) == set(JOBS)
    assert set(JOBS) <= set(celery.tasks)


def test_T25_nothing_but_json_is_read_or_written() -> None:
    conf = configuration(settings())
    assert conf["accept_content"] == ["json"]
    assert conf["task_serializer"] == "json"
    assert conf["result_backend"] is None


def test_F01_a_task_is_acknowledged_when_done_and_comes_back_when_its_worker_dies() -> None:
    conf = configuration(settings())
    assert conf["task_acks_late"]
    assert conf["task_reject_on_worker_lost"]
    assert conf["worker_prefetch_multiplier"] == 1
    assert conf["worker_cancel_long_running_tasks_on_connection_loss"]


def test_F03_the_broker_is_tried_for_ever() -> None:
    conf = configuration(settings())
    assert conf["broker_connection_retry"]
    assert conf["broker_connection_retry_on_startup"]
    assert conf["broker_connection_max_retries"] is None


def test_no_time_limit_contradicts_another() -> None:
    visible = configuration(settings())["broker_transport_options"]["visibility_timeout"]
    assert TASK_SOFT_LIMIT_S < TASK_LIMIT_S < SURE.total_seconds() < relay.LEASE_S <= PATIENCE_S < visible


@pytest.mark.parametrize("name", ["DATABASE_URL", "REDIS_URL"])
def test_a_worker_without_addresses_says_which_one_and_how_it_looks(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("DATABASE_URL", "REDIS_URL"):
        monkeypatch.delenv(variable, raising=False)
    with pytest.raises(BadSetting, match=f"{name} is not set.*Example: {name}="):
        run_worker(settings(**{name: None}))


def test_a_child_sees_the_settings_of_its_parent() -> None:
    passed: Mapping[str, str] = environment(
        settings(TWILIO_ACCOUNT_SID="AC1", TWILIO_AUTH_TOKEN="t", TWILIO_BASE_URL="http://127.0.0.1:9101")
    )
    assert passed["REDIS_URL"] == "redis://127.0.0.1:1/0"
    assert passed["TWILIO_AUTH_TOKEN"] == "t"
    assert "STROWGER_PUBLIC_URL" not in passed
    assert Settings(_env_file=None, **passed) == settings(**passed)  # type: ignore[arg-type]
