import { computed, ref, watchEffect } from "vue";
import { en } from "../locales/en";
import { es } from "../locales/es";

export type Word = keyof typeof en;
export type Locale = "en" | "es";
const books: Record<Locale, Record<Word, string>> = { en, es };

function usual(): Locale {
  const kept = localStorage.getItem("locale");
  if (kept === "en" || kept === "es") return kept;
  return navigator.language.startsWith("es") ? "es" : "en";
}

export const locale = ref<Locale>(usual());
watchEffect(() => {
  document.documentElement.lang = locale.value;
});

export function speak(to: Locale): void {
  locale.value = to;
  localStorage.setItem("locale", to);
}

/** The sentence in the reader's language, with {names} filled in. */
export function t(word: Word, filled: Record<string, string | number> = {}): string {
  return books[locale.value][word].replace(/\{(\w+)\}/g, (whole, name: string) => String(filled[name] ?? whole));
}

/** For words the service chooses, such as a result: its own name when we have none for it. */
export function named(group: string, name: string | null | undefined): string {
  if (!name) return t("none");
  const word = `${group}.${name}`;
  return word in en ? t(word as Word) : name.replaceAll("_", " ");
}

export const dateLocale = computed(() => (locale.value === "es" ? "es-US" : "en-US"));
