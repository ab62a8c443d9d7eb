import type { Objection } from "./api";
import { dateLocale, locale, named, t } from "./i18n";

export function clock(ms: number): string {
  const s = Math.max(0, Math.floor(ms / 1000));
  return `${Math.floor(s / 60)}:${String(s % 60).padStart(2, "0")}`;
}
export function seconds(ms: number | null | undefined): string {
  return ms === null || ms === undefined ? t("none") : `${(ms / 1000).toLocaleString(dateLocale.value, { maximumFractionDigits: 2 })} s`;
}
export function ms(value: number | null | undefined): string {
  return value === null || value === undefined ? t("none") : `${Math.round(value)} ms`;
}
export function percent(share: number | null | undefined, digits = 0): string {
  return share === null || share === undefined ? t("none") : share.toLocaleString(dateLocale.value, { style: "percent", maximumFractionDigits: digits });
}
/** Four digits tell two models apart. */
export function decimal(value: number): string {
  return value.toLocaleString(dateLocale.value, { maximumSignificantDigits: 4 });
}
export function usd(value: number | null | undefined, digits = 2): string {
  return value === null || value === undefined ? t("unknown") : value.toLocaleString(dateLocale.value, { style: "currency", currency: "USD", minimumFractionDigits: digits, maximumFractionDigits: Math.max(digits, 2) });
}
export function count(value: number): string {
  return value.toLocaleString(dateLocale.value);
}
export function time(iso: string | null): string {
  return iso ? new Date(iso).toLocaleTimeString(dateLocale.value, { hour: "2-digit", minute: "2-digit" }) : t("none");
}
export function day(iso: string | null): string {
  return iso ? new Date(iso).toLocaleDateString(dateLocale.value, { day: "numeric", month: "short" }) : t("none");
}
export function moment(iso: string | null): string {
  return iso ? `${day(iso)}, ${time(iso)}` : t("none");
}
/** The hour where it was today, else the day too. */
export function lately(iso: string | null): string {
  return iso && new Date(iso).toDateString() === new Date().toDateString() ? time(iso) : moment(iso);
}
/** A slot such as 2026-11-21T10:00 is local to the business already. */
export function slot(local: string | null): string {
  return local ? new Date(local).toLocaleString(dateLocale.value, { weekday: "short", day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" }) : t("none");
}
export function words(name: string): string {
  return name.replaceAll("_", " ").replaceAll(":", ": ");
}
/** A reason names the column it is about as the model knows it. */
export function reason(text: string): string {
  return text.replaceAll("_", " ");
}
/** A rule's reason is English; elsewhere its family says what it is about. */
export function objection({ rule, reason }: Objection): string {
  return locale.value === "en" ? reason : named("rule", rule.split(".")[0]);
}
