"""`strowger next`: whom to call now, in which order, and why; and whom not, with the gate's reason."""

from __future__ import annotations

import json
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import typer

from app.compliance.gate import Campaign, Channel, Contact, Decision, Purpose, Verdict, decide
from app.compliance.number import place
from app.compliance.rules import Rules
from app.sales.answering import OWN_TRIES as OWN
from app.sales.answering import AnswerRates, Belief, Segment, Slot, Tally, learn
from app.sales.lead import Uplift, origin_of
from app.sales.ranking import Capacity, Place, Prospect, Ranking, Terms, rank
from app.store import limits, prospects, workspaces
from app.store.connect import Connection
from app.store.prospects import Hour, Known, Sales

AHEAD_HOURS = 48
_CONVERSION = Belief(0.1, 20.0)  # before any answered call: one in ten, as firm as twenty calls
_DONE = {"booked": "An appointment is booked."}


@dataclass(frozen=True, slots=True)
class Best:
    """The hour within the next two days at which an answer is likeliest, of those the gate allows."""

    at: datetime
    local: datetime
    answer: float


@dataclass(frozen=True, slots=True)
class Next:
    """`leads` by id for all in the ranking; `best` for those that got a place; `done` needs no call any more."""

    ranking: Ranking
    leads: Mapping[Any, Known]
    best: Mapping[Any, Best]
    done: Sequence[tuple[Known, str]]
    now: datetime
    unscored: Mapping[str, Belief]


@dataclass(frozen=True, slots=True)
class Wish:
    """What was asked for. The talk time of `terms` gives way to the measured one where calls were answered."""

    terms: Terms
    capacity: Capacity
    seed: int


def whom_next(
    db: Connection,
    number: workspaces.Number,
    now: datetime,
    wish: Wish,
    rules: Rules,
    *,
    only: Container[UUID] | None = None,
) -> Next:
    """Of `only` these leads, where it is given. Reads leads, histories, scores and attempts of this workspace; asks the
    gate about every lead. Reserves nothing: `strowger call` asks the gate again, in the transaction of the attempt."""
    own, reach = workspaces.own_numbers(db), limits.get(db).reach
    campaign = Campaign(str(number.workspace_id), Purpose.MARKETING, number.e164, own, reach)
    rates = learned(prospects.hours(db, now))
    sold = prospects.sales(db, now)
    conversion = conversions(sold)
    everyone = [known for known in prospects.all_known(db) if only is None or known.id in only]
    done = [(known, _DONE[known.last_result]) for known in everyone if known.last_result in _DONE]
    leads = {known.id: known for known in everyone if known.last_result not in _DONE}
    found = [
        _prospect(known, _decision(known, campaign, now, rules), rates, conversion, now) for known in leads.values()
    ]
    ranking = rank(found, measured(wish.terms, sold), wish.capacity, seed=wish.seed)
    best = {
        known.id: _best(known, campaign, now, rules, rates)
        for known in (leads[place.prospect.lead_id] for place in ranking.places)
    }
    return Next(ranking, leads, best, done, now, conversion)


def deferred(found: Next) -> list[Prospect]:
    """Who may be called later, without anything but time having to pass: soonest first, then the likeliest sale."""
    later = [one for one in found.ranking.refused if one.decision.verdict is Verdict.DEFER and one.decision.until]
    return sorted(later, key=lambda one: (one.decision.until or found.now, -one.sale))


def zone_of(known: Known) -> ZoneInfo:
    """Where a lead's clock is likely to be; UTC where nobody knows."""
    return _zone(known.phone, known.facts.get("time_zone")) or ZoneInfo("UTC")


def learned(hours: Sequence[Hour]) -> AnswerRates:
    """Counts of UTC hours as hours of the called party's day. Where the zone is not known nothing is learned."""
    counts = []
    for hour in hours:
        zone = _zone(hour.phone, hour.time_zone)
        if zone is not None:
            segment = _segment(hour.phone, hour.state, zone, hour.source)
            counts.append((segment, Slot.of(hour.hour.astimezone(zone)), hour.tally))
    return learn(counts)


def conversions(sold: Sequence[Sales]) -> Mapping[str, Belief]:
    """Per source, and under "" for all: the chance of a sale once answered, for leads no model has scored."""
    everything = _CONVERSION.after(sum((one.tally for one in sold), Tally()))
    return {"": everything, **{one.source: everything.after(one.tally, 20.0) for one in sold}}


def measured(terms: Terms, sold: Sequence[Sales]) -> Terms:
    """The minutes an answered call took on average, once there are ten of them."""
    calls, milliseconds = sum(one.tally.tries for one in sold), sum(one.milliseconds for one in sold)
    if calls < 10:
        return terms
    return replace(terms, talk_minutes=max(terms.ring_minutes, milliseconds / calls / 60_000))


def _prospect(
    known: Known, decision: Decision, rates: AnswerRates, conversion: Mapping[str, Belief], now: datetime
) -> Prospect:
    answer = _answer(known, rates, now)
    if known.score is not None:
        score = known.score
        if score.uplift is not None:
            return Prospect(known.id, decision, answer, *_once_answered(score.uplift, rates.overall.mean))
        return Prospect(known.id, decision, answer, score.probability, score.lower, score.upper)
    sale = conversion.get(known.source, conversion[""])
    return Prospect(known.id, decision, answer, sale.mean, min(sale.low, sale.mean), max(sale.high, sale.mean))


def _once_answered(uplift: Uplift, answered: float) -> tuple[float, float, float]:
    """What a call adds comes of the calls that are answered: per answered one it is that much more. A call that drives
    a lead away brings nothing, and is worth less than nothing by its cost."""
    share = max(answered, 0.05)
    found = tuple(min(1.0, max(0.0, value / share)) for value in (uplift.value, uplift.lower, uplift.upper))
    return found[0], found[1], found[2]


def _answer(known: Known, rates: AnswerRates, at: datetime) -> Belief:
    zone = _zone(known.phone, known.facts.get("time_zone"))
    own = Tally(known.answered, len(known.tried))
    if zone is None:
        return rates.overall.after(own, OWN)
    segment = _segment(known.phone, known.facts.get("state"), zone, known.source)
    return rates.at(segment, at.astimezone(zone)).after(own, OWN)


def _decision(known: Known, campaign: Campaign, at: datetime, rules: Rules) -> Decision:
    """Of the same gate that `strowger call` asks, given the same things."""
    contact = Contact(
        phone=known.phone,
        consents=known.consents,
        suppressed=known.suppressed,
        attempts=known.tried,
        stated_zones=tuple(zone for zone in (known.facts.get("time_zone"),) if zone),
        stated_region=known.facts.get("state"),
    )
    return decide(contact, campaign, Channel.VOICE, at, rules)


def _best(known: Known, campaign: Campaign, now: datetime, rules: Rules, rates: AnswerRates) -> Best:
    """Earlier wins where it makes no difference."""
    next_hour = now.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    hours = [now, *(next_hour + timedelta(hours=n) for n in range(AHEAD_HOURS))]
    open_ = [at for at in hours if _decision(known, campaign, at, rules).allowed] or [now]
    best = max(open_, key=lambda at: round(_answer(known, rates, at).mean, 6))
    return Best(best, best.astimezone(zone_of(known)), _answer(known, rates, best).mean)


def _zone(phone: str, stated: str | None) -> ZoneInfo | None:
    """The one that was stated, else the first that is plausible for the number. For the chance of an answer only; the
    gate looks at all of them."""
    where = place(phone)
    for name in (stated, *sorted(where.zones if where else ())):
        if name:
            try:
                return ZoneInfo(name)
            except (KeyError, ValueError, OSError):
                continue
    return None


def _segment(phone: str, state: str | None, zone: ZoneInfo, source: str) -> Segment:
    return Segment(state or zone.key, source)


def report(limit: int, minutes: float, explore: float, seed: int | None, terms: Terms, *, as_json: bool) -> int:
    """Prints the list. Raises BadInput for what makes no sense, and the StoreError family."""
    from app.compliance.rules import load as load_rules
    from app.local import NUMBER, opened, owner_of
    from app.settings import load

    settings = load()
    now = datetime.now(UTC)
    wish = Wish(terms, Capacity(minutes, limit, explore), now.date().toordinal() if seed is None else seed)
    with opened(settings) as database:
        workspace = owner_of(database, settings)
        with database.system() as db:
            number = workspaces.by_number(db, settings.twilio_number or NUMBER)
        assert number is not None  # owner_of found it
        with database.worker(workspace) as db:
            found = whom_next(db, number, now, wish, load_rules())
    if as_json:
        typer.echo(json.dumps(to_json(found, wish), indent=2, default=str))
    else:
        typer.echo("\n".join(lines(found, wish)))
    return 0


def to_json(found: Next, wish: Wish) -> dict[str, object]:
    return {
        "at": found.now.isoformat(),
        "seed": wish.seed,
        "minutes": round(found.ranking.minutes, 2),
        "next": [
            {
                "lead_id": place.prospect.lead_id,
                "phone": found.leads[place.prospect.lead_id].phone,
                "name": found.leads[place.prospect.lead_id].name,
                "per_minute": round(place.rate, 4),
                "worth": round(place.worth, 4),
                "minutes": round(place.minutes, 2),
                "answer": round(place.prospect.answer.mean, 4),
                "sale": round(place.prospect.sale, 4),
                "explores": place.explores,
                "chance": round(place.chance, 6),
                "best_at": found.best[place.prospect.lead_id].at.isoformat(),
                "best_answer": round(found.best[place.prospect.lead_id].answer, 4),
                "reasons": reasons(place, found),
            }
            for place in found.ranking.places
        ],
        "refused": [
            {
                "lead_id": one.lead_id,
                "phone": found.leads[one.lead_id].phone,
                "verdict": one.decision.verdict.value,
                "reason": str(one.decision),
                "until": one.decision.until.isoformat() if one.decision.until else None,
            }
            for one in found.ranking.refused
        ],
        "waiting": [
            {
                "lead_id": place.prospect.lead_id,
                "phone": found.leads[place.prospect.lead_id].phone,
                "reason": _why(place),
            }
            for place in found.ranking.waiting
        ],
        "done": [{"lead_id": known.id, "phone": known.phone, "reason": reason} for known, reason in found.done],
    }


def reasons(place: Place, found: Next) -> list[str]:
    """In words: the chance of an answer, of a sale, what follows, and whether another hour would be better."""
    known, best = found.leads[place.prospect.lead_id], found.best[place.prospect.lead_id]
    said = [f"{_answers(place.prospect.answer, known)}", _sells(place.prospect, known, found.unscored)]
    if best.at > found.now and best.answer > 1.2 * place.prospect.answer.mean:
        said.append(f"better on {best.local:%A at %H:%M} there: {best.answer:.0%} answer")
    if place.explores:
        said.append(f"called to learn: drawn with a chance of {place.chance:.3g}")
    return said


def _answers(answer: Belief, known: Known) -> str:
    own = f"; tried {len(known.tried)} times, {known.answered} answered" if known.tried else ""
    return f"{answer.mean:.0%} answer at this hour ({answer.low:.0%} to {answer.high:.0%}){own}"


def _sells(prospect: Prospect, known: Known, unscored: Mapping[str, Belief]) -> str:
    bounds = f"{prospect.sale:.0%} then buy ({prospect.sale_low:.0%} to {prospect.sale_high:.0%})"
    if known.score is not None and known.score.uplift is not None:
        bounds = (
            f"{prospect.sale:.0%} then buy who would not have ({prospect.sale_low:.0%} to {prospect.sale_high:.0%})"
        )
    if known.score is None:
        seen = unscored.get(known.source, unscored[""]).seen
        return f"{bounds}: not scored yet, so what leads of this kind did ({seen.hits} of {seen.tries} calls)"
    why = f": {known.score.reasons[0]}" if known.score.reasons else ""
    return f"{bounds}, by {known.score.model_version}, {origin_of(known.score.model_version)}{why}"


def _why(place: Place) -> str:
    return "A call costs more than it brings on average." if place.worth <= 0 else "No time or place is left."


def lines(found: Next, wish: Wish) -> list[str]:
    ranking = found.ranking
    out = [f"Call next ({ranking.minutes:.0f} of {wish.capacity.minutes:.0f} minutes):"]
    for number, one in enumerate(ranking.places, start=1):
        known = found.leads[one.prospect.lead_id]
        who = f"{known.name} " if known.name else ""
        out.append(f"{number:3}. {who}{known.phone}  {one.rate:+.2f} per minute, {one.minutes:.1f} min")
        out += [f"       {reason}" for reason in reasons(one, found)]
    if not ranking.places:
        out.append("     nobody")
    if ranking.refused:
        out.append(f"Not to be called now ({len(ranking.refused)}):")
        for prospect in ranking.refused[: wish.capacity.calls]:
            until = prospect.decision.until
            when = (
                f" From {until:%Y-%m-%d %H:%M} UTC on." if prospect.decision.verdict is Verdict.DEFER and until else ""
            )
            out.append(f"     {found.leads[prospect.lead_id].phone}  {prospect.decision}{when}")
        out += _more(len(ranking.refused), wish.capacity.calls)
    if ranking.waiting:
        poor = sum(place.worth <= 0 for place in ranking.waiting)
        out.append(
            f"May be called, but not in the list: {len(ranking.waiting)} ({poor} would cost more than they bring)."
        )
    if found.done:
        out.append(f"Need no call, since an appointment is booked: {len(found.done)}.")
    return out


def _more(count: int, shown: int) -> list[str]:
    return [f"     and {count - shown} more (--json lists all)"] if count > shown else []
