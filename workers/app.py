"""The Celery app: how jobs travel. What is to be done and what was done stands in Postgres; the broker may lose it all.

Two roles: `run_worker` keeps a Celery worker alive; `run_beat` hands out jobs and finds what a crash left behind.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from typing import Any

from celery import Celery, signals

from app.errors import BadSetting
from app.settings import EXAMPLES, Settings, load
from workers import logs
from workers.broker import Broker, queue_named
from workers.jobs import JobTask, Task, task
from workers.limits import TASK_LIMIT_S
from workers.liveness import probe_queue, seen
from workers.model import making_ready
from workers.tasks import JOBS

QUEUE = "strowger"
TASK_SOFT_LIMIT_S = 25  # the slowest task is one message: three requests of 10 s at worst would already be a fault


def configuration(settings: Settings) -> dict[str, Any]:
    """Celery's settings. Those that differ from its defaults differ because a job must survive, or because it can."""
    return {
        "broker_url": _needed(settings, "redis_url", "REDIS_URL"),
        "broker_transport_options": {
            "visibility_timeout": 3 * TASK_LIMIT_S,  # longer than a job waits and runs, or it would run twice at once
            "unacked_restore_interval": 10,
            "unacked_restore_throttle": 1,  # the default of 10 means a look every 100 s
            "socket_timeout": 5,  # a broker that accepts and never answers (F04)
            "socket_connect_timeout": 3,
            "socket_keepalive": True,
            "health_check_interval": 10,  # a BRPOP that is overdue this long is dropped and connected again
        },
        "broker_connection_timeout": 3,
        "broker_connection_retry": True,
        "broker_connection_retry_on_startup": True,
        "broker_connection_max_retries": None,  # for ever: giving up would need a person
        "task_publish_retry": False,  # the outbox tries again; a caller must not wait here
        "task_default_queue": QUEUE,
        "task_serializer": "json",
        "event_serializer": "json",
        "accept_content": ["json"],  # T25
        "result_accept_content": ["json"],
        "result_backend": None,
        "task_ignore_result": True,
        "task_acks_late": True,
        "task_reject_on_worker_lost": True,  # without it a killed child's task counts as done
        "task_soft_time_limit": TASK_SOFT_LIMIT_S,
        "task_time_limit": TASK_LIMIT_S,
        "worker_prefetch_multiplier": 1,
        "worker_cancel_long_running_tasks_on_connection_loss": True,
        "worker_enable_remote_control": False,  # nobody can tell our workers what to do through the broker
        "worker_hijack_root_logger": False,
        "worker_redirect_stdouts": False,
        "worker_max_tasks_per_child": 5000,
        "worker_proc_alive_timeout": 20,
        "worker_detect_quorum_queues": False,  # a RabbitMQ matter
        "worker_soft_shutdown_timeout": TASK_LIMIT_S,
        "timezone": "UTC",
    }


def _needed(settings: Settings, name: str, variable: str) -> str:
    secret = getattr(settings, name)
    if secret is None:
        raise BadSetting(
            f"{variable} is not set: workers need the database and broker of the service. "
            f"Example: {variable}={EXAMPLES[variable]}. `strowger up` starts everything with its own."
        )
    return str(secret.get_secret_value())


def _set_up_logging(**_: object) -> None:
    logs.set_up(load().log)


celery = Celery("strowger")
celery.set_default()  # for every thread, not only the one that imports this
celery.add_defaults(lambda: configuration(load()))  # read when first used, not when imported
for _name, _act in JOBS.items():
    celery.task(name=_name, base=JobTask)(task(_act))
celery.task(name="liveness.seen", base=Task)(seen)
signals.setup_logging.connect(_set_up_logging, weak=False)


def environment(settings: Settings) -> Mapping[str, str]:
    """What a process started by us must find in its environment to see the same settings."""
    found = {
        "DATABASE_URL": _needed(settings, "database_url", "DATABASE_URL"),
        "REDIS_URL": _needed(settings, "redis_url", "REDIS_URL"),
        "STROWGER_DATA_DIR": str(settings.data_dir.absolute()),
        "STROWGER_LOG": settings.log,
    }
    optional = {
        "STROWGER_PUBLIC_URL": settings.public_url,
        "TWILIO_ACCOUNT_SID": settings.twilio_account_sid,
        "TWILIO_AUTH_TOKEN": settings.twilio_auth_token.get_secret_value() if settings.twilio_auth_token else None,
        "TWILIO_BASE_URL": settings.twilio_base_url,
        "STROWGER_SMTP_URL": settings.smtp_url.get_secret_value() if settings.smtp_url else None,
        "STROWGER_MAIL_FROM": settings.mail_from,
    }
    return found | {name: value for name, value in optional.items() if value}


def configure(settings: Settings) -> None:
    """First thing in a process of ours: it, and those it starts, now see these settings. Raises BadSetting."""
    os.environ.update(environment(settings))
    celery.conf.update(configuration(settings))
    logs.set_up(settings.log)


def run_worker(settings: Settings, concurrency: int = 2) -> None:
    """Until SIGTERM or Ctrl-C; then lets running jobs finish. Raises BadSetting."""
    from workers.supervisor import Supervisor

    configure(settings)

    def command(node: str) -> tuple[str, ...]:
        return sys.executable, "-m", "workers.child", node, str(concurrency), str(os.getpid())

    broker = Broker(_needed(settings, "redis_url", "REDIS_URL"))
    with making_ready(settings.data_dir):
        Supervisor(command, {"OMP_NUM_THREADS": "1"}, broker).run()


def run_beat(settings: Settings) -> None:
    """Until SIGTERM or Ctrl-C. Several may run: each job is leased to one. Raises BadSetting."""
    from workers.schedule import run

    configure(settings)
    run(_needed(settings, "database_url", "DATABASE_URL"), _needed(settings, "redis_url", "REDIS_URL"))


def serve_queue(node: str, concurrency: int) -> None:
    """The Celery worker itself, in this process: the shared queue and this node's own probe queue."""
    celery.conf.task_queues = (queue_named(QUEUE), probe_queue(node))
    quiet = ("--without-gossip", "--without-mingle", "--without-heartbeat")
    celery.worker_main(
        ["--quiet", "worker", "--pool=prefork", f"--concurrency={concurrency}", f"--hostname={node}", *quiet]
    )
