"""What is worth telling people at once: from what happened and a workspace's rules to notices, each told once.

A notice is known by its kind, what it is about and a window. The same three are the same notice, however often the
rules are asked and by however many processes: the database keeps one row for them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo


class Kind(StrEnum):
    HOT_LEAD = "hot_lead"
    CALL_BACK = "call_back"
    PROVIDER_DOWN = "provider_down"
    BUDGET = "budget"
    DRIFT = "drift"
    CAMPAIGN_STOPPED = "campaign_stopped"
    LIMIT = "limit"


class Channel(StrEnum):
    PUSH = "push"
    EMAIL = "email"
    SLACK = "slack"


@dataclass(frozen=True, slots=True)
class Rule:
    """`threshold` is a probability for hot leads and USD a month for the budget; the others have none. `urgent`: told
    in quiet hours, too. Whatever the channels, a notice is always in the list of the dashboard."""

    kind: Kind
    on: bool = True
    channels: frozenset[Channel] = frozenset({Channel.PUSH})
    threshold: float | None = None
    urgent: bool = False


USUAL: Mapping[Kind, Rule] = {
    Kind.HOT_LEAD: Rule(Kind.HOT_LEAD, threshold=0.7),
    Kind.CALL_BACK: Rule(Kind.CALL_BACK),
    Kind.PROVIDER_DOWN: Rule(Kind.PROVIDER_DOWN),
    Kind.BUDGET: Rule(Kind.BUDGET, on=False),
    Kind.DRIFT: Rule(Kind.DRIFT),
    Kind.CAMPAIGN_STOPPED: Rule(Kind.CAMPAIGN_STOPPED),
    Kind.LIMIT: Rule(Kind.LIMIT),
}


@dataclass(frozen=True, slots=True)
class OnTheLine:
    """A call that is going on: what the newest estimate in it says, and the lead's tier from before."""

    call_sid: str
    lead_id: str | None = None
    probability: float | None = None
    tier: str | None = None


@dataclass(frozen=True, slots=True)
class Wanted:
    """Somebody asked at `asked_at` to be called back, `when` in the playbook's word for it; `lead_id` may be None."""

    call_sid: str
    when: str
    asked_at: datetime
    lead_id: str | None = None


@dataclass(frozen=True, slots=True)
class Outage:
    """No calls go to this provider for this stage just now."""

    stage: str
    provider: str


@dataclass(frozen=True, slots=True)
class Spent:
    """In the calendar month (of the workspace's zone) `month`, such as "2026-11"."""

    month: str
    usd: float


@dataclass(frozen=True, slots=True)
class Moved:
    """A model's alert that stands: `subject` is what moved."""

    alert: str
    subject: str
    opened_at: datetime


@dataclass(frozen=True, slots=True)
class Stopped:
    """The dialler stopped this campaign at `at`: so many of its answered calls were abandoned."""

    campaign_id: str
    name: str
    abandoned: int
    answered: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Reached:
    """Something did not go out at `at` because of this cap: minute, hour, day, messages or spend."""

    cap: str
    at: datetime


Happened = OnTheLine | Wanted | Outage | Spent | Moved | Stopped | Reached


@dataclass(frozen=True, slots=True)
class Notice:
    """`about` holds figures, ids and a campaign's name, never a name or a number of a person: those are looked up when
    it is shown."""

    kind: str
    subject: str
    window: str
    about: Mapping[str, str] = field(default_factory=dict)
    call_sid: str | None = None
    lead_id: str | None = None
    urgent: bool = False

    @property
    def key(self) -> str:
        """Unique in its workspace."""
        return f"{self.kind}:{self.subject}:{self.window}"


WORKDAY_BEGINS = time(9)
# When somebody who asked for a call-back is due: days from the asking; 0 is at once.
_DAYS = {"today": 0, "tomorrow": 1, "this_week": 2}
STALE = timedelta(days=1)  # a call-back that nobody made by then is no news
OUTAGE_HOURS = 6  # an outage that goes on is told again after so long
BUDGET_STEPS = (80, 100)  # percent
BY_THE_HOUR = frozenset({"minute", "hour"})  # caps told once an hour; the others are of a day, and told once in it
MODEL_ALERTS = frozenset({"drift", "calibration"})


def due_at(wanted: Wanted, zone: ZoneInfo) -> datetime:
    """At once for words we do not know: better too early than forgotten."""
    days = _DAYS.get(wanted.when, 0)
    if days == 0:
        return wanted.asked_at
    day = wanted.asked_at.astimezone(zone).date() + timedelta(days=days)
    return datetime.combine(day, WORKDAY_BEGINS, zone).astimezone(UTC)


def notices(rules: Iterable[Rule], happened: Collection[Happened], now: datetime, zone: ZoneInfo) -> Iterator[Notice]:
    """What the rules make of it. Asked again with the same, it answers the same."""
    for rule in rules:
        if rule.on:
            for one in happened:
                yield from _of(rule, one, now, zone)


def targets(
    rule: Rule, emails: Collection[str], *, slack: bool, browsers: Collection[str]
) -> tuple[tuple[Channel, str], ...]:
    """(channel, address) of each delivery. Slack has one address, known to the workspace; a browser's is its id."""
    found: list[tuple[Channel, str]] = []
    if Channel.PUSH in rule.channels:
        found += [(Channel.PUSH, one) for one in browsers]
    if Channel.EMAIL in rule.channels:
        found += [(Channel.EMAIL, one) for one in emails]
    if Channel.SLACK in rule.channels and slack:
        found.append((Channel.SLACK, ""))
    return tuple(dict.fromkeys(found))


def _of(rule: Rule, one: Happened, now: datetime, zone: ZoneInfo) -> Iterator[Notice]:
    match rule.kind, one:
        case Kind.HOT_LEAD, OnTheLine() if _is_hot(rule, one):
            about = {} if one.probability is None else {"probability": f"{one.probability:.2f}"}
            yield Notice(rule.kind, one.call_sid, "call", about, one.call_sid, one.lead_id, rule.urgent)
        case Kind.CALL_BACK, Wanted() if timedelta(0) <= now - due_at(one, zone) <= STALE:
            yield Notice(rule.kind, one.call_sid, "due", {"when": one.when}, one.call_sid, one.lead_id, rule.urgent)
        case Kind.PROVIDER_DOWN, Outage(stage, provider):
            local = now.astimezone(zone)
            window = f"{local.date()}/{local.hour // OUTAGE_HOURS}"
            about = {"stage": stage, "provider": provider}
            yield Notice(rule.kind, f"{stage}/{provider}", window, about, urgent=rule.urgent)
        case Kind.BUDGET, Spent(month, usd) if rule.threshold:
            steps = [step for step in BUDGET_STEPS if usd * 100 >= rule.threshold * step]
            if steps:  # only the highest: nobody needs to hear of 80 % together with 100 %
                about = {"percent": str(steps[-1]), "usd": f"{usd:.2f}", "budget_usd": f"{rule.threshold:.2f}"}
                yield Notice(rule.kind, str(steps[-1]), month, about, urgent=rule.urgent)
        case Kind.DRIFT, Moved(alert, subject, opened_at) if alert in MODEL_ALERTS:
            about = {"alert": alert, "subject": subject}
            window = opened_at.astimezone(UTC).isoformat(timespec="seconds")
            yield Notice(rule.kind, f"{alert}/{subject}", window, about, urgent=rule.urgent)
        case Kind.CAMPAIGN_STOPPED, Stopped():
            about = {"campaign": one.name, "campaign_id": one.campaign_id}
            about |= {"abandoned": str(one.abandoned), "answered": str(one.answered)}
            window = one.at.astimezone(UTC).isoformat()
            yield Notice(rule.kind, one.campaign_id, window, about, urgent=rule.urgent)
        case Kind.LIMIT, Reached(cap, at):
            local = at.astimezone(zone)
            window = at.astimezone(UTC).strftime("%Y-%m-%dT%H") if cap in BY_THE_HOUR else str(local.date())
            yield Notice(rule.kind, cap, window, {"cap": cap}, urgent=rule.urgent)


def _is_hot(rule: Rule, one: OnTheLine) -> bool:
    """The newest estimate counts; until there is one, what was known of the lead before."""
    if one.probability is not None:
        return rule.threshold is not None and one.probability >= rule.threshold
    return one.tier == "hot"
