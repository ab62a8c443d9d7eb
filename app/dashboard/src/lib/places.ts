import type { Word } from "./i18n";

export const PLACES = [
  { to: "/", icon: "live", word: "nav.live" },
  { to: "/calls", icon: "calls", word: "nav.calls" },
  { to: "/leads", icon: "leads", word: "nav.leads" },
  { to: "/campaigns", icon: "campaigns", word: "nav.campaigns" },
  { to: "/playbooks", icon: "playbooks", word: "nav.playbooks" },
  { to: "/reports", icon: "reports", word: "nav.reports" },
  { to: "/models", icon: "models", word: "nav.models" },
  { to: "/settings", icon: "settings", word: "nav.settings" },
] as const satisfies readonly { to: string; icon: string; word: Word }[];
