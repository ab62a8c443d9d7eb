"""Which numbers the API takes, and with which error it refuses the others.

The numbers +1500555000x answer as they do with the carrier's test credentials.
"""

from __future__ import annotations

import re

from app.errors import CarrierFault
from app.exchange.office import Office

VALID_SENDER = "+15005550006"
_E164 = re.compile(r"\+[1-9]\d{6,14}")

_CALL_TO = {
    "+15005550001": (21217, "Phone number does not appear to be valid"),
    "+15005550002": (21214, "'To' phone number cannot be reached"),
    "+15005550003": (21215, "Account not authorized to call +15005550003. Geographic permissions"),
    "+15005550004": (21216, "Account not allowed to call this number"),
}
_TEXT_TO = {
    "+15005550001": (21211, "Invalid 'To' Phone Number"),
    "+15005550002": (21612, "The 'To' phone number is not currently reachable"),
    "+15005550003": (21408, "Permission to send a message has not been enabled for the region"),
    "+15005550004": (21610, "Attempt to send to unsubscribed recipient"),
    "+15005550009": (21614, "'To' number is not a valid mobile number"),
}
_FROM = {
    "+15005550001": (21212, "The 'From' number +15005550001 is not a valid phone number"),
    "+15005550007": (21606, "The 'From' phone number provided is not a valid message-capable number"),
    "+15005550008": (21611, "This 'From' number has exceeded the maximum number of queued messages"),
}


def check_call(office: Office, to: str, from_: str) -> None:
    """Raises CarrierFault 21201, 21213, 21210 to 21217."""
    if not to:
        raise CarrierFault(21201, "No 'To' number is specified")
    if not from_:
        raise CarrierFault(21213, "No 'From' number is specified")
    if to in _CALL_TO:
        raise CarrierFault(*_CALL_TO[to])
    if not to.startswith(("client:", "sip:")) and not _E164.fullmatch(to):
        raise CarrierFault(21211, f"The phone number you are attempting to call, {to}, is not valid.")
    if from_ == "+15005550001":
        raise CarrierFault(*_FROM[from_])
    if from_ != VALID_SENDER and from_ not in office.numbers:
        raise CarrierFault(21210, f"Source phone number provided, {from_}, is not yet verified for your account.")


def check_sender(office: Office, from_: str, to: str) -> None:
    """Raises CarrierFault 21603, 21910, 63007 or 21606 ..."""
    if not from_:
        raise CarrierFault(21603, "A 'From' phone number is required.")
    if to and from_.startswith("whatsapp:") != to.startswith("whatsapp:"):
        raise CarrierFault(21910, "Invalid From and To pair. From and To should be of the same channel")
    number = from_.removeprefix("whatsapp:")
    if number in _FROM:
        raise CarrierFault(*_FROM[number])
    owned = office.numbers.get(number)
    if number == VALID_SENDER:
        return
    if from_.startswith("whatsapp:") and not (owned and owned.whatsapp):
        raise CarrierFault(63007, "Twilio could not find a Channel with the specified From address")
    if owned is None:
        raise CarrierFault(21606, f"The 'From' phone number provided ({from_}) is not a valid message-capable number")


def check_text_recipient(to: str) -> None:
    """Raises CarrierFault 21604, 21211 ..."""
    if not to:
        raise CarrierFault(21604, "A 'To' phone number is required.")
    number = to.removeprefix("whatsapp:")
    if number in _TEXT_TO:
        raise CarrierFault(*_TEXT_TO[number])
    if not _E164.fullmatch(number):
        raise CarrierFault(21211, f"Invalid 'To' Phone Number: {to}")
