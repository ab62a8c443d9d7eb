"""Requests to Twilio, and what their failures mean.

Twilio has no idempotency key, so three ends of a request are kept apart (errors.py): surely not accepted, final no, and
unknown. Anything that breaks after the request may have left this machine is unknown.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import requests
import urllib3.exceptions
from twilio.base.exceptions import TwilioException, TwilioRestException, TwilioServiceException
from twilio.http.http_client import TwilioHttpClient
from twilio.rest import Client

from app.errors import ProviderDown, ProviderError, ProviderRefused, ProviderUncertain

TIMEOUT_S = 10.0
RATE_LIMITED = frozenset({63018, 20429, 14107})
NOT_LET_IN = frozenset(
    {401, 403, 404, 429}
)  # wrong key, suspended or unknown account, too fast: an operator can mend it


def connect(account_sid: str, auth_token: str, base_url: str | None = None, timeout_s: float = TIMEOUT_S) -> Client:
    """A client that makes one attempt per request. `base_url` replaces Twilio's own addresses.

    No connection is kept open: a request on one that the other side has just closed would end in "unknown".
    """
    client = Client(account_sid, auth_token, http_client=TwilioHttpClient(timeout=timeout_s, pool_connections=False))
    if base_url:
        client.api.base_url = base_url
        client.content.base_url = base_url
    return client


@contextmanager
def requests_that_matter() -> Iterator[None]:
    """Sorts the failures of a request that has an effect. Nothing of the provider's wording is kept: it repeats phone
    numbers, and these errors are logged."""
    try:
        yield
    except (TwilioRestException, TwilioServiceException) as error:
        raise _judged(error.status, error.code) from None
    except requests.RequestException as error:
        if _never_left(error):
            raise ProviderDown("no connection to Twilio") from None
        raise ProviderUncertain(f"Twilio did not answer ({type(error).__name__})") from None
    except (TwilioException, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ProviderUncertain(f"Twilio's answer could not be read ({type(error).__name__})") from None


@contextmanager
def harmless_requests() -> Iterator[None]:
    """The same for a request that only reads: an unknown end is as good as none, it may be asked again."""
    try:
        with requests_that_matter():
            yield
    except ProviderUncertain as error:
        raise ProviderDown(str(error), provider_code=error.provider_code) from None


def _judged(status: int, code: object) -> ProviderError:
    number = int(code) if isinstance(code, int | str) and str(code).isdigit() else None
    said = f"Twilio answered {status}" + (f", error {number}" if number not in (None, status) else "")
    if status in NOT_LET_IN or number in RATE_LIMITED:
        return ProviderDown(said, provider_code=number)
    if status >= 500 or status == 408:  # it may have accepted the request and then failed
        return ProviderUncertain(said, provider_code=number)
    return ProviderRefused(said, provider_code=number)


def _never_left(error: requests.RequestException) -> bool:
    """Whether the connection was never made, so that nothing can have been accepted."""
    if isinstance(error, requests.ConnectTimeout | requests.exceptions.ProxyError):
        return True
    cause = error.args[0] if error.args else None
    reason = getattr(cause, "reason", cause)
    return isinstance(reason, urllib3.exceptions.NewConnectionError | urllib3.exceptions.ConnectTimeoutError)
