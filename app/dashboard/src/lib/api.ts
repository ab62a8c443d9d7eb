import { accessToken, renew } from "./session";

/** A rule that said no, and why. */
export interface Objection {
  rule: string;
  reason: string;
}

/** What the service says went wrong, in a sentence for people; `code` is for programs and never changes. */
export class Problem extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly errors: { field: string; message: string }[] = [],
    readonly rules: Objection[] = [],
    readonly until: string | null = null,
  ) {
    super(message);
  }
}

type Query = Record<string, string | number | boolean | null | undefined>;
interface Options {
  query?: Query;
  body?: unknown;
  text?: string;
  signal?: AbortSignal;
}

export function address(path: string, query: Query = {}): string {
  const given = Object.entries(query).filter(([, value]) => value !== undefined && value !== null && value !== "");
  const search = new URLSearchParams(given.map(([name, value]) => [name, String(value)])).toString();
  return `/api/v1${path}${search ? `?${search}` : ""}`;
}

async function ask(method: string, path: string, options: Options, again = true): Promise<Response> {
  const headers: Record<string, string> = { Authorization: `Bearer ${accessToken() ?? ""}`, Accept: "application/json" };
  let body: string | undefined;
  if (options.text !== undefined) {
    headers["Content-Type"] = "text/csv";
    body = options.text;
  } else if (options.body !== undefined) {
    headers["Content-Type"] = "application/json";
    body = JSON.stringify(options.body);
  }
  if (method === "POST") headers["Idempotency-Key"] = crypto.randomUUID();
  let answer: Response;
  try {
    answer = await fetch(address(path, options.query), { method, headers, body, signal: options.signal });
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new Problem(0, "offline", "offline");
  }
  if (answer.status === 401 && again && (await renew())) return ask(method, path, options, false);
  if (!answer.ok) throw await problemOf(answer);
  return answer;
}

async function problemOf(answer: Response): Promise<Problem> {
  const told = await answer.json().catch(() => ({}));
  return new Problem(answer.status, told.code ?? "http", told.detail ?? told.title ?? answer.statusText, told.errors ?? [], told.rules ?? [], told.until ?? null);
}

async function json<T>(method: string, path: string, options: Options = {}): Promise<T> {
  const answer = await ask(method, path, options);
  return (answer.status === 204 ? undefined : await answer.json()) as T;
}

export const api = {
  get: <T>(path: string, query?: Query, signal?: AbortSignal) => json<T>("GET", path, { query, signal }),
  post: <T>(path: string, body: unknown = {}, query?: Query) => json<T>("POST", path, { body, query }),
  postText: <T>(path: string, text: string, query?: Query) => json<T>("POST", path, { text, query }),
  put: <T>(path: string, body: unknown) => json<T>("PUT", path, { body }),
  patch: <T>(path: string, body: unknown) => json<T>("PATCH", path, { body }),
  remove: <T>(path: string) => json<T>("DELETE", path),
  file: async (path: string, query?: Query) => (await ask("GET", path, { query })).blob(),
};

/** Hands a file to the person, under this name. */
export async function download(path: string, name: string, query?: Query): Promise<void> {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(await api.file(path, query));
  link.download = name;
  link.click();
  URL.revokeObjectURL(link.href);
}
