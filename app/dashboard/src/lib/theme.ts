import { ref, watchEffect } from "vue";

type Theme = "light" | "dark";
const dark = matchMedia("(prefers-color-scheme: dark)");
export const theme = ref<Theme>((localStorage.getItem("theme") as Theme | null) ?? (dark.matches ? "dark" : "light"));

watchEffect(() => {
  document.documentElement.dataset.theme = theme.value;
});
dark.addEventListener("change", () => {
  if (!localStorage.getItem("theme")) theme.value = dark.matches ? "dark" : "light";
});

export function otherTheme(): void {
  theme.value = theme.value === "dark" ? "light" : "dark";
  localStorage.setItem("theme", theme.value);
}
