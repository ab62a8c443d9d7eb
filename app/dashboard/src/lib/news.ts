import { computed, onScopeDispose, ref, shallowRef } from "vue";
import { api } from "./api";
import { percent, usd } from "./format";
import { named, t } from "./i18n";
import { me } from "./session";
import type { News, Page } from "./types";

const EVERY_MS = 10_000;
const SHOWN = 20;
const AT_ONCE = ["hot_lead", "provider_down", "campaign_stopped"];

/** The newest news, looked at every ten seconds, when the page comes to the front, and when a push says so. What was
 *  seen is remembered by this browser. */
export function useNews() {
  const items = shallowRef<News[]>([]);
  const key = `news-seen:${me.value?.user_id ?? ""}`;
  const seen = ref(localStorage.getItem(key) ?? "");
  const fresh = computed(() => items.value.filter((one) => one.raised_at > seen.value && one.kind !== "test").length);

  const just = shallowRef<News | null>(null); // what came while the page was open and cannot wait

  let looked = false;

  async function look(): Promise<void> {
    if (document.hidden) return;
    const found = await api.get<Page<News>>("/notifications", { limit: SHOWN }).catch(() => null);
    if (!found) return;
    const newest = found.items.find((one) => AT_ONCE.includes(one.kind));
    if (looked && newest && newest.raised_at > (items.value[0]?.raised_at ?? "")) just.value = newest;
    items.value = found.items;
    looked = true;
  }
  function see(): void {
    const newest = items.value[0]?.raised_at;
    if (!newest) return;
    seen.value = newest;
    localStorage.setItem(key, newest);
  }
  const timer = window.setInterval(look, EVERY_MS);
  const pushed = (event: MessageEvent): void => {
    if (event.data === "news") void look();
  };
  document.addEventListener("visibilitychange", look);
  navigator.serviceWorker?.addEventListener("message", pushed);
  onScopeDispose(() => {
    clearInterval(timer);
    document.removeEventListener("visibilitychange", look);
    navigator.serviceWorker?.removeEventListener("message", pushed);
  });
  void look();
  return { items, fresh, just, look, see };
}

/** What it says, in the reader's language; for kinds of a newer service its own words. */
export function newsText(one: News): { title: string; text: string } {
  const who = one.person ?? t("news.somebody");
  const about = one.about;
  switch (one.kind) {
    case "hot_lead":
      return { title: t("news.hot_lead"), text: about.probability ? t("news.hot_lead_text", { who, chance: percent(Number(about.probability)) }) : t("news.hot_lead_known", { who }) };
    case "call_back":
      return { title: t("news.call_back"), text: t("news.call_back_text", { who }) };
    case "provider_down":
      return { title: t("news.provider_down"), text: t("news.provider_down_text", { provider: about.provider ?? "", stage: about.stage ?? "" }) };
    case "budget":
      return { title: t("news.budget"), text: t("news.budget_text", { percent: about.percent ?? "", budget: usd(Number(about.budget_usd)) }) };
    case "drift":
      return { title: t("news.drift"), text: t("news.drift_text", { subject: (about.subject ?? "").replaceAll("_", " ") }) };
    case "campaign_stopped":
      return { title: t("news.campaign_stopped"), text: t("news.campaign_stopped_text", { campaign: about.campaign ?? "", abandoned: about.abandoned ?? "", answered: about.answered ?? "" }) };
    case "limit":
      return { title: t("news.limit"), text: t("news.limit_text", { cap: named("limits", about.cap ?? "") }) };
    case "test":
      return { title: t("news.test"), text: t("news.test_text") };
  }
  return { title: one.title, text: one.text };
}
