"""Who may do what: the one table of it. A route that is not here is for nobody (T16).

Each row is a route's operation id and the lowest role that may use it; `ANYONE` needs no token. Row-level security
decides once more, by the rows themselves. Add your rows in the section of your resource.
"""

from __future__ import annotations

from typing import Final, Literal, TypeAlias

from app.api.v1.principal import Role

ANYONE: Final = "anyone"
VIEWER, AGENT, MANAGER, ADMIN, OWNER = Role
Needed: TypeAlias = Role | Literal["anyone"]

ACCESS: Final[dict[str, Needed]] = {
    # session, me
    "session_open": ANYONE,
    "session_refresh": ANYONE,
    "session_close": ANYONE,
    "me_get": VIEWER,
    "tickets_create": VIEWER,
    # workspace
    # members
    "members_list": VIEWER,
    # invitations
    # api keys
    # webhooks
    # audit
    # notifications
    # numbers
    # playbooks
    # leads
    # consents, suppressions
    # calls
    # controls: whisper, takeover, handback, hang up
    # live
    # phone
    # outcomes, scores, messages, follow-ups
    # models
    # reports
    # providers
    # campaigns
}

# WebSockets, by the name of their route: the purpose of the one-time ticket that opens each (see tickets.py).
SOCKETS: Final[dict[str, str]] = {
    # live
    # listen
}


def resource_of(operation: str) -> str:
    """The first word of an operation id, longest resource first: what scopes speak of."""
    return next((name for name in _TWO_WORDS if operation.startswith(name)), operation.partition("_")[0])


_TWO_WORDS = ("api_keys", "follow_ups")
