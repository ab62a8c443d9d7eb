"""The one way to the carrier: ask the gate, reserve the attempt with its decision and a seat, dial, record.

Nothing else in the code may call `Carrier.place`; a test looks for that. Even here it takes a Reservation, which only
the transaction that stored an allowing decision can make.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

import typer

from app import observe
from app.compliance.gate import Campaign, Channel, Contact, Decision, Purpose, decide
from app.compliance.limits import calls_over
from app.compliance.number import normalise
from app.compliance.rules import Rules, load
from app.errors import BadInput, BadSetting, Busy, CallRefused, ProviderDown, ProviderRefused, ProviderUncertain
from app.ports import Carrier, Seats
from app.sales.prices import Prices, shipped
from app.settings import EXAMPLES, Settings
from app.store import attempts, calls, consents, decisions, leads, limits, playbooks, suppressions, workspaces
from app.store.calls import NewCall
from app.store.connect import Connection, Database

log = observe.log(__name__)

CLOCK_SKEW = timedelta(seconds=5)  # between us and the database; more, and neither is believed

_SEAL = object()


@dataclass(frozen=True, slots=True)
class Reservation:
    """The right to dial once. Raises TypeError when made anywhere but behind the gate."""

    attempt_id: UUID
    lead_id: UUID
    to: str
    sender: str
    playbook: str
    seal: object

    def __post_init__(self) -> None:
        if self.seal is not _SEAL:
            raise TypeError("a Reservation comes from the gate, it is not made by hand")


@dataclass(frozen=True, slots=True)
class _Book:
    """What is decided by."""

    rules: Rules
    prices: Prices


@dataclass(frozen=True, slots=True)
class PlacedCall:
    call_sid: str
    attempt_id: UUID
    to: str
    sender: str


def place_call(
    database: Database,
    carrier: Carrier,
    number: str,
    playbook: str | None = None,
    *,
    ours: str,
    seats: Seats,
    rules: Rules | None = None,
    prices: Prices | None = None,
    on_allowed: Callable[[Connection], None] = lambda db: None,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> PlacedCall:
    """Calls `number` from the workspace that owns `ours`, under the rules and prices shipped with this version unless
    others are given. `on_allowed` runs once they say yes, in the transaction in which the attempt counts; it may raise.
    A seat is kept at the serving process before the carrier is asked: whoever answers is talked to at once (C09).
    Without one nothing is dialled and no attempt counted.

    Raises Busy when there is no seat, CallRefused with the reason when the rules say no (the refusal is kept), BadInput
    for a number or playbook that is none, and the ProviderError family; ProviderUncertain means that the phone may ring
    all the same.
    """
    to = normalise(number)
    if to is None:
        raise BadInput(f"{number!r} is not a telephone number with country code, such as +12025550111.")
    with database.system() as db:
        owner = workspaces.by_number(db, ours)
    if owner is None:
        raise BadInput(f"No workspace has the number {ours}: set TWILIO_NUMBER to one of your numbers.")
    with database.worker(owner.workspace_id) as db:
        wanted = workspaces.number_for(db, playbook) if playbook else owner
        if wanted is None:
            raise BadInput(f"No number answers with the playbook {playbook!r}.")
        outcome = _reserve(db, wanted, to, now(), _Book(rules or load(), prices or shipped()), on_allowed)
        if isinstance(outcome, Reservation):
            seats.keep(outcome.attempt_id)  # in here: no seat, no attempt
    if isinstance(outcome, Decision):
        found = tuple((finding.rule, finding.reason) for finding in outcome.findings)
        raise CallRefused(str(outcome), until=outcome.until, findings=found)
    try:
        return _dial(database, carrier, outcome, owner.workspace_id)
    except (ProviderDown, ProviderRefused):  # surely not dialled
        seats.free(outcome.attempt_id)
        raise


def _reserve(
    db: Connection,
    number: workspaces.Number,
    to: str,
    now: datetime,
    book: _Book,
    on_allowed: Callable[[Connection], None],
) -> Reservation | Decision:
    """One transaction: the decision, and the attempt when it allows one. Returns the decision when it does not."""
    allowed = limits.get(db)
    over = calls_over(allowed, limits.used(db, book.prices, now, alone=True), now)
    lead = leads.by_phone(db, to)
    contact = Contact(
        phone=to,
        consents=consents.of(db, to),
        suppressed=suppressions.is_suppressed(db, to, "voice"),
        attempts=attempts.recent(db, lead.id, now) if lead else (),
        stated_zones=tuple(zone for zone in (lead.facts.get("time_zone"),) if zone) if lead else (),
        stated_region=lead.facts.get("state") if lead else None,
    )
    own = workspaces.own_numbers(db)
    campaign = Campaign(str(number.workspace_id), Purpose.MARKETING, number.e164, own, allowed.reach)
    trusted = now if _clock_holds(db, now) else None
    decision = decide(contact, campaign, Channel.VOICE, trusted, book.rules, over)
    for rule in decision.rule_ids if not decision.allowed else ("-",):
        observe.DIAL_DECISIONS.labels(decision.verdict.value, rule).inc()
    log.info("gate", verdict=decision.verdict.value, rules=decision.rule_ids, person=observe.masked(to))
    if not decision.allowed:
        if decision.at is not None:
            decisions.store(db, decision)
            limits.noted(db, over)
        return decision
    limits.passed(db)
    on_allowed(db)
    lead = lead or leads.find_or_create(db, to, "outbound_call")
    attempt_id = attempts.reserve(db, lead.id, to, decision, now)
    return Reservation(attempt_id, lead.id, to, number.e164, number.playbook, _SEAL)


def _dial(database: Database, carrier: Carrier, reservation: Reservation, workspace_id: UUID) -> PlacedCall:
    """A carrier that did not answer may have dialled: the attempt stays counted and nothing is sent again."""
    if not isinstance(reservation, Reservation):
        raise TypeError("the carrier is only asked with a Reservation")
    call_sid = carrier.place(to=reservation.to, sender=reservation.sender, reference=str(reservation.attempt_id))
    with database.worker(workspace_id) as db:
        version, _ = playbooks.published(db, reservation.playbook)
        calls.one_at_a_time(db, call_sid)
        calls.ring(
            db,
            NewCall(
                call_sid=call_sid,
                direction="outbound",
                caller=reservation.sender,
                called=reservation.to,
                playbook=reservation.playbook,
                playbook_version=version,
                lead_id=reservation.lead_id,
                attempt_id=reservation.attempt_id,
                status="queued",
            ),
        )
    return PlacedCall(call_sid, reservation.attempt_id, reservation.to, reservation.sender)


def _clock_holds(db: Connection, now: datetime) -> bool:
    row = db.execute("select clock_timestamp() as at").fetchone()
    return row is not None and abs(row["at"] - now) <= CLOCK_SKEW


def call_number(number: str, *, playbook: str | None = None, as_json: bool = False) -> int:
    """`strowger call`: 0 when the phone rings, 1 when the rules or the carrier said no; says why."""
    from app.local import NUMBER, opened
    from app.pricing import table
    from app.settings import load as load_settings

    observe.configure("console", level=logging.WARNING)
    settings = load_settings()
    with opened(settings) as database:
        carrier = LazyCarrier(settings)
        ours = settings.twilio_number or NUMBER
        try:
            placed = place_call(
                database,
                carrier,
                number,
                playbook,
                ours=ours,
                seats=carrier,
                prices=table(settings.prices),
                on_allowed=lambda db: carrier.connect(),
            )
        except Busy as error:
            _say(as_json, {"placed": False, "reason": str(error)}, f"Not called: {error}.")
            return 1
        except CallRefused as refusal:
            _say(as_json, {"placed": False, "reason": str(refusal)}, f"Not called. {refusal}")
            return 1
        except ProviderUncertain as error:
            _say(as_json, {"placed": None, "reason": str(error)}, f"It is not known whether the phone rings: {error}.")
            return 1
    _say(as_json, {"placed": True, "call_sid": placed.call_sid}, f"Calling {placed.to}: {placed.call_sid}")
    return 0


class LazyCarrier:
    """Twilio and the seats, once the rules have said yes: a refusal needs no account."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._carrier: Carrier | None = None
        self._seats: Seats | None = None

    def connect(self) -> None:
        """Once, however often it is asked. Raises BadSetting naming the variable that is missing."""
        if self._carrier is None or self._seats is None:
            self._carrier, self._seats = carrier_of(self._settings), seats_of(self._settings)

    def place(self, *, to: str, sender: str, reference: str) -> str:
        assert self._carrier is not None
        return self._carrier.place(to=to, sender=sender, reference=reference)

    def hang_up(self, call_sid: str) -> None:
        assert self._carrier is not None
        self._carrier.hang_up(call_sid)

    def keep(self, attempt: UUID) -> None:
        assert self._seats is not None
        self._seats.keep(attempt)

    def free(self, attempt: UUID) -> None:
        assert self._seats is not None
        self._seats.free(attempt)


def carrier_of(settings: Settings) -> Carrier:
    """Raises BadSetting naming the variable that is missing."""
    from app.providers.twilio import TwilioCarrier
    from app.providers.twilio_client import connect

    sid = settings.twilio_account_sid
    if sid is None:
        raise _unset("TWILIO_ACCOUNT_SID")
    token, public_url = _token_and_address(settings)
    client = connect(sid, token, settings.twilio_base_url)
    return TwilioCarrier(
        client,
        public_url=public_url,
        limit_s=int(settings.call_limit_s),
        ring_s=settings.ring_s,
        detects_machines=settings.twilio_amd,
    )


def seats_of(settings: Settings) -> Seats:
    """Raises BadSetting naming the variable that is missing."""
    from app.providers.seats import ServedSeats

    token, public_url = _token_and_address(settings)
    return ServedSeats(public_url, token, settings.service_url)


def _token_and_address(settings: Settings) -> tuple[str, str]:
    if settings.twilio_auth_token is None:
        raise _unset("TWILIO_AUTH_TOKEN")
    if settings.public_url is None:
        raise _unset("STROWGER_PUBLIC_URL")
    return settings.twilio_auth_token.get_secret_value(), settings.public_url


def _unset(name: str) -> BadSetting:
    return BadSetting(f"{name} is not set. Example: {name}={EXAMPLES[name]}")


def _say(as_json: bool, body: dict[str, object], sentence: str) -> None:
    typer.echo(json.dumps(body) if as_json else sentence)
