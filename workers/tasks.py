"""Every task by name. Asked twice, each does its work once."""

from __future__ import annotations

from collections.abc import Mapping

from workers import budget, erasure, followup, night, notify, outcomes, reports, rescore, retention, scoring, webhooks
from workers.jobs import Act

# What a job can be about. The relay knows which kind of job goes to which of them.
JOBS: Mapping[str, Act] = {
    "outcome.settle": outcomes.settle_job,
    "score.call": scoring.score_call,
    "score.again": rescore.rescore,
    "models.night": night.watch,
    "followup.send": followup.send,
    "followup.resend": followup.resend,
    "webhook.deliver": webhooks.deliver,
    "notice.deliver": notify.deliver,
    "report.send": reports.send,
    "retention.night": retention.forget,
    "erasure.run": erasure.erase,
    "budget.check": budget.check,
}
