"""May this person be called or written to now? One pure function; it fails closed.

Every input that is missing or unknown denies. Deny beats defer beats allow. The caller passes what is recorded and the
time; the gate looks nothing up. Requirement ids in rule names (C02, C03, ...) are those of the compliance page.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfoNotFoundError

from app.compliance.hours import Local, zones_named
from app.compliance.number import Place, place
from app.compliance.rules import Country, Region, Rules


class Channel(StrEnum):
    VOICE = "voice"
    WHATSAPP = "whatsapp"


class Purpose(StrEnum):
    """A sales call is marketing; a promised call-back or the follow-up somebody asked for is informational."""

    MARKETING = "marketing"
    INFORMATIONAL = "informational"


class Verdict(StrEnum):
    ALLOW = "allow"
    DEFER = "defer"
    DENY = "deny"


@dataclass(frozen=True, slots=True)
class Consent:
    """One recorded consent. `kind` is written, oral or whatsapp; `seller` the workspace that was named; `wording` the
    exact text shown or read; `evidence` says where the proof lies (a signature, a call id)."""

    phone: str
    seller: str
    kind: str
    purpose: str
    wording: str
    evidence: str
    given_at: datetime
    revoked_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Contact:
    """What is recorded about a person. None means "could not be found out", which denies."""

    phone: str
    consents: tuple[Consent, ...] = ()
    suppressed: bool | None = None
    attempts: tuple[datetime, ...] | None = None
    stated_zones: tuple[str, ...] = ()
    stated_region: str | None = None


@dataclass(frozen=True, slots=True)
class Campaign:
    """Who calls, why, from which of the seller's own numbers, and what the number called must begin with."""

    seller: str
    purpose: Purpose
    sender: str
    own_numbers: frozenset[str]
    reach: tuple[str, ...] = ("+",)


@dataclass(frozen=True, slots=True)
class Finding:
    """One rule's objection, as a sentence; `until` when it passes by waiting."""

    rule: str
    reason: str
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """`until` is set for DEFER only. `checked` are all rules that were applied, `findings` those that objected."""

    verdict: Verdict
    phone: str
    channel: Channel
    purpose: Purpose
    at: datetime | None
    until: datetime | None
    findings: tuple[Finding, ...]
    checked: tuple[str, ...]
    rules_version: str

    @property
    def allowed(self) -> bool:
        return self.verdict is Verdict.ALLOW

    @property
    def rule_ids(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(finding.rule for finding in self.findings)) or self.checked

    def __str__(self) -> str:
        """Why, for a person."""
        if self.allowed:
            return "allowed"
        return " ".join(f"{finding.reason} ({finding.rule})" for finding in self.findings)


def decide(
    contact: Contact,
    campaign: Campaign,
    channel: Channel,
    now: datetime | None,
    rules: Rules,
    over: tuple[Finding, ...] = (),
) -> Decision:
    """`now` must be aware; None means that nobody vouches for the clock, and denies. `over`: which of the workspace's
    limits are reached (app/compliance/limits.py)."""
    checked: list[str] = []
    findings: list[Finding] = []

    def apply(rule: str, *objections: Finding) -> None:
        checked.append(rule)
        findings.extend(objections)

    where = place(contact.phone)
    country = rules.countries.get(where.country) if where else None
    apply(rules.suppression.id, *_suppression(contact, rules))
    apply(rules.destination.rule.id, *_destination(where, country, rules))
    apply("T06.destination", *_reach(contact, campaign))
    apply("T06.limits", *over)
    apply(rules.caller_id.id, *_caller_id(campaign, rules))
    apply(rules.consent.rule.id, *_consent(contact, campaign, channel, now, rules))
    if where and country:
        regions = _regions(where, country, contact)
        for region in regions:
            apply(region.rule.id)
        findings.extend(_regional(where, country, regions, contact, now, _hours_apply(campaign, channel)))
        if channel is Channel.VOICE:
            apply(rules.caps.rule.id, *_attempts(contact, regions, now, rules))
    return _settle(contact, campaign, channel, now, rules, findings, checked)


def _settle(
    contact: Contact,
    campaign: Campaign,
    channel: Channel,
    now: datetime | None,
    rules: Rules,
    findings: list[Finding],
    checked: list[str],
) -> Decision:
    waits = [finding.until for finding in findings if finding.until is not None]
    verdict, until = Verdict.ALLOW, None
    if findings and len(waits) == len(findings):
        until = _first_chance(contact, rules, max(waits))
        verdict = Verdict.DEFER if until else Verdict.DENY
    elif findings:
        verdict = Verdict.DENY
    return Decision(
        verdict, contact.phone, channel, campaign.purpose, now, until, tuple(findings), tuple(checked), rules.version
    )


def _first_chance(contact: Contact, rules: Rules, after: datetime) -> datetime | None:
    """Waiting for one rule may run into the closed hours of another."""
    where = place(contact.phone)
    country = rules.countries.get(where.country) if where else None
    local = _local(where, country, contact) if where and country else None
    return local.next_opening(after) if local else None


def _suppression(contact: Contact, rules: Rules) -> tuple[Finding, ...]:
    if contact.suppressed is None:
        return (Finding(rules.suppression.id, "It could not be checked whether this person asked not to be called."),)
    if contact.suppressed:
        return (Finding(rules.suppression.id, "This person asked not to be contacted."),)
    return ()


def _destination(where: Place | None, country: Country | None, rules: Rules) -> tuple[Finding, ...]:
    rule = rules.destination
    if where is None:
        return (Finding(rule.rule.id, "This is not a telephone number in international form, such as +12025550110."),)
    if where.kind not in rule.kinds or where.e164.startswith(rule.blocked_prefixes):
        return (Finding(rule.rule.id, f"Numbers of this kind ({where.kind.replace('_', ' ')}) are never called."),)
    if country is None:
        return (Finding(rule.rule.id, f"There are no calling rules for {where.country or 'this country'}."),)
    return ()


def _reach(contact: Contact, campaign: Campaign) -> tuple[Finding, ...]:
    if contact.phone.startswith(campaign.reach):
        return ()
    return (Finding("T06.destination", "This workspace does not call or write to that country."),)


def _caller_id(campaign: Campaign, rules: Rules) -> tuple[Finding, ...]:
    if campaign.sender in campaign.own_numbers:
        return ()
    return (Finding(rules.caller_id.id, "The calling number is not one of the seller's own."),)


def _consent(
    contact: Contact, campaign: Campaign, channel: Channel, now: datetime | None, rules: Rules
) -> tuple[Finding, ...]:
    purpose = "whatsapp" if channel is Channel.WHATSAPP else campaign.purpose.value
    kinds = rules.consent.kinds[purpose]
    needed = " or ".join(sorted(kinds))
    for consent in contact.consents:
        if consent.phone != contact.phone or consent.seller != campaign.seller or consent.kind not in kinds:
            continue
        covers = consent.purpose == purpose or (purpose == "informational" and consent.purpose == "marketing")
        proven = bool(consent.wording.strip() and consent.evidence.strip())
        in_force = consent.revoked_at is None and now is not None and consent.given_at <= now
        if covers and proven and in_force:
            return ()
    return (
        Finding(rules.consent.rule.id, f"There is no recorded {needed} consent of this person to {purpose} contact."),
    )


def _regions(where: Place, country: Country, contact: Contact) -> tuple[Region, ...]:
    names = set(country.area_codes.get(where.area_code, frozenset()))
    if contact.stated_region:
        names.add(contact.stated_region)
    return (country.whole, *(country.regions[name] for name in sorted(names) if name in country.regions))


def _local(where: Place, country: Country, contact: Contact) -> Local | None:
    """None when it is not known where the person may be."""
    if not where.zones or (country.area_codes and where.area_code not in country.area_codes):
        return None
    try:
        split = country.split_zones.get(where.area_code, frozenset())
        zones = zones_named((*where.zones, *split, *contact.stated_zones))
    except (ZoneInfoNotFoundError, ValueError):
        return None
    return Local(zones, _regions(where, country, contact), country.holidays)


def _hours_apply(campaign: Campaign, channel: Channel) -> bool:
    """A message somebody asked for may come at any hour; everything else keeps the calling hours."""
    return channel is Channel.VOICE or campaign.purpose is Purpose.MARKETING


def _regional(
    where: Place, country: Country, regions: tuple[Region, ...], contact: Contact, now: datetime | None, hours: bool
) -> tuple[Finding, ...]:
    forbidden = tuple(Finding(region.rule.id, f"{region.forbidden}.") for region in regions if region.forbidden)
    if not hours:
        return forbidden
    local = _local(where, country, contact)
    if local is None:
        return (*forbidden, Finding(country.whole.rule.id, "It is not known in which time zone this person is."))
    if now is None:
        return (*forbidden, Finding(country.whole.rule.id, "The clock of this machine cannot be trusted."))
    opens = local.next_opening(now)
    return forbidden + tuple(
        Finding(region.rule.id, "It is outside the calling hours where this person may be.", opens)
        for region in local.closed_by(now)
    )


def _attempts(contact: Contact, regions: tuple[Region, ...], now: datetime | None, rules: Rules) -> tuple[Finding, ...]:
    caps = rules.caps
    if contact.attempts is None:
        return (Finding(caps.rule.id, "It could not be checked how often this person was called today."),)
    if now is None:
        return ()  # already denied by the hours
    findings = []
    recent = sorted(at for at in contact.attempts if at > now - timedelta(hours=24))
    if len(recent) >= caps.per_24h:
        free_at = recent[len(recent) - caps.per_24h] + timedelta(hours=24)
        findings.append(Finding(caps.rule.id, f"This person was called {len(recent)} times in 24 hours.", free_at))
    apart = max([caps.hours_between, *(region.hours_between or 0 for region in regions)])
    if recent and now < recent[-1] + timedelta(hours=apart):
        free_at = recent[-1] + timedelta(hours=apart)
        findings.append(Finding(caps.rule.id, f"This person was called less than {apart:g} hours ago.", free_at))
    return tuple(findings)
