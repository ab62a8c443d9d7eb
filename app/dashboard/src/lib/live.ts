import { onScopeDispose, ref, shallowRef, triggerRef } from "vue";
import { api } from "./api";
import type { CallItem, HealthLine, LiveCall, SaidLine, Snapshot } from "./types";

interface Message { seq: number; at: string; kind: string; call_sid?: string; body: Record<string, unknown> }

type Known = LiveCall & { began: number };

const WAITS_MS = [500, 1000, 2000, 5000, 10_000];
const MOST_LINES = 60;

/** The wall of calls, kept up to date by the feed: one snapshot, then each message after it; from the last one seen
 *  after a break. A gap means too much was missed: a new snapshot is taken. */
export function useLive() {
  const calls = shallowRef(new Map<string, Known>());
  const wall = ref({ queue: 0, capacity: 0, room: true });
  const health = shallowRef<HealthLine | null>(null);
  const state = ref<"connecting" | "live" | "broken">("connecting");
  const notices = shallowRef<string[]>([]);
  let socket: WebSocket | null = null;
  let seq = 0;
  let tries = 0;
  let over = false;
  let timer = 0;

  async function snapshot(): Promise<void> {
    const now = await api.get<Snapshot>("/live");
    seq = now.seq;
    wall.value = { queue: now.queue, capacity: now.capacity, room: now.room };
    calls.value = new Map(now.calls.map((call) => [call.sid, { ...call, began: Date.now() - call.since_ms }]));
  }

  async function open(): Promise<void> {
    try {
      if (!seq) await snapshot();
      health.value ??= await api.get<HealthLine>("/health-line").catch(() => null);
      const { ticket } = await api.post<{ ticket: string }>("/tickets", { purpose: "feed" });
      if (over) return;
      const scheme = location.protocol === "https:" ? "wss" : "ws";
      socket = new WebSocket(`${scheme}://${location.host}/api/v1/live?ticket=${encodeURIComponent(ticket)}&after=${seq}`);
      socket.onopen = () => {
        state.value = "live";
        tries = 0;
      };
      socket.onmessage = (event) => {
        for (const line of (event.data as string).split("\n")) take(JSON.parse(line) as Message);
      };
      socket.onclose = retry;
    } catch {
      retry();
    }
  }

  function retry(): void {
    socket = null;
    if (over) return;
    state.value = "broken";
    timer = window.setTimeout(open, WAITS_MS[Math.min(tries++, WAITS_MS.length - 1)]);
  }

  function take(message: Message): void {
    seq = Math.max(seq, message.seq);
    const body = message.body;
    if (message.kind === "gap") {
      void snapshot();
    } else if (message.kind === "health") {
      health.value = body as unknown as HealthLine;
    } else if (message.kind === "room") {
      wall.value = { ...wall.value, ...(body as object) };
    } else if (message.kind === "notice") {
      notices.value = [String(body.sentence ?? ""), ...notices.value].slice(0, 5);
    } else if (message.call_sid) {
      change(message.call_sid, message.kind, body);
      triggerRef(calls);
    }
  }

  function change(sid: string, kind: string, body: Record<string, unknown>): void {
    if (kind === "call") {
      if (body.state === "ended") calls.value.delete(sid);
      else {
        const known = calls.value.get(sid);
        const fresh = { sid, lead_name: null, score: null, taken_by: null, said: [], began: Date.now() };
        const person = known?.person ?? body.person;
        calls.value.set(sid, { ...fresh, ...known, ...body, person } as Known);
        if (!known) void introduce(sid);
      }
      return;
    }
    const call = calls.value.get(sid);
    if (!call) return;
    if (kind === "said") say(call, body as unknown as SaidLine);
    if (kind === "score") calls.value.set(sid, { ...call, score: Number(body.probability) });
  }

  /** The feed tells numbers by their end only; who may see more asks. */
  async function introduce(sid: string): Promise<void> {
    const found = await api.get<CallItem>(`/calls/${sid}`).catch(() => null);
    const call = calls.value.get(sid);
    if (!found || !call) return;
    calls.value.set(sid, { ...call, person: found.person, lead_name: found.lead_name });
    triggerRef(calls);
  }

  /** A new object, so that the card shows it now and not with the next second of its clock. */
  function say(call: Known, line: SaidLine): void {
    const kept = call.said.filter((one) => one.final || one.by !== line.by); // what was on its way has come
    calls.value.set(call.sid, { ...call, said: [...kept, line].slice(-MOST_LINES) });
  }

  void open();
  onScopeDispose(() => {
    over = true;
    clearTimeout(timer);
    socket?.close();
  });
  return { calls, wall, health, state, notices };
}
