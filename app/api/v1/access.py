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
    "workspace_get": VIEWER,
    "workspace_update": ADMIN,
    # retention, holds
    "retention_get": ADMIN,
    "holds_list": ADMIN,
    "holds_create": ADMIN,
    "holds_lift": ADMIN,
    # limits
    "limits_get": VIEWER,
    "limits_used": VIEWER,
    "limits_update": ADMIN,
    # members
    "members_list": VIEWER,
    "members_create": ADMIN,
    "members_update": ADMIN,
    "members_remove": ADMIN,
    # invitations
    "invitations_list": ADMIN,
    "invitations_create": ADMIN,
    "invitations_revoke": ADMIN,
    # api keys
    "api_keys_list": ADMIN,
    "api_keys_create": ADMIN,
    "api_keys_rotate": ADMIN,
    "api_keys_revoke": ADMIN,
    # webhooks
    "webhooks_list": ADMIN,
    "webhooks_create": ADMIN,
    "webhooks_delete": ADMIN,
    "webhooks_rotate": ADMIN,
    "webhooks_test": ADMIN,
    "webhooks_deliveries": ADMIN,
    # audit
    "audit_list": ADMIN,
    # notifications
    "notifications_list": VIEWER,
    "notifications_rules": VIEWER,
    "notifications_set_rules": MANAGER,
    "notifications_subscribe": VIEWER,
    "notifications_unsubscribe": VIEWER,
    "notifications_test": MANAGER,
    # numbers
    "numbers_list": VIEWER,
    "numbers_create": ADMIN,
    "numbers_change": ADMIN,
    "numbers_remove": ADMIN,
    # playbooks
    "playbooks_list": VIEWER,
    "playbooks_create": MANAGER,
    "playbooks_validate": VIEWER,
    "playbooks_get": VIEWER,
    "playbooks_save": MANAGER,
    "playbooks_publish": MANAGER,
    "playbooks_versions": VIEWER,
    "playbooks_version": VIEWER,
    "playbooks_diff": VIEWER,
    "playbooks_rollback": MANAGER,
    # leads
    "leads_next": VIEWER,
    "leads_tiers": VIEWER,
    "leads_list": VIEWER,
    "leads_create": AGENT,
    "leads_import": MANAGER,
    "leads_export": MANAGER,
    "leads_get": VIEWER,
    "leads_change": AGENT,
    "leads_touches": VIEWER,
    "leads_note": AGENT,
    "leads_choose_tier": AGENT,
    "leads_unchoose_tier": AGENT,
    "leads_dossier": ADMIN,
    "leads_erase": ADMIN,
    "leads_erasure": ADMIN,
    # consents, suppressions
    "consents_list": VIEWER,
    "consents_create": MANAGER,
    "suppressions_list": VIEWER,
    "suppressions_create": AGENT,
    # calls
    "calls_list": VIEWER,
    "calls_create": AGENT,
    "calls_get": VIEWER,
    "calls_events": VIEWER,
    "calls_transcript": VIEWER,
    "calls_heard": VIEWER,
    "calls_readings": VIEWER,
    "calls_waterfall": VIEWER,
    "calls_cost": VIEWER,
    "calls_score": VIEWER,
    "calls_recording": AGENT,
    "calls_recording_file": ANYONE,  # the signature in its address is the permission
    "calls_peaks": VIEWER,
    # controls: whisper, takeover, handback, hang up
    "controls_whisper": AGENT,
    "controls_takeover": AGENT,
    "controls_handback": AGENT,
    "controls_hangup": AGENT,
    # live
    "live_get": VIEWER,
    "live_health": VIEWER,
    # phone
    "phone_offer": AGENT,
    # outcomes, scores, messages, follow-ups
    "outcomes_list": VIEWER,
    "scores_list": VIEWER,
    "score_batches_start": MANAGER,
    "score_batches_get": VIEWER,
    "messages_list": VIEWER,
    "follow_ups_list": VIEWER,
    # models
    "models_list": VIEWER,
    "models_nights": VIEWER,
    "models_accept": ADMIN,
    "models_get": VIEWER,
    "models_promote": ADMIN,
    "models_rollback": ADMIN,
    "models_retire": ADMIN,
    # reports
    "reports_funnel": VIEWER,
    "reports_get": VIEWER,
    "reports_schedules": MANAGER,
    "reports_schedule": MANAGER,
    "reports_unschedule": MANAGER,
    # providers
    "providers_list": ADMIN,
    "providers_test": ADMIN,
    # campaigns
    "campaigns_list": VIEWER,
    "campaigns_create": MANAGER,
    "campaigns_get": VIEWER,
    "campaigns_change": MANAGER,
    "campaigns_preview": VIEWER,
    "campaigns_launch": MANAGER,
    "campaigns_pause": MANAGER,
    "campaigns_resume": MANAGER,
    "campaigns_end": MANAGER,
}

# WebSockets, by the name of their route: the purpose of the one-time ticket that opens each (see tickets.py).
SOCKETS: Final[dict[str, str]] = {
    # live
    "live_feed": "feed",
    # listen
    "controls_listen": "listen",
}

# Every write is audited but these, which change nothing worth remembering; and these reads are audited like writes.
UNAUDITED: Final = frozenset({"tickets_create", "playbooks_validate", "campaigns_preview", "phone_offer"})
AUDITED_READS: Final = frozenset({"leads_export", "leads_dossier", "calls_recording"})


def resource_of(operation: str) -> str:
    """The first word of an operation id, longest resource first: what scopes speak of."""
    return next((name for name in _TWO_WORDS if operation.startswith(name)), operation.partition("_")[0])


_TWO_WORDS = ("api_keys", "follow_ups")
