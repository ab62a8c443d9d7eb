"""Every error Strowger raises on purpose, each with a stable code.

StrowgerError
├── BadInput            someone gave us what we cannot use: says what, where, and what to do
│   ├── BadSetting      an environment variable
│   ├── BadPlaybook     a playbook file, with the line
│   ├── BadFrame        a media-stream frame
│   └── BadTable        a CSV file
├── Refused             a rule said no
│   ├── CallRefused     the gate: this person may not be called or written to now
│   ├── NotAuthentic    a signature or token that does not hold
│   └── Busy            no room for another call
├── ProviderError       a service we depend on
│   ├── ProviderDown        surely not accepted: worth a retry
│   │   ├── ProviderLate        a deadline passed: nothing, or nothing more, came in time
│   │   └── ProviderLeftAlone   not asked at all: its circuit is open
│   ├── ProviderUncertain   may have been accepted: look it up, never send again blindly
│   └── ProviderRefused     a final no
├── StoreError
│   ├── StoreDown       the database cannot be reached: worth a retry
│   ├── NotFound
│   ├── Forbidden       row-level security, or a table that is evidence, refused a change
│   └── Conflict
├── CarrierFault        what a telephone company answers or logs when something is wrong, with its number
├── Disconnected        the other end of a socket is gone
├── ServiceNotStarted   an embedded service did not come up
└── ModelRefused        a model file we did not write, or that no longer matches its hash
"""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar


class StrowgerError(Exception):
    """The message is one sentence for a person; `code` is for programs and never changes."""

    code: ClassVar[str] = "strowger"
    retryable: ClassVar[bool] = False


class BadInput(StrowgerError):
    code = "bad_input"


class BadSetting(BadInput):
    code = "bad_setting"


class BadPlaybook(BadInput):
    code = "bad_playbook"


class BadFrame(BadInput):
    code = "bad_frame"


class BadTable(BadInput):
    code = "bad_table"


class Refused(StrowgerError):
    code = "refused"


class CallRefused(Refused):
    """`until`: from then on the answer may be another; None: it will not be. `findings` are the rules that objected,
    each with its reason."""

    code = "call_refused"

    def __init__(
        self, message: str = "", *, until: datetime | None = None, findings: tuple[tuple[str, str], ...] = ()
    ) -> None:
        super().__init__(message)
        self.until = until
        self.findings = findings


class NotAuthentic(Refused):
    code = "not_authentic"


class Busy(Refused):
    code = "busy"


class ProviderError(StrowgerError):
    """`provider_code` is the provider's own error number where it gave one."""

    code = "provider"

    def __init__(self, message: str = "", *, provider_code: int | None = None) -> None:
        super().__init__(message)
        self.provider_code = provider_code

    @property
    def kind(self) -> str:
        """One word for counting: late, limited, server, refused, open (its circuit) or broken (the connection, or what
        came over it)."""
        code = self.provider_code or 0
        if code == 429:
            return "limited"
        if 500 <= code < 600:
            return "server"
        return "refused" if isinstance(self, ProviderRefused) else "broken"


class ProviderDown(ProviderError):
    code = "provider_down"
    retryable = True


class ProviderLate(ProviderDown):
    code = "provider_late"

    @property
    def kind(self) -> str:
        return "late"


class ProviderLeftAlone(ProviderDown):
    code = "provider_left_alone"

    @property
    def kind(self) -> str:
        return "open"


class ProviderUncertain(ProviderError):
    code = "provider_uncertain"


class ProviderRefused(ProviderError):
    code = "provider_refused"


class StoreError(StrowgerError):
    code = "store"


class StoreDown(StoreError):
    code = "store_down"
    retryable = True


class NotFound(StoreError):
    code = "not_found"


class Forbidden(StoreError):
    code = "forbidden"


class Conflict(StoreError):
    code = "conflict"


class Disconnected(StrowgerError):
    code = "disconnected"


class ServiceNotStarted(StrowgerError):
    code = "service_not_started"


class ModelRefused(StrowgerError):
    code = "model_refused"


class CarrierFault(StrowgerError):
    """`number` is the carrier's error number (21211, 31920 ...), `status` the HTTP status it answers with."""

    code = "carrier_fault"

    def __init__(self, number: int, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.number = number
        self.status = status
