"""Made by `python -m app.client.generate` from the OpenAPI document. Not to be changed by hand."""

# fmt: off
# ruff: noqa: E501, I001, RUF100

from __future__ import annotations

from typing import Any, Literal, NotRequired, TypedDict, cast

from app.client.transport import Transport, place

class Accepted(TypedDict):
    night: str
    learned: NotRequired[Literal[True]]


class Added(TypedDict):
    added: bool


class AlertOut(TypedDict):
    kind: str
    subject: str
    sentence: str
    opened_at: str
    times: int


class ApiKey(TypedDict):
    id: str
    name: str
    role: Role
    scopes: list[str]
    hint: str
    created_by: str
    created_at: str
    expires_at: str | None
    revoked_at: str | None
    last_used_at: str | None
    replaces: str | None


class ApiKeyRequest(TypedDict):
    name: str
    role: NotRequired[Role]
    scopes: NotRequired[list[str]]
    expires_at: NotRequired[str | None]


class AppApiV1PlaybooksTier(TypedDict):
    name: str
    price: str


AppSalesLeadTier = Literal["hot", "warm", "cold"]

class Aside(TypedDict):
    at_ms: int
    text: str
    use: str


class Asked(TypedDict):
    name: str
    ask: str
    kind: str


class AuditEntry(TypedDict):
    id: str
    at: str
    actor: str
    actor_name: str | None
    action: str
    subject: str
    detail: dict[str, Any]


class Back(TypedDict):
    version: int


class Bin(TypedDict):
    predicted: float
    observed: float
    rows: int


class CallDetail(TypedDict):
    sid: str
    direction: Literal["inbound", "outbound"]
    state: Literal["ringing", "live", "ended"]
    person: str
    lead_id: str | None
    lead_name: str | None
    playbook: str
    started_at: str
    answered_at: str | None
    ended_at: str | None
    duration_ms: int
    result: str | None
    end_reason: str | None
    tier: AppSalesLeadTier | None
    score: float | None
    turns: int
    interruptions: int
    reply_p50_ms: int | None
    appointment: str | None
    business: str
    playbook_version: int
    facts: dict[str, str]
    objections: list[str]
    questions: list[str]
    disclosures: list[str]
    follow_up: str | None
    answered_by: str | None
    recording: bool
    recording_lost_at: str | None
    forgotten_at: str | None


class CallItem(TypedDict):
    sid: str
    direction: Literal["inbound", "outbound"]
    state: Literal["ringing", "live", "ended"]
    person: str
    lead_id: str | None
    lead_name: str | None
    playbook: str
    started_at: str
    answered_at: str | None
    ended_at: str | None
    duration_ms: int
    result: str | None
    end_reason: str | None
    tier: AppSalesLeadTier | None
    score: float | None
    turns: int
    interruptions: int
    reply_p50_ms: int | None
    appointment: str | None


class CallPlaced(TypedDict):
    sid: str
    sender: str


class CallScore(TypedDict):
    probability: float
    lower: float
    upper: float
    tier: AppSalesLeadTier
    tier_by: Literal["model", "person"]
    reasons: list[str]
    model_version: str
    learned_from: str


class CallWanted(TypedDict):
    to: NotRequired[str | None]
    lead_id: NotRequired[str | None]
    playbook: NotRequired[str | None]


class CampaignChange(TypedDict):
    name: NotRequired[str]
    calls_per_minute: NotRequired[int]
    at_once: NotRequired[int]
    most_calls: NotRequired[int]


class CampaignIn(TypedDict):
    name: str
    playbook: str
    tier: NotRequired[Literal["hot", "warm", "cold"] | None]
    source: NotRequired[str | None]
    calls_per_minute: NotRequired[int]
    at_once: NotRequired[int]
    most_calls: NotRequired[int]
    voicemail: NotRequired[Literal["hang_up", "leave_message"] | None]
    menu: NotRequired[Literal["hang_up", "press_key"] | None]
    menu_key: NotRequired[str | None]


class CampaignOut(TypedDict):
    id: str
    name: str
    playbook: str
    tier: str | None
    source: str | None
    state: Literal["draft", "running", "paused", "ended"]
    calls_per_minute: int
    at_once: int
    most_calls: int
    voicemail: Literal["hang_up", "leave_message"] | None
    menu: Literal["hang_up", "press_key"] | None
    menu_key: str | None
    leads: int
    dialled: int
    refused: int
    waiting: int
    answered: int
    booked: int
    answered_30_days: int
    abandoned_30_days: int
    created_at: str
    launched_at: str | None
    ended_at: str | None
    stopped_at: str | None
    stopped_why: str | None


class Checked(TypedDict):
    faults: list[Fault]
    view: View | None


class Chosen(TypedDict):
    priority: NotRequired[TierInput | None]
    offer: NotRequired[str | None]
    why: NotRequired[str]


class ConsentOut(TypedDict):
    purpose: str
    kind: str
    wording: str
    evidence: str
    given_at: str
    revoked_at: str | None


class Consents(TypedDict):
    items: list[ConsentOut]


class Cost(TypedDict):
    known_usd: float
    complete: bool
    unknown: list[str]
    prices_of: str
    items: list[CostItem]


class CostItem(TypedDict):
    stage: str
    provider: str
    model: str
    unit: str
    amount: int
    price_usd: float | None


class Cuts(TypedDict):
    hot_from: float
    warm_from: float
    model_version: str
    capacity_per_day: int
    value_usd: float
    call_cost_usd: float
    leads: int
    cut_at: str
    buyers_of: str
    cold_buyers: Missed
    not_hot_buyers: Missed


class Delivery(TypedDict):
    id: str
    event: str
    key: str
    body: dict[str, Any]
    created_at: str
    attempts: int
    status: str
    answered: int | None
    error: str | None
    settled_at: str | None


class Diff(TypedDict):
    diff: str


class Done(TypedDict):
    sid: str


class Due(TypedDict):
    recordings: int
    calls: int
    leads: int


class DuelOut(TypedDict):
    challenger: str
    outcomes: int
    evidence: float
    needed: float
    verdict: str


class ErasureOut(TypedDict):
    state: Literal["none", "waiting", "stuck", "done"]
    waits_for: NotRequired[Literal["call", "hold", "carrier", "file"] | None]
    suppress: NotRequired[bool | None]
    asked_by: NotRequired[str | None]
    asked_at: NotRequired[str | None]
    done_at: NotRequired[str | None]
    removed: NotRequired[dict[str, int]]


class ErasureWanted(TypedDict):
    suppress: NotRequired[bool]


class Event(TypedDict):
    seq: int
    at_ms: int
    kind: str
    body: dict[str, Any]


class Fault(TypedDict):
    line: int | None
    message: str


class FieldProblem(TypedDict):
    field: str
    message: str


class Figure(TypedDict):
    value: float
    low: NotRequired[float | None]
    high: NotRequired[float | None]


class FollowUp(TypedDict):
    call_sid: str
    lead_id: str | None
    lead_name: str | None
    template: str
    promised_at: str
    message_status: str | None


class Funnel(TypedDict):
    steps: list[Step]


class Given(TypedDict):
    purpose: Literal["marketing", "informational", "whatsapp", "recording"]
    kind: Literal["oral", "written", "whatsapp"]
    wording: str
    evidence: str
    given_at: str


class HealthLine(TypedDict):
    state: Literal["good", "busy", "bad"]
    sentence: str


class HeardLine(TypedDict):
    utterance: int
    turn: int
    at_ms: int
    text: str
    heard_text: str
    heard_ms: int
    audio_ms: int
    complete: bool
    purpose: str


class HeardLines(TypedDict):
    items: list[HeardLine]


class Hint(TypedDict):
    text: str


class HoldOut(TypedDict):
    id: str
    lead_id: str | None
    lead: str | None
    why: str
    set_by: str
    set_at: str


class HoldWanted(TypedDict):
    why: str
    lead_id: NotRequired[str | None]


class Holds(TypedDict):
    items: list[HoldOut]
    next_cursor: NotRequired[None]


class ImportResult(TypedDict):
    read: int
    written: int
    merged: int
    refused: list[RowRefused]
    ignored: list[str]
    dry_run: bool


class Invitation(TypedDict):
    id: str
    role: Role
    name: str
    created_by: str
    created_at: str
    expires_at: str
    accepted_at: str | None
    accepted_by: str | None
    revoked_at: str | None


class InvitationRequest(TypedDict):
    role: Role
    name: NotRequired[str]
    lasts_s: NotRequired[int]


class Key(TypedDict):
    key: str
    does: str


class LastError(TypedDict):
    at: str
    what: str
    fallback: str
    call_sid: str


class LaterLead(TypedDict):
    lead_id: str
    name: str | None
    phone: str
    source: str
    p_convert: float
    from_at: str
    local: str
    why: str


class LeadChange(TypedDict):
    name: NotRequired[str | None]
    tags: NotRequired[list[str] | None]


class LeadDetail(TypedDict):
    id: str
    name: str | None
    phone: str | None
    source: str
    tier: AppSalesLeadTier | None
    tier_by: Literal["model", "person"] | None
    score: float | None
    lower: float | None
    upper: float | None
    reasons: list[str]
    tags: list[str]
    facts: dict[str, str]
    last_result: str | None
    calls: int
    suppressed: bool
    created_at: str
    updated_at: str
    model_version: str | None
    consents: list[ConsentOut]


class LeadItem(TypedDict):
    id: str
    name: str | None
    phone: str | None
    source: str
    tier: AppSalesLeadTier | None
    tier_by: Literal["model", "person"] | None
    score: float | None
    lower: float | None
    upper: float | None
    reasons: list[str]
    tags: list[str]
    facts: dict[str, str]
    last_result: str | None
    calls: int
    suppressed: bool
    created_at: str
    updated_at: str


class Lift(TypedDict):
    share: float
    lift: float


class LimitsIn(TypedDict):
    calls_per_minute: int
    calls_per_hour: int
    calls_per_day: int
    messages_per_day: int
    spend_per_day_usd: float
    reach: list[str]


class LimitsOut(TypedDict):
    calls_per_minute: int
    calls_per_hour: int
    calls_per_day: int
    messages_per_day: int
    spend_per_day_usd: float
    reach: list[str]


class LimitsUsed(TypedDict):
    minute: int
    hour: int
    day: int
    messages: int
    spent_usd: float
    day_ends: str


class Line(TypedDict):
    seq: int
    by: Literal["agent", "caller"]
    turn: int
    at_ms: int
    text: str
    meant: str
    complete: bool
    keyed: bool


class Lines(TypedDict):
    items: list[Line]
    colleagues: list[Aside]


class LiveCall(TypedDict):
    sid: str
    person: str
    lead_name: str | None
    playbook: str
    direction: str
    state: str
    since_ms: int
    score: float | None
    said: list[SaidLine]
    taken_by: str | None


class Me(TypedDict):
    user_id: str
    name: str
    role: Role
    workspace_id: str
    workspace: str
    key: bool
    scopes: list[str]


class Member(TypedDict):
    user_id: str
    name: str
    role: Role
    joined_at: str


class MemberChange(TypedDict):
    role: NotRequired[Role | None]
    name: NotRequired[str | None]


class MessageOut(TypedDict):
    id: str
    direction: str
    lead_id: str | None
    call_sid: str | None
    template: str | None
    sender: str
    recipient: str
    text: str
    status: str
    error: str | None
    created_at: str
    status_at: str


class Missed(TypedDict):
    buyers: int
    missed: int
    at_most: float
    confidence: float


class ModelDetail(TypedDict):
    card: str
    calibration: list[Bin]
    lift: list[Lift]
    version: str
    target: str
    stage: Literal["candidate", "shadow", "champion", "retired"]
    trained_on: str
    rows: int
    positives: int
    created_at: str
    metrics: dict[str, Figure]


class ModelItem(TypedDict):
    version: str
    target: str
    stage: Literal["candidate", "shadow", "champion", "retired"]
    trained_on: str
    rows: int
    positives: int
    created_at: str
    metrics: dict[str, Figure]


class Models(TypedDict):
    items: list[ModelItem]
    alerts: list[AlertOut]
    shipped: Shipped | None


class NewApiKey(TypedDict):
    id: str
    name: str
    role: Role
    scopes: list[str]
    hint: str
    created_by: str
    created_at: str
    expires_at: str | None
    revoked_at: str | None
    last_used_at: str | None
    replaces: str | None
    key: str


class NewInvitation(TypedDict):
    id: str
    role: Role
    name: str
    created_by: str
    created_at: str
    expires_at: str
    accepted_at: str | None
    accepted_by: str | None
    revoked_at: str | None
    link: str


class NewLead(TypedDict):
    phone: str
    name: NotRequired[str | None]
    source: NotRequired[str]


class NewMember(TypedDict):
    user_id: str
    role: Role
    name: NotRequired[str]


class NewNote(TypedDict):
    text: str


class NewNumber(TypedDict):
    e164: str
    playbook: str
    whatsapp: NotRequired[bool]


class NewPlaybook(TypedDict):
    yaml: str


class NewWebhook(TypedDict):
    id: str
    url: str
    events: list[str]
    created_by: str
    created_at: str
    disabled_at: str | None
    disabled_why: str | None
    secret: str


class NextLead(TypedDict):
    lead_id: str
    name: str | None
    phone: str
    source: str
    p_answer: float
    p_convert: float
    value_usd: float
    usd_per_minute: float
    best_hour: str | None
    explored: bool
    why: list[str]


class NextLeads(TypedDict):
    items: list[NextLead]
    later: list[LaterLead]
    left_out: int


class NightOut(TypedDict):
    night: str
    outcomes: int
    positives: int
    learned: bool
    why: str
    champion: str | None
    did: list[str]
    drift: list[ShiftOut]
    kept: Promises | None
    duel: DuelOut | None


class Nights(TypedDict):
    items: list[NightOut]


class NoteOut(TypedDict):
    id: str
    text: str
    written_at: str


class Notification(TypedDict):
    id: str
    kind: str
    title: str
    text: str
    path: str
    about: dict[str, str]
    person: str | None
    call_sid: str | None
    lead_id: str | None
    raised_at: str
    told: list[Told]


class NotificationRule(TypedDict):
    kind: Literal["hot_lead", "call_back", "provider_down", "budget", "drift", "campaign_stopped", "limit"]
    enabled: bool
    channels: list[Literal["push", "email", "slack"]]
    threshold: NotRequired[float | None]
    urgent: NotRequired[bool]


class NotificationSettings(TypedDict):
    rules: list[NotificationRule]
    emails: list[str]
    slack_host: str | None
    push_key: str


class NotificationSettingsChange(TypedDict):
    rules: NotRequired[list[NotificationRule]]
    emails: NotRequired[list[str]]
    slack_url: NotRequired[str | None]


class NotificationTest(TypedDict):
    channel: Literal["push", "email", "slack"]


class NumberChange(TypedDict):
    playbook: NotRequired[str | None]
    whatsapp: NotRequired[bool | None]


class NumberOut(TypedDict):
    id: str
    e164: str
    playbook: str
    whatsapp: bool


class Numbers(TypedDict):
    items: list[NumberOut]
    next_cursor: NotRequired[None]


class OutcomeOut(TypedDict):
    call_sid: str
    lead_id: str | None
    result: str
    reason: str
    facts: dict[str, str]
    appointment: str | None
    follow_up: str | None
    duration_ms: int
    recorded_at: str


class PageApiKey(TypedDict):
    items: list[ApiKey]
    next_cursor: str | None


class PageAuditEntry(TypedDict):
    items: list[AuditEntry]
    next_cursor: str | None


class PageCallItem(TypedDict):
    items: list[CallItem]
    next_cursor: str | None


class PageCampaignOut(TypedDict):
    items: list[CampaignOut]
    next_cursor: str | None


class PageDelivery(TypedDict):
    items: list[Delivery]
    next_cursor: str | None


class PageEvent(TypedDict):
    items: list[Event]
    next_cursor: str | None


class PageFollowUp(TypedDict):
    items: list[FollowUp]
    next_cursor: str | None


class PageInvitation(TypedDict):
    items: list[Invitation]
    next_cursor: str | None


class PageLeadItem(TypedDict):
    items: list[LeadItem]
    next_cursor: str | None


class PageMember(TypedDict):
    items: list[Member]
    next_cursor: str | None


class PageMessageOut(TypedDict):
    items: list[MessageOut]
    next_cursor: str | None


class PageNotification(TypedDict):
    items: list[Notification]
    next_cursor: str | None


class PageOutcomeOut(TypedDict):
    items: list[OutcomeOut]
    next_cursor: str | None


class PageSchedule(TypedDict):
    items: list[Schedule]
    next_cursor: str | None


class PageScoreOut(TypedDict):
    items: list[ScoreOut]
    next_cursor: str | None


class PageSuppressionOut(TypedDict):
    items: list[SuppressionOut]
    next_cursor: str | None


class PageTouch(TypedDict):
    items: list[Touch]
    next_cursor: str | None


class PageWebhook(TypedDict):
    items: list[Webhook]
    next_cursor: str | None


class PeaksOut(TypedDict):
    duration_ms: int
    caller: list[float]
    agent: list[float]


class PhoneAnswer(TypedDict):
    sdp: str
    type: str
    call_sid: str


class PhoneOffer(TypedDict):
    sdp: str
    type: Literal["offer"]
    playbook: NotRequired[str | None]
    call_sid: NotRequired[str | None]


class PlaybookDetail(TypedDict):
    name: str
    version: int
    published_at: str
    published_by: str
    draft: bool
    yaml: str
    draft_yaml: str | None
    view: View | None
    faults: list[Fault]


class PlaybookItem(TypedDict):
    name: str
    version: int
    published_at: str
    published_by: str
    draft: bool


class Playbooks(TypedDict):
    items: list[PlaybookItem]


class Preview(TypedDict):
    allow: int
    defer: int
    deny: int
    refusals: list[Refusal]


class Problem(TypedDict):
    type: str
    title: str
    status: int
    code: str
    request_id: str
    detail: NotRequired[str | None]
    errors: NotRequired[list[FieldProblem] | None]


class Promises(TypedDict):
    outcomes: int
    promised: float
    seen: float
    calibration_error: float
    low: float
    high: float


class ProviderOut(TypedDict):
    name: str
    stage: Literal["stt", "llm", "tts", "carrier"]
    place: int
    key: Literal["set", "missing", "not_needed"]
    lacking: list[str]
    host: str | None
    model: str | None
    circuit: Literal["closed", "open"]
    last_error: LastError | None


class ProvidersOut(TypedDict):
    items: list[ProviderOut]
    next_cursor: NotRequired[None]


class Published(TypedDict):
    version: int


class PushKeys(TypedDict):
    p256dh: str
    auth: str


class PushSubscription(TypedDict):
    endpoint: str
    keys: PushKeys
    expirationTime: NotRequired[float | None]


QuietHours = TypedDict("QuietHours", {"from": "str", "to": "str"})


class Readings(TypedDict):
    items: list[TurnReading]


class Recording(TypedDict):
    url: str
    expires_at: str


class Refusal(TypedDict):
    rule: str
    reason: str
    leads: int


class Report(TypedDict):
    rows: list[Row]


class Retention(TypedDict):
    recording_days: int
    retention_days: int
    due: Due
    last_at: str | None


Role = Literal["viewer", "agent", "manager", "admin", "owner"]

class Rotation(TypedDict):
    overlap_s: NotRequired[int]


class Row(TypedDict):
    name: NotRequired[str | None]
    day: NotRequired[str | None]
    weekday: NotRequired[int | None]
    hour: NotRequired[int | None]
    calls: NotRequired[int]
    answered: NotRequired[int | None]
    conversed: NotRequired[int | None]
    booked: NotRequired[int | None]
    minutes: NotRequired[float | None]
    cost_usd: NotRequired[float | None]
    reply_p50_ms: NotRequired[int | None]
    reply_p95_ms: NotRequired[int | None]
    interruptions: NotRequired[int | None]


class RowRefused(TypedDict):
    row: int
    why: str


class Said(TypedDict):
    name: str
    text: str


class SaidLine(TypedDict):
    by: Literal["agent", "caller", "colleague"]
    text: str
    final: bool
    use: NotRequired[str | None]


class Schedule(TypedDict):
    id: str
    report: str
    format: str
    hour: int
    weekday: int | None
    emails: list[str]
    next_at: str
    created_by: str
    created_at: str
    last_due_at: str | None
    last_status: str | None
    last_error: str | None


class ScheduleRequest(TypedDict):
    report: Literal["funnel", "days", "hours", "playbooks", "numbers", "sources", "objections", "topics", "latency", "cost"]
    format: NotRequired[Literal["csv", "xlsx"]]
    hour: int
    weekday: NotRequired[int | None]
    emails: list[str]


class ScoreBatch(TypedDict):
    id: str
    leads: int
    done: int
    put_aside: int
    over: bool


class ScoreOut(TypedDict):
    lead_id: str
    call_sid: str
    probability: float
    lower: float
    upper: float
    tier: str
    reasons: list[str]
    model_version: str
    scored_at: str


class Serving(TypedDict):
    champion: str | None


class Session(TypedDict):
    access_token: str
    expires_in_s: int
    user: SignedInUser


class ShiftOut(TypedDict):
    name: str
    psi: float
    ks: float
    moved: bool


class Shipped(TypedDict):
    card: str
    calibration: list[Bin]
    lift: list[Lift]
    version: str
    trained_on: str
    rows: int
    positives: int
    created_at: str
    metrics: dict[str, Figure]


class SignIn(TypedDict):
    ticket: NotRequired[str | None]
    access_token: NotRequired[str | None]


class SignedInUser(TypedDict):
    user_id: str
    workspace_id: str
    role: Role


class Snapshot(TypedDict):
    seq: int
    at: str
    calls: list[LiveCall]
    queue: int
    capacity: int
    room: bool


class Step(TypedDict):
    name: str
    calls: int


class Subscribed(TypedDict):
    id: str


class Suppressed(TypedDict):
    phone: str
    reason: str
    channel_scope: NotRequired[Literal["all", "voice", "whatsapp"]]


class SuppressionOut(TypedDict):
    id: str
    phone: str
    channel_scope: str
    reason: str
    created_at: str


class TestOut(TypedDict):
    name: str
    results: list[TestedOut]


class TestedOut(TypedDict):
    stage: Literal["stt", "llm", "tts", "carrier"]
    ok: bool | None
    took_ms: int
    what: str
    code: int | None


class Ticket(TypedDict):
    ticket: str
    expires_at: str


class TicketRequest(TypedDict):
    purpose: Literal["feed", "listen", "phone"]
    call_sid: NotRequired[str | None]


TierInput = Literal["hot", "warm", "cold"]

class Tiers(TypedDict):
    cuts: Cuts | None


class Told(TypedDict):
    channel: str
    address: str
    status: str
    attempts: int
    error: str | None
    held_until: str | None
    settled_at: str | None


class Touch(TypedDict):
    at: str
    kind: Literal["call", "message", "note", "decision", "tier"]
    title: str
    text: str
    call_sid: str | None
    by: str | None


class TurnReading(TypedDict):
    seq: int
    topic: str | None
    mood: Literal["welcome", "unwelcome"] | None
    intent: str
    probability: float
    objection: float
    sentiment: float
    model_version: str


class TurnWait(TypedDict):
    turn: int
    at_ms: int
    total_ms: int | None
    transcript_ms: int | None
    decision_ms: int
    dialogue_ms: int | None
    speech_ms: int | None
    playout_ms: int | None
    culprit: str | None


class VersionOut(TypedDict):
    version: int
    published_at: str
    published_by: str
    sha256: str


class VersionText(TypedDict):
    version: int
    yaml: str


class Versions(TypedDict):
    items: list[VersionOut]


class View(TypedDict):
    business: str
    language: str
    goal: str
    slots: list[Asked]
    answers: list[Said]
    objections: list[Said]
    tiers: list[AppApiV1PlaybooksTier]
    menu: list[Key]


class Waterfall(TypedDict):
    turns: list[TurnWait]
    p50_ms: int | None
    p95_ms: int | None


class Webhook(TypedDict):
    id: str
    url: str
    events: list[str]
    created_by: str
    created_at: str
    disabled_at: str | None
    disabled_why: str | None


class WebhookRequest(TypedDict):
    url: str
    events: list[Literal["call.ended", "lead.scored"]]


class WebhookSecret(TypedDict):
    secret: str
    previous_until: str


class Workspace(TypedDict):
    id: str
    name: str
    time_zone: str
    locale: str
    retention_days: int
    recording_days: int
    quiet_hours: QuietHours | None
    capacity_per_day: int
    value_usd: float
    call_cost_usd: float
    created_at: str


class WorkspaceChange(TypedDict):
    name: NotRequired[str]
    time_zone: NotRequired[str]
    locale: NotRequired[Literal["en", "es"]]
    retention_days: NotRequired[int]
    recording_days: NotRequired[int]
    quiet_hours: NotRequired[QuietHours | None]
    capacity_per_day: NotRequired[int]
    value_usd: NotRequired[float]
    call_cost_usd: NotRequired[float]


class Yaml(TypedDict):
    yaml: str


class Client(Transport):
    """One method for each operation of the API, by its operation id."""

    def api_keys_list(self, *, cursor: str | None = None, limit: int | None = None) -> PageApiKey:
        """Newest first, with those that were revoked."""
        return cast("PageApiKey", self._send("GET", "/api-keys", query={"cursor": cursor, "limit": limit}))

    def api_keys_create(self, body: ApiKeyRequest) -> NewApiKey:
        """No key is made with more power than its maker has, and none is an owner."""
        return cast("NewApiKey", self._send("POST", "/api-keys", body=body))

    def api_keys_rotate(self, key_id: str, body: Rotation) -> NewApiKey:
        """A new key with the rights of the old one, which goes on for `overlap_s`."""
        return cast("NewApiKey", self._send("POST", f"/api-keys/{place(key_id)}/rotate", body=body))

    def api_keys_revoke(self, key_id: str) -> None:
        """At once. Revoking it again changes nothing."""
        self._send("DELETE", f"/api-keys/{place(key_id)}")

    def audit_list(self, *, actor: str | None = None, action: str | None = None, subject: str | None = None, from_: str | None = None, to: str | None = None, cursor: str | None = None, limit: int | None = None) -> PageAuditEntry:
        """Newest first."""
        return cast("PageAuditEntry", self._send("GET", "/audit", query={"actor": actor, "action": action, "subject": subject, "from": from_, "to": to, "cursor": cursor, "limit": limit}))

    def calls_list(self, *, state: Literal["live", "ended"] | None = None, result: str | None = None, tier: Literal["hot", "warm", "cold"] | None = None, playbook: str | None = None, direction: Literal["inbound", "outbound"] | None = None, q: str | None = None, from_: str | None = None, to: str | None = None, cursor: str | None = None, limit: int | None = None) -> PageCallItem:
        """Newest first."""
        return cast("PageCallItem", self._send("GET", "/calls", query={"state": state, "result": result, "tier": tier, "playbook": playbook, "direction": direction, "q": q, "from": from_, "to": to, "cursor": cursor, "limit": limit}))

    def calls_create(self, body: CallWanted) -> CallPlaced:
        """Asks the gate, and dials when it says yes. Where it does not: 409 with the rules that objected, nothing is dialled, and the refusal is kept. Send an Idempotency-Key, so that a lost answer never dials twice."""
        return cast("CallPlaced", self._send("POST", "/calls", body=body))

    def calls_get(self, sid: str) -> CallDetail:
        return cast("CallDetail", self._send("GET", f"/calls/{place(sid)}"))

    def calls_events(self, sid: str, *, cursor: str | None = None, limit: int | None = None) -> PageEvent:
        """The call's log: everything else here is read from it."""
        return cast("PageEvent", self._send("GET", f"/calls/{place(sid)}/events", query={"cursor": cursor, "limit": limit}))

    def calls_transcript(self, sid: str) -> Lines:
        """Of the agent's lines only what the caller heard."""
        return cast("Lines", self._send("GET", f"/calls/{place(sid)}/transcript"))

    def calls_readings(self, sid: str) -> Readings:
        """What each of the caller's turns is about, as a model of words read it after the call; none before that."""
        return cast("Readings", self._send("GET", f"/calls/{place(sid)}/readings"))

    def calls_heard(self, sid: str) -> HeardLines:
        return cast("HeardLines", self._send("GET", f"/calls/{place(sid)}/heard"))

    def calls_waterfall(self, sid: str) -> Waterfall:
        return cast("Waterfall", self._send("GET", f"/calls/{place(sid)}/waterfall"))

    def calls_cost(self, sid: str) -> Cost:
        """At the prices of a dated table; what has no price is said to have none."""
        return cast("Cost", self._send("GET", f"/calls/{place(sid)}/cost"))

    def calls_score(self, sid: str) -> CallScore:
        """As the model saw this call. 404 while it has not been scored."""
        return cast("CallScore", self._send("GET", f"/calls/{place(sid)}/score"))

    def calls_recording(self, sid: str) -> Recording:
        """An address that is good for five minutes. That somebody asked for it is kept (T19)."""
        return cast("Recording", self._send("GET", f"/calls/{place(sid)}/recording"))

    def calls_recording_file(self, sid: str, *, expires: int | None = None, signature: str | None = None) -> None:
        """The sound itself, in ranges where a player asks for them. The signature is the permission."""
        self._send("GET", f"/calls/{place(sid)}/recording/file", query={"expires": expires, "signature": signature})

    def calls_peaks(self, sid: str, *, n: int | None = None) -> PeaksOut:
        return cast("PeaksOut", self._send("GET", f"/calls/{place(sid)}/recording/peaks", query={"n": n}))

    def campaigns_list(self, *, cursor: str | None = None, limit: int | None = None) -> PageCampaignOut:
        return cast("PageCampaignOut", self._send("GET", "/campaigns", query={"cursor": cursor, "limit": limit}))

    def campaigns_create(self, body: CampaignIn) -> CampaignOut:
        """A draft: nobody is called before it is launched."""
        return cast("CampaignOut", self._send("POST", "/campaigns", body=body))

    def campaigns_get(self, campaign_id: str) -> CampaignOut:
        return cast("CampaignOut", self._send("GET", f"/campaigns/{place(campaign_id)}"))

    def campaigns_change(self, campaign_id: str, body: CampaignChange) -> CampaignOut:
        """Also while it runs: the next dial keeps the new pace."""
        return cast("CampaignOut", self._send("PATCH", f"/campaigns/{place(campaign_id)}", body=body))

    def campaigns_preview(self, campaign_id: str) -> Preview:
        """Asks the gate about everybody on the list, and reserves nothing."""
        return cast("Preview", self._send("POST", f"/campaigns/{place(campaign_id)}/preview"))

    def campaigns_launch(self, campaign_id: str) -> CampaignOut:
        """The list is made now, best first; whoever must never be called is on it as refused, with the rule."""
        return cast("CampaignOut", self._send("POST", f"/campaigns/{place(campaign_id)}/launch"))

    def campaigns_pause(self, campaign_id: str) -> CampaignOut:
        """Calls that are going on go on; no new one begins."""
        return cast("CampaignOut", self._send("POST", f"/campaigns/{place(campaign_id)}/pause"))

    def campaigns_resume(self, campaign_id: str) -> CampaignOut:
        """Also one that was stopped for abandoned calls: it stops again at the next abandoned call that brings it there."""
        return cast("CampaignOut", self._send("POST", f"/campaigns/{place(campaign_id)}/resume"))

    def campaigns_end(self, campaign_id: str) -> CampaignOut:
        """For good."""
        return cast("CampaignOut", self._send("POST", f"/campaigns/{place(campaign_id)}/end"))

    def consents_list(self, lead_id: str) -> Consents:
        """Newest first, the withdrawn ones among them."""
        return cast("Consents", self._send("GET", f"/leads/{place(lead_id)}/consents"))

    def consents_create(self, lead_id: str, body: Given) -> ConsentOut:
        return cast("ConsentOut", self._send("POST", f"/leads/{place(lead_id)}/consents", body=body))

    def suppressions_list(self, *, cursor: str | None = None, limit: int | None = None) -> PageSuppressionOut:
        """Newest first."""
        return cast("PageSuppressionOut", self._send("GET", "/suppressions", query={"cursor": cursor, "limit": limit}))

    def suppressions_create(self, body: Suppressed) -> Added:
        """This number is never called or written to again. Nobody can take that back."""
        return cast("Added", self._send("POST", "/suppressions", body=body))

    def controls_takeover(self, sid: str) -> Done:
        """The agent falls silent and goes on listening: 'stop calling me' is still obeyed. Connect your telephone to the call first (POST /phone/offer with its call_sid)."""
        return cast("Done", self._send("POST", f"/calls/{place(sid)}/takeover"))

    def controls_handback(self, sid: str) -> Done:
        """The agent asks again what it had asked."""
        return cast("Done", self._send("POST", f"/calls/{place(sid)}/handback"))

    def controls_whisper(self, sid: str, body: Hint) -> Done:
        """A hint to the agent, which the caller does not hear. It counts from the caller's next words on, within what the playbook approves and at its prices; the call's log and its live transcript say what came of it: 'told' to the language model, the name of what the playbook says then, or nothing."""
        return cast("Done", self._send("POST", f"/calls/{place(sid)}/whisper", body=body))

    def controls_hangup(self, sid: str) -> Done:
        """With a goodbye, not in mid-word."""
        return cast("Done", self._send("POST", f"/calls/{place(sid)}/hangup"))

    def leads_dossier(self, lead_id: str) -> None:
        """A zip with everything that is kept about this person: rows as JSON, the sound of their calls. That somebody asked for it is kept."""
        self._send("GET", f"/leads/{place(lead_id)}/dossier")

    def leads_erase(self, lead_id: str, body: ErasureWanted) -> ErasureOut:
        """Deletes everything about this person but what law wants kept. Cannot be undone; waits for a call that goes on. What a legal hold keeps is not deleted."""
        return cast("ErasureOut", self._send("POST", f"/leads/{place(lead_id)}/erasure", body=body))

    def leads_erasure(self, lead_id: str) -> ErasureOut:
        """How far the last one is, if somebody asked for one."""
        return cast("ErasureOut", self._send("GET", f"/leads/{place(lead_id)}/erasure"))

    def invitations_list(self, *, cursor: str | None = None, limit: int | None = None) -> PageInvitation:
        """Newest first, with those that were accepted or are over."""
        return cast("PageInvitation", self._send("GET", "/invitations", query={"cursor": cursor, "limit": limit}))

    def invitations_create(self, body: InvitationRequest) -> NewInvitation:
        return cast("NewInvitation", self._send("POST", "/invitations", body=body))

    def invitations_revoke(self, invitation_id: str) -> None:
        self._send("DELETE", f"/invitations/{place(invitation_id)}")

    def leads_next(self, *, limit: int | None = None, minutes: float | None = None, value_usd: float | None = None, cost_usd: float | None = None, explore: float | None = None) -> NextLeads:
        """By expected profit per minute of calling, of those who may be called now."""
        return cast("NextLeads", self._send("GET", "/leads/next", query={"limit": limit, "minutes": minutes, "value_usd": value_usd, "cost_usd": cost_usd, "explore": explore}))

    def leads_tiers(self) -> Tiers:
        """Cut from the probability of a sale for what the team can call in a day, and what a sale and a call are worth."""
        return cast("Tiers", self._send("GET", "/leads/tiers"))

    def leads_list(self, *, tier: TierInput | None = None, tag: str | None = None, source: str | None = None, q: str | None = None, order: Literal["news", "chance"] | None = None, cursor: str | None = None, limit: int | None = None) -> PageLeadItem:
        """Those with news first; or, by chance, the likeliest to buy of the 1,000 with the newest news."""
        return cast("PageLeadItem", self._send("GET", "/leads", query={"tier": tier, "tag": tag, "source": source, "q": q, "order": order, "cursor": cursor, "limit": limit}))

    def leads_create(self, body: NewLead) -> LeadItem:
        return cast("LeadItem", self._send("POST", "/leads", body=body))

    def leads_import(self, *, dry_run: bool | None = None, country: str | None = None, source: str | None = None) -> ImportResult:
        """A CSV as the body. Rows that cannot be used are named and left out; the others are taken, all or none."""
        return cast("ImportResult", self._send("POST", "/leads/import", query={"dry_run": dry_run, "country": country, "source": source}))

    def leads_export(self) -> None:
        """All leads as a CSV that a spreadsheet may open and that can be imported again (T23)."""
        self._send("GET", "/leads/export")

    def leads_get(self, lead_id: str) -> LeadDetail:
        return cast("LeadDetail", self._send("GET", f"/leads/{place(lead_id)}"))

    def leads_change(self, lead_id: str, body: LeadChange) -> LeadDetail:
        """What is left out stays as it is."""
        return cast("LeadDetail", self._send("PATCH", f"/leads/{place(lead_id)}", body=body))

    def leads_touches(self, lead_id: str) -> PageTouch:
        """Calls, messages, notes, refusals of the gate and changes of the tier, newest first; the last hundred."""
        return cast("PageTouch", self._send("GET", f"/leads/{place(lead_id)}/touches"))

    def leads_note(self, lead_id: str, body: NewNote) -> NoteOut:
        """Plain text; shown as text wherever it shows."""
        return cast("NoteOut", self._send("POST", f"/leads/{place(lead_id)}/notes", body=body))

    def leads_choose_tier(self, lead_id: str, body: Chosen) -> LeadItem:
        """A person knows better than the model: this counts from now on, and the model is taught with it."""
        return cast("LeadItem", self._send("PUT", f"/leads/{place(lead_id)}/tier", body=body))

    def leads_unchoose_tier(self, lead_id: str) -> LeadItem:
        """What the model says counts again."""
        return cast("LeadItem", self._send("DELETE", f"/leads/{place(lead_id)}/tier"))

    def limits_get(self) -> LimitsOut:
        return cast("LimitsOut", self._send("GET", "/limits"))

    def limits_update(self, body: LimitsIn) -> LimitsOut:
        """In force with the next call and message."""
        return cast("LimitsOut", self._send("PUT", "/limits", body=body))

    def limits_used(self) -> LimitsUsed:
        """How much of them went out."""
        return cast("LimitsUsed", self._send("GET", "/limits/used"))

    def live_get(self) -> Snapshot:
        return cast("Snapshot", self._send("GET", "/live"))

    def live_health(self) -> HealthLine:
        """How things are, in one sentence."""
        return cast("HealthLine", self._send("GET", "/health-line"))

    def me_get(self) -> Me:
        return cast("Me", self._send("GET", "/me"))

    def members_list(self, *, cursor: str | None = None, limit: int | None = None) -> PageMember:
        """In the order they joined."""
        return cast("PageMember", self._send("GET", "/members", query={"cursor": cursor, "limit": limit}))

    def members_create(self, body: NewMember) -> Member:
        """Somebody whose id the sign-in service knows already. Anybody else is invited (POST /invitations)."""
        return cast("Member", self._send("POST", "/members", body=body))

    def members_update(self, user_id: str, body: MemberChange) -> Member:
        return cast("Member", self._send("PATCH", f"/members/{place(user_id)}", body=body))

    def members_remove(self, user_id: str) -> None:
        """Their tokens end within seconds; what they did stays."""
        self._send("DELETE", f"/members/{place(user_id)}")

    def models_nights(self) -> Nights:
        return cast("Nights", self._send("GET", "/models/nights"))

    def models_accept(self, night: str, *, why: str | None = None) -> Accepted:
        """Somebody has looked: what came in that night may be learned from."""
        return cast("Accepted", self._send("POST", f"/models/nights/{place(night)}/accept", query={"why": why}))

    def models_list(self, *, target: str | None = None) -> Models:
        return cast("Models", self._send("GET", "/models", query={"target": target}))

    def models_get(self, version: str, *, target: str | None = None) -> ModelDetail:
        return cast("ModelDetail", self._send("GET", f"/models/{place(version)}", query={"target": target}))

    def models_promote(self, version: str, *, why: str | None = None, target: str | None = None) -> Serving:
        """Its scores show from the next call on; every lead is scored again."""
        return cast("Serving", self._send("POST", f"/models/{place(version)}/promote", query={"why": why, "target": target}))

    def models_rollback(self, version: str, *, why: str | None = None, target: str | None = None) -> Serving:
        """Back to the champion before this one."""
        return cast("Serving", self._send("POST", f"/models/{place(version)}/rollback", query={"why": why, "target": target}))

    def models_retire(self, version: str, *, why: str | None = None, target: str | None = None) -> Serving:
        return cast("Serving", self._send("POST", f"/models/{place(version)}/retire", query={"why": why, "target": target}))

    def notifications_list(self, *, cursor: str | None = None, limit: int | None = None) -> PageNotification:
        """Newest first."""
        return cast("PageNotification", self._send("GET", "/notifications", query={"cursor": cursor, "limit": limit}))

    def notifications_rules(self) -> NotificationSettings:
        return cast("NotificationSettings", self._send("GET", "/notifications/rules"))

    def notifications_set_rules(self, body: NotificationSettingsChange) -> NotificationSettings:
        return cast("NotificationSettings", self._send("PUT", "/notifications/rules", body=body))

    def notifications_subscribe(self, body: PushSubscription) -> Subscribed:
        """This browser, of whoever asks. Said again it is the same subscription."""
        return cast("Subscribed", self._send("POST", "/notifications/subscriptions", body=body))

    def notifications_unsubscribe(self, subscription_id: str) -> None:
        """One of your own browsers."""
        self._send("DELETE", f"/notifications/subscriptions/{place(subscription_id)}")

    def notifications_test(self, body: NotificationTest) -> Any:
        """Tells the workspace's addresses of this channel, or your own browsers, in quiet hours too; what came of it is in the list a moment later."""
        return self._send("POST", "/notifications/test", body=body)

    def numbers_list(self) -> Numbers:
        """All of them: a workspace has few."""
        return cast("Numbers", self._send("GET", "/numbers"))

    def numbers_create(self, body: NewNumber) -> NumberOut:
        return cast("NumberOut", self._send("POST", "/numbers", body=body))

    def numbers_change(self, number_id: str, body: NumberChange) -> NumberOut:
        return cast("NumberOut", self._send("PATCH", f"/numbers/{place(number_id)}", body=body))

    def numbers_remove(self, number_id: str) -> None:
        """Calls to it are answered by nobody from then on."""
        self._send("DELETE", f"/numbers/{place(number_id)}")

    def phone_offer(self, body: PhoneOffer) -> PhoneAnswer:
        """The call begins when the connection stands. It is heard, logged, scored and recorded as any other."""
        return cast("PhoneAnswer", self._send("POST", "/phone/offer", body=body))

    def playbooks_list(self) -> Playbooks:
        return cast("Playbooks", self._send("GET", "/playbooks"))

    def playbooks_create(self, body: NewPlaybook) -> Published:
        """A new one, published as version 1."""
        return cast("Published", self._send("POST", "/playbooks", body=body))

    def playbooks_validate(self, body: Yaml) -> Checked:
        """Every fault with its line; nothing is kept."""
        return cast("Checked", self._send("POST", "/playbooks/validate", body=body))

    def playbooks_get(self, name: str) -> PlaybookDetail:
        return cast("PlaybookDetail", self._send("GET", f"/playbooks/{place(name)}"))

    def playbooks_save(self, name: str, body: Yaml) -> None:
        """Kept as it is, faults included; no call is held with it."""
        self._send("PUT", f"/playbooks/{place(name)}/draft", body=body)

    def playbooks_publish(self, name: str) -> Published:
        """The draft becomes the next version; the next call is held with it. 422 with every fault while it has any."""
        return cast("Published", self._send("POST", f"/playbooks/{place(name)}/publish"))

    def playbooks_versions(self, name: str) -> Versions:
        return cast("Versions", self._send("GET", f"/playbooks/{place(name)}/versions"))

    def playbooks_version(self, name: str, version: str) -> VersionText:
        return cast("VersionText", self._send("GET", f"/playbooks/{place(name)}/versions/{place(version)}"))

    def playbooks_diff(self, name: str, *, from_: int | None = None, to: int | None = None) -> Diff:
        return cast("Diff", self._send("GET", f"/playbooks/{place(name)}/diff", query={"from": from_, "to": to}))

    def playbooks_rollback(self, name: str, body: Back) -> Published:
        """The old text becomes the newest version: what was published stays published."""
        return cast("Published", self._send("POST", f"/playbooks/{place(name)}/rollback", body=body))

    def providers_list(self) -> ProvidersOut:
        """In the order in which they are asked; failures are those of this workspace's calls in a week."""
        return cast("ProvidersOut", self._send("GET", "/providers"))

    def providers_test(self, name: str) -> TestOut:
        """One small real request in every stage that names it, with a limit of time; what runs on this machine answers at once. 404 for a name that no chain has."""
        return cast("TestOut", self._send("POST", f"/providers/{place(name)}/test"))

    def reports_schedules(self, *, cursor: str | None = None, limit: int | None = None) -> PageSchedule:
        return cast("PageSchedule", self._send("GET", "/reports/schedules", query={"cursor": cursor, "limit": limit}))

    def reports_schedule(self, body: ScheduleRequest) -> Schedule:
        return cast("Schedule", self._send("POST", "/reports/schedules", body=body))

    def reports_unschedule(self, schedule_id: str) -> None:
        self._send("DELETE", f"/reports/schedules/{place(schedule_id)}")

    def reports_funnel(self, *, format: Literal["json", "csv", "xlsx"] | None = None, from_: str | None = None, to: str | None = None, zone: str | None = None, playbook: str | None = None, number: str | None = None) -> Funnel:
        """Rang, answered, by a person, conversed, qualified, booked, held."""
        return cast("Funnel", self._send("GET", "/reports/funnel", query={"format": format, "from": from_, "to": to, "zone": zone, "playbook": playbook, "number": number}))

    def reports_get(self, kind: str, *, format: Literal["json", "csv", "xlsx"] | None = None, from_: str | None = None, to: str | None = None, zone: str | None = None, playbook: str | None = None, number: str | None = None) -> Report:
        """Cost is the telephone line's, from the dated price table; providers' own prices are on each call."""
        return cast("Report", self._send("GET", f"/reports/{place(kind)}", query={"format": format, "from": from_, "to": to, "zone": zone, "playbook": playbook, "number": number}))

    def retention_get(self) -> Retention:
        return cast("Retention", self._send("GET", "/retention"))

    def holds_list(self) -> Holds:
        """Those in force."""
        return cast("Holds", self._send("GET", "/holds"))

    def holds_create(self, body: HoldWanted) -> HoldOut:
        """From now on nothing of it is deleted until the hold is lifted."""
        return cast("HoldOut", self._send("POST", "/holds", body=body))

    def holds_lift(self, hold_id: str) -> None:
        """Who set it and who lifted it stays known."""
        self._send("DELETE", f"/holds/{place(hold_id)}")

    def score_batches_start(self) -> ScoreBatch:
        """Every lead that was talked to, from the log of its latest call; the tier, the package that suits and the workspace's cuts follow. The workers do it in chunks."""
        return cast("ScoreBatch", self._send("POST", "/scores/batches"))

    def score_batches_get(self, batch_id: str) -> ScoreBatch:
        return cast("ScoreBatch", self._send("GET", f"/scores/batches/{place(batch_id)}"))

    def session_open(self, body: SignIn) -> Session:
        return cast("Session", self._send("POST", "/session", body=body))

    def session_close(self) -> None:
        self._send("DELETE", "/session")

    def session_refresh(self) -> Session:
        """A fresh token for the browser's cookie, which changes. A cookie that was used before ends the session."""
        return cast("Session", self._send("POST", "/session/refresh"))

    def outcomes_list(self, *, cursor: str | None = None, limit: int | None = None) -> PageOutcomeOut:
        return cast("PageOutcomeOut", self._send("GET", "/outcomes", query={"cursor": cursor, "limit": limit}))

    def scores_list(self, *, cursor: str | None = None, limit: int | None = None) -> PageScoreOut:
        return cast("PageScoreOut", self._send("GET", "/scores", query={"cursor": cursor, "limit": limit}))

    def messages_list(self, *, cursor: str | None = None, limit: int | None = None) -> PageMessageOut:
        return cast("PageMessageOut", self._send("GET", "/messages", query={"cursor": cursor, "limit": limit}))

    def follow_ups_list(self, *, cursor: str | None = None, limit: int | None = None) -> PageFollowUp:
        """What was promised in calls, and what became of it."""
        return cast("PageFollowUp", self._send("GET", "/follow-ups", query={"cursor": cursor, "limit": limit}))

    def tickets_create(self, body: TicketRequest) -> Ticket:
        """Opens one socket, within 30 s. A call that is named must be one of your workspace."""
        return cast("Ticket", self._send("POST", "/tickets", body=body))

    def webhooks_list(self, *, cursor: str | None = None, limit: int | None = None) -> PageWebhook:
        return cast("PageWebhook", self._send("GET", "/webhooks", query={"cursor": cursor, "limit": limit}))

    def webhooks_create(self, body: WebhookRequest) -> NewWebhook:
        return cast("NewWebhook", self._send("POST", "/webhooks", body=body))

    def webhooks_rotate(self, webhook_id: str) -> WebhookSecret:
        return cast("WebhookSecret", self._send("POST", f"/webhooks/{place(webhook_id)}/rotate"))

    def webhooks_delete(self, webhook_id: str) -> None:
        self._send("DELETE", f"/webhooks/{place(webhook_id)}")

    def webhooks_test(self, webhook_id: str) -> Any:
        """Sends the event 'webhook.test'; what came of it is in its deliveries a moment later."""
        return self._send("POST", f"/webhooks/{place(webhook_id)}/test")

    def webhooks_deliveries(self, webhook_id: str, *, cursor: str | None = None, limit: int | None = None) -> PageDelivery:
        """Newest first."""
        return cast("PageDelivery", self._send("GET", f"/webhooks/{place(webhook_id)}/deliveries", query={"cursor": cursor, "limit": limit}))

    def workspace_get(self) -> Workspace:
        return cast("Workspace", self._send("GET", "/workspace"))

    def workspace_update(self, body: WorkspaceChange) -> Workspace:
        """Tiers are cut anew for the capacity and money that are set."""
        return cast("Workspace", self._send("PATCH", "/workspace", body=body))
