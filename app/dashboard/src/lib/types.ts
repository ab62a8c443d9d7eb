import type { Role } from "./session";

/** What the API answers; times are ISO 8601 in UTC, durations milliseconds. */
export interface Page<T> { items: T[]; next_cursor: string | null }
export interface Me { user_id: string; name: string; role: Role; workspace_id: string; workspace: string }
export type Tier = "hot" | "warm" | "cold";

export interface CallItem {
  sid: string; direction: "inbound" | "outbound"; state: "ringing" | "live" | "ended";
  person: string; lead_id: string | null; lead_name: string | null; playbook: string;
  started_at: string; answered_at: string | null; ended_at: string | null; duration_ms: number;
  result: string | null; end_reason: string | null; tier: Tier | null; score: number | null;
  turns: number; interruptions: number; reply_p50_ms: number | null; appointment: string | null;
}
export interface CallDetail extends CallItem {
  business: string; playbook_version: number; facts: Record<string, string>; objections: string[];
  questions: string[]; disclosures: string[]; follow_up: string | null; answered_by: string | null; recording: boolean;
}
export interface Line { by: "agent" | "caller"; turn: number; at_ms: number; text: string; meant: string; complete: boolean; keyed: boolean }
export interface Whisper { at_ms: number; text: string; use: string }
export interface HeardLine { utterance: number; turn: number; at_ms: number; text: string; heard_text: string; heard_ms: number; audio_ms: number; complete: boolean; purpose: string }
export interface TurnWait {
  turn: number; at_ms: number; total_ms: number | null; transcript_ms: number | null; decision_ms: number;
  dialogue_ms: number | null; speech_ms: number | null; playout_ms: number | null; culprit: string | null;
}
export interface Waterfall { turns: TurnWait[]; p50_ms: number | null; p95_ms: number | null }
export interface Cost { known_usd: number; complete: boolean; prices_of: string; items: { stage: string; provider: string; model: string; unit: string; amount: number; price_usd: number | null }[] }
export interface Score { probability: number; lower: number; upper: number; tier: Tier; tier_by: "model" | "person"; reasons: string[]; model_version: string; learned_from: string }
export interface Recording { url: string; expires_at: string }
export interface Peaks { duration_ms: number; caller: number[]; agent: number[] }
export interface CallEvent { seq: number; at_ms: number; kind: string; body: Record<string, unknown> }

export interface LeadItem {
  id: string; name: string | null; phone: string | null; source: string; tier: Tier | null; tier_by: "model" | "person" | null;
  score: number | null; lower: number | null; upper: number | null; reasons: string[]; tags: string[]; facts: Record<string, string>;
  last_result: string | null; calls: number; suppressed: boolean; created_at: string; updated_at: string;
}
export interface LeadDetail extends LeadItem { model_version: string | null; consents: Consent[] }
export interface Consent { id: string; purpose: string; kind: string; wording: string; evidence: string; given_at: string; revoked_at: string | null }
export interface Touch { at: string; kind: "call" | "message" | "note" | "decision" | "tier"; title: string; text: string; call_sid: string | null; by: string | null }
export interface NextLead {
  lead_id: string; name: string | null; phone: string; source: string; p_answer: number; p_convert: number; value_usd: number;
  usd_per_minute: number; best_hour: string | null; explored: boolean; why: string[];
}
export interface ImportResult { read: number; written: number; refused: { row: number; why: string }[]; dry_run: boolean }

export interface Funnel { steps: { name: string; calls: number }[] }
export interface HourRow { weekday: number; hour: number; calls: number; answered: number; booked: number }
export interface DayRow { day: string; calls: number; conversed: number; booked: number; reply_p50_ms: number | null; cost_usd: number | null }
export interface NamedCount { name: string; calls: number; booked: number }

export interface ModelItem {
  version: string; target: string; stage: "candidate" | "shadow" | "champion" | "retired"; trained_on: string; rows: number; positives: number;
  created_at: string; metrics: Record<string, number>;
}
export interface ModelDetail extends ModelItem { card: string; calibration: { predicted: number; observed: number; rows: number }[]; lift: { share: number; lift: number }[] }
export interface Alert { kind: string; subject: string; sentence: string; opened_at: string; times: number }

export interface PlaybookItem { name: string; version: number; published_at: string; published_by: string; draft: boolean }
export interface PlaybookDetail extends PlaybookItem { yaml: string; draft_yaml: string | null; view: PlaybookView | null; faults: Fault[] }
export interface Fault { line: number | null; message: string }
export interface PlaybookView {
  business: string; language: string; goal: string; slots: { name: string; ask: string; kind: string }[];
  answers: { name: string; text: string }[]; objections: { name: string; text: string }[]; tiers: { name: string; price: string }[];
  menu: { key: string; does: string }[];
}
export interface PlaybookVersion { version: number; published_at: string; published_by: string; sha256: string }

export interface CampaignItem { id: string; name: string; state: string; playbook: string; leads: number; dialled: number; answered: number; booked: number; created_at: string }
export interface CampaignPreview { allow: number; defer: number; deny: number; refusals: { rule: string; reason: string; leads: number }[] }

export interface SaidLine { by: "agent" | "caller" | "colleague"; text: string; final: boolean; use?: string | null }
export interface LiveCall { sid: string; person: string; lead_name: string | null; playbook: string; direction: string; state: string; since_ms: number; score: number | null; said: SaidLine[]; taken_by: string | null }
export interface Snapshot { seq: number; at: string; calls: LiveCall[]; queue: number; capacity: number; room: boolean }
export interface HealthLine { state: "good" | "busy" | "bad"; sentence: string }
