import { onScopeDispose, ref, shallowRef, watch, type Ref, type WatchSource } from "vue";
import { Problem } from "./api";

export interface Loaded<T> {
  data: Ref<T | null>;
  problem: Ref<Problem | null>;
  loading: Ref<boolean>;
  again: () => Promise<void>;
}

/** Loads now and whenever `when` changes. What was shown stays until the new is there, so nothing jumps. */
export function useLoad<T>(load: (signal: AbortSignal) => Promise<T>, when: WatchSource[] = []): Loaded<T> {
  const data = shallowRef<T | null>(null) as Ref<T | null>;
  const problem = shallowRef<Problem | null>(null);
  const loading = ref(true);
  let running: AbortController | null = null;

  async function again(): Promise<void> {
    running?.abort();
    const mine = (running = new AbortController());
    loading.value = true;
    try {
      data.value = await load(mine.signal);
      problem.value = null;
    } catch (error) {
      if (mine.signal.aborted) return;
      problem.value = error instanceof Problem ? error : new Problem(0, "unknown", String(error));
    } finally {
      if (running === mine) loading.value = false;
    }
  }

  watch(when, again);
  onScopeDispose(() => running?.abort());
  void again();
  return { data, problem, loading, again };
}

/** A list by the page: `more` appends the next one. */
export function usePages<T>(load: (cursor: string | null, signal: AbortSignal) => Promise<{ items: T[]; next_cursor: string | null }>, when: WatchSource[] = []) {
  const items = shallowRef<T[]>([]);
  const next = ref<string | null>(null);
  const first = useLoad(async (signal) => {
    const page = await load(null, signal);
    items.value = page.items;
    next.value = page.next_cursor;
    return page;
  }, when);
  async function more(): Promise<void> {
    if (!next.value || first.loading.value) return;
    const page = await load(next.value, new AbortController().signal);
    items.value = [...items.value, ...page.items];
    next.value = page.next_cursor;
  }
  return { items, next, more, ...first };
}

/** A deed with a button: busy while it runs, and what went wrong in words. */
export function useDeed<A extends unknown[]>(deed: (...args: A) => Promise<unknown>) {
  const busy = ref(false);
  const problem = shallowRef<Problem | null>(null);
  async function run(...args: A): Promise<boolean> {
    busy.value = true;
    problem.value = null;
    try {
      await deed(...args);
      return true;
    } catch (error) {
      problem.value = error instanceof Problem ? error : new Problem(0, "unknown", String(error));
      return false;
    } finally {
      busy.value = false;
    }
  }
  return { busy, problem, run };
}
