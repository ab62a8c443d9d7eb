"""The calling rules as values, read from `rules.yaml`. A fault in the file stops the start: rules are never guessed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, time
from importlib import resources
from typing import Any

import yaml

from app.compliance.holidays import Holiday, parse_holiday
from app.errors import BadInput


@dataclass(frozen=True, slots=True)
class Rule:
    """Where a rule comes from. `reviewed` is False until counsel has confirmed it; it is enforced either way."""

    id: str
    source: str
    reviewed_on: date
    reviewed: bool


@dataclass(frozen=True, slots=True)
class Window:
    """Local hours in which a call may start: from `opens` up to, not including, `closes`."""

    opens: time
    closes: time


@dataclass(frozen=True, slots=True)
class Hours:
    """One window per kind of day; None means no calls on such a day."""

    mon_fri: Window | None
    sat: Window | None
    sun: Window | None
    holidays: Window | None


@dataclass(frozen=True, slots=True)
class Region:
    """What one country or state asks for. `forbidden` is the reason when it may not be called at all."""

    rule: Rule
    hours: Hours
    hours_between: float | None = None
    forbidden: str = ""


@dataclass(frozen=True, slots=True)
class Country:
    whole: Region
    regions: Mapping[str, Region]
    area_codes: Mapping[str, frozenset[str]]
    split_zones: Mapping[str, frozenset[str]] = field(default_factory=dict)
    holidays: tuple[Holiday, ...] = ()


@dataclass(frozen=True, slots=True)
class Caps:
    rule: Rule
    per_24h: int
    hours_between: float


@dataclass(frozen=True, slots=True)
class Destination:
    """Which kinds of numbers may be called, and the prefixes that may not whatever their kind."""

    rule: Rule
    kinds: frozenset[str]
    blocked_prefixes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ConsentRule:
    """The kinds of consent that allow each purpose."""

    rule: Rule
    kinds: Mapping[str, frozenset[str]]


@dataclass(frozen=True, slots=True)
class Rules:
    version: str
    consent: ConsentRule
    caps: Caps
    destination: Destination
    suppression: Rule
    caller_id: Rule
    countries: Mapping[str, Country] = field(default_factory=dict)


def load() -> Rules:
    """The rules shipped with this version. Raises BadInput."""
    return parse(resources.files("app.compliance").joinpath("rules.yaml").read_text(encoding="utf-8"))


def parse(text: str) -> Rules:
    """Raises BadInput naming the entry that cannot be used."""
    try:
        body = yaml.safe_load(text)
        return Rules(
            version=str(body["version"]),
            consent=_consent(body["consent"]),
            caps=Caps(_rule(body["attempts"]), int(body["attempts"]["per_24h"]), body["attempts"]["hours_between"]),
            destination=_destination(body["destination"]),
            suppression=_rule(body["suppression"]),
            caller_id=_rule(body["caller_id"]),
            countries={str(code): _country(entry) for code, entry in body["countries"].items()},
        )
    except (yaml.YAMLError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise BadInput(f"The calling rules cannot be read: {error!r}. Nobody is called until they can.") from error


def _rule(entry: Mapping[str, Any]) -> Rule:
    if not isinstance(entry["reviewed"], bool) or not isinstance(entry["reviewed_on"], date):
        raise ValueError(f"{entry['id']}: reviewed must be true or false and reviewed_on a date")
    return Rule(str(entry["id"]), str(entry["source"]), entry["reviewed_on"], entry["reviewed"])


def _consent(entry: Mapping[str, Any]) -> ConsentRule:
    purposes = ("marketing", "informational", "whatsapp")
    return ConsentRule(_rule(entry), {purpose: frozenset(entry[purpose]) for purpose in purposes})


def _destination(entry: Mapping[str, Any]) -> Destination:
    return Destination(_rule(entry), frozenset(entry["kinds"]), tuple(entry["blocked_prefixes"]))


def _country(entry: Mapping[str, Any]) -> Country:
    return Country(
        whole=_region(entry),
        regions={str(name): _region(row) for name, row in entry["regions"].items()},
        area_codes=_by_code(entry["area_codes"]),
        split_zones=_by_code(entry["split_zones"]),
        holidays=tuple(parse_holiday(row) for row in entry["holidays"]),
    )


def _by_code(entry: Mapping[str, Any]) -> Mapping[str, frozenset[str]]:
    """The file lists area codes under a place or under several places at once; turned around."""
    found: dict[str, set[str]] = {}
    for names, codes in entry.items():
        for code in codes:
            found.setdefault(str(code), set()).update(str(names).split())
    return {code: frozenset(places) for code, places in found.items()}


def _region(entry: Mapping[str, Any]) -> Region:
    hours = entry["hours"]
    return Region(
        rule=_rule(entry),
        hours=Hours(*(_window(hours[day]) for day in ("mon_fri", "sat", "sun", "holidays"))),
        hours_between=entry.get("hours_between"),
        forbidden=str(entry.get("forbidden", "")),
    )


def _window(text: str) -> Window | None:
    if text == "none":
        return None
    opens, closes = (time.fromisoformat(part) for part in text.split("-"))
    if opens >= closes:
        raise ValueError(f"{text}: the window must open before it closes")
    return Window(opens, closes)
