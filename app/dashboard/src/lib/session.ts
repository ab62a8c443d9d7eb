import { computed, shallowRef } from "vue";
import type { Me } from "./types";

/** Who is signed in. The access token lives in memory only; a cookie the page cannot read renews it. */
const token = shallowRef<string | null>(null);
export const me = shallowRef<Me | null>(null);
export const signedIn = computed(() => me.value !== null);

const RANKS = ["viewer", "agent", "manager", "admin", "owner"] as const;
export type Role = (typeof RANKS)[number];

export function may(role: Role): boolean {
  return me.value !== null && RANKS.indexOf(me.value.role) >= RANKS.indexOf(role);
}

export function accessToken(): string | null {
  return token.value;
}

async function enter(path: string, body?: unknown): Promise<boolean> {
  const answer = await fetch(path, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: body === undefined ? undefined : JSON.stringify(body),
    credentials: "same-origin",
  }).catch(() => null);
  if (!answer?.ok) return false;
  const opened = (await answer.json()) as { access_token: string };
  token.value = opened.access_token;
  const who = await fetch("/api/v1/me", { headers: { Authorization: `Bearer ${opened.access_token}` } }).catch(() => null);
  if (!who?.ok) return false;
  me.value = (await who.json()) as Me;
  return true;
}

let renewing: Promise<boolean> | null = null;

/** One renewal at a time, however many requests found the token too old. */
export function renew(): Promise<boolean> {
  renewing ??= enter("/api/v1/session/refresh").finally(() => (renewing = null));
  return renewing;
}

export function signIn(ticket: string): Promise<boolean> {
  return enter("/api/v1/session", { ticket });
}

/** With the token that Supabase Auth puts behind our address after its own sign-in. */
export function signInBySupabase(access_token: string): Promise<boolean> {
  return enter("/api/v1/session", { access_token });
}

export async function signOut(): Promise<void> {
  await fetch("/api/v1/session", { method: "DELETE", headers: { Authorization: `Bearer ${token.value ?? ""}` } }).catch(() => null);
  token.value = null;
  me.value = null;
}

/** From the address's fragment, which never reaches a log; it is taken out of the address before anything, the router
 *  above all, has seen it. */
const behindAddress = new URLSearchParams(location.hash.slice(1));
export const ticketOfAddress = behindAddress.get("ticket");
export const tokenOfAddress = behindAddress.get("access_token");
if (ticketOfAddress || tokenOfAddress) history.replaceState(null, "", location.pathname + location.search);
