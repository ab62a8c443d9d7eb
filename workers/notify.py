"""One notification is told to one address: a browser, a mailbox or a chat. In quiet hours it waits for their end."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from app.errors import ProviderDown, ProviderRefused
from app.providers.mail import Letter
from app.providers.web_push import Subscription
from app.sales.notice_words import Words, for_slack, words
from app.sales.quiet import Quiet, held_until
from app.store import notification_rules, notifications, outbox
from workers.couriers import Couriers
from workers.jobs import Later, Ref
from workers.resources import Resources

# After each try that was not taken: a night of the other side's is outlasted by the mail server's own queue, not by us.
PAUSES_S = (5.0, 30.0, 120.0, 600.0, 1800.0, 3600.0)
GONE = (404, 410)  # a browser that wants nothing more
LOOK_AGAIN_S = 900.0  # somebody may change the quiet hours while they last


def deliver(resources: Resources, job: Ref) -> str | Later:
    """The delivery whose id is the job's key."""
    couriers = resources.couriers
    if couriers is None:
        return Later("nothing goes out from here", seconds=60.0)
    now = resources.now()
    with resources.database.worker(job.workspace_id) as db:
        due = notifications.due(db, UUID(job.key))
        if due is None:
            outbox.done(db, job.id)
            return "nothing to tell"
        until = None if due["urgent"] or due["kind"] == "test" else held_until(quiet_of(due), now)
        if until is not None:
            notifications.hold(db, due["id"], until)
    if until is not None:
        return Later("quiet hours", min(LOOK_AGAIN_S, (until - now).total_seconds()))
    return _settle(resources, job, due, _told(couriers, due, now))


@dataclass(frozen=True, slots=True)
class _End:
    """`error` is None when it was taken; `final` when trying again would not help; `gone`: never to be asked again."""

    error: str | None = None
    final: bool = False
    gone: bool = False


def _told(couriers: Couriers, due: Mapping[str, Any], now: datetime) -> _End:
    said = words(
        due["kind"], due["about"], due["locale"], who=person_of(due), call_sid=due["call_sid"],
        lead_id=str(due["lead_id"]) if due["lead_id"] else None,
    )  # fmt: skip
    try:
        status = _BY[due["channel"]](couriers, due, said, now)
    except ProviderRefused as error:
        return _End(str(error), final=True, gone=error.provider_code in GONE)
    except ProviderDown as error:
        return _End(str(error))
    if 200 <= status < 300:
        return _End()
    return _End(f"answered {status}", final=400 <= status < 500 and status not in (408, 429), gone=status in GONE)


def _by_push(couriers: Couriers, due: Mapping[str, Any], said: Words, now: datetime) -> int:
    if due["endpoint"] is None:
        raise ProviderRefused("this browser is not subscribed any more")
    to = Subscription(due["endpoint"], due["p256dh"], due["auth"], due["vapid"])
    message = {"title": said.title, "body": said.text, "url": said.path, "tag": str(due["notification_id"])}
    return couriers.push.send(to, message, topic=str(due["id"]), at=now)


def _by_mail(couriers: Couriers, due: Mapping[str, Any], said: Words, now: datetime) -> int:
    if due["address"] not in (due["emails"] or ()):
        raise ProviderRefused("this address was taken away meanwhile")
    text = f"{said.text}\n\n{couriers.link}{said.path}\n\n{due['workspace_name']}, Strowger\n"
    couriers.mail.send(Letter((due["address"],), said.title, text, reference=str(due["id"]), at=due["raised_at"]))
    return 250


def _by_slack(couriers: Couriers, due: Mapping[str, Any], said: Words, now: datetime) -> int:
    if due["slack_sealed"] is None:
        raise ProviderRefused("no chat is set any more")
    text = f"*{for_slack(said.title)}*\n{for_slack(said.text)}\n<{couriers.link}{said.path}>"
    return couriers.slack.send(due["slack_sealed"], text)


_BY: Mapping[str, Callable[[Couriers, Mapping[str, Any], Words, datetime], int]] = {
    "push": _by_push,
    "email": _by_mail,
    "slack": _by_slack,
}


def _settle(resources: Resources, job: Ref, due: Mapping[str, Any], end: _End) -> str | Later:
    again = end.error is not None and not end.final and due["attempts"] < len(PAUSES_S)
    status = "waiting" if again else ("delivered" if end.error is None else "failed")
    with resources.database.worker(job.workspace_id) as db:
        notifications.tried(db, due["id"], status, end.error)
        if end.gone and due["channel"] == "push":
            notification_rules.forget(db, due["address"])
        if not again:
            outbox.done(db, job.id)
    return Later(str(end.error), PAUSES_S[due["attempts"]]) if again else status


def quiet_of(row: Mapping[str, Any]) -> Quiet | None:
    if row["quiet_from"] is None or row["quiet_to"] is None:
        return None
    return Quiet(ZoneInfo(row["time_zone"]), row["quiet_from"], row["quiet_to"])


def person_of(row: Mapping[str, Any]) -> str | None:
    """Their name, else how their number ends: a screen or a chat may be seen by anybody."""
    if row["name"]:
        return str(row["name"])
    return f"•••• {row['phone'][-4:]}" if row["phone"] else None
