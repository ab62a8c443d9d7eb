"""What a telephone number says about where its owner may be: country, kind of line, plausible time zones and states."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

# phonenumbers takes a tenth of a second to import, and the web process needs it only when somebody is to be called.
if TYPE_CHECKING:
    import phonenumbers

AREA_CODE_LENGTH = 4  # "1" and three digits: in the North American plan a place is an area code, not an exchange


@dataclass(frozen=True, slots=True)
class Place:
    """`zones` are IANA names; empty when nothing is known, which never means "anywhere is fine"."""

    e164: str
    country: str
    kind: str
    area_code: str
    zones: frozenset[str]


def normalise(text: str, home: str | None = None) -> str | None:
    """The number as E.164, or None. `home` is the country of a number written without its country code."""
    import phonenumbers

    try:
        number = phonenumbers.parse(text, home)
    except phonenumbers.NumberParseException:
        return None
    return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))


@lru_cache(maxsize=4096)
def place(phone: str) -> Place | None:
    """None for anything but a number that can exist, written as E.164."""
    import phonenumbers

    try:
        number = phonenumbers.parse(phone, None)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_valid_number(number):
        return None
    if phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164) != phone:
        return None
    country = phonenumbers.region_code_for_number(number)
    digits = phone.removeprefix("+")
    area_code = digits[1:AREA_CODE_LENGTH] if number.country_code == 1 else ""
    return Place(
        e164=phone,
        country=country or "",
        kind=phonenumbers.PhoneNumberType.to_string(phonenumbers.number_type(number)).lower(),
        area_code=area_code,
        zones=_zones(number, digits[:AREA_CODE_LENGTH] if area_code else ""),
    )


def _zones(number: phonenumbers.PhoneNumber, prefix: str) -> frozenset[str]:
    """Every zone of the area code, not only of the exchange: numbers move freely within their area code."""
    from phonenumbers import timezone

    found = set(timezone.time_zones_for_number(number))
    if prefix:
        found |= _zones_of_area(prefix)
    return frozenset(found - {"Etc/Unknown"})


@lru_cache(maxsize=1024)
def _zones_of_area(prefix: str) -> frozenset[str]:
    from phonenumbers.tzdata import TIMEZONE_DATA

    table: Mapping[str, tuple[str, ...]] = TIMEZONE_DATA
    return frozenset(zone for key, zones in table.items() if key.startswith(prefix) for zone in zones)
