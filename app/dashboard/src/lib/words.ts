import { named, t } from "./i18n";

/** What came of a whisper, in words: the service tells a kind, and the playbook's own name for the thing. */
export function whisperUse(use: string): string {
  if (!use) return t("whisper.not_used");
  if (use === "spoken") return t("whisper.spoken");
  if (use === "told") return t("whisper.told");
  const [kind, name] = use.split(":", 2) as [string, string?];
  return t("whisper.leads_to", { what: named("whisper_to", kind), name: (name ?? "").replaceAll("_", " ") }).trim();
}
