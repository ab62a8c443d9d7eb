import { ref, shallowRef } from "vue";

export const updateWaiting = ref(false);
const waiting = shallowRef<ServiceWorker | null>(null);

/** A new build waits until the person says so: nobody's half-written note is lost to a reload. */
export function watchForUpdates(): void {
  if (!("serviceWorker" in navigator) || import.meta.env.DEV) return;
  let reloads = false;
  navigator.serviceWorker.addEventListener("controllerchange", () => {
    if (reloads) location.reload();
  });
  void navigator.serviceWorker.register("/sw.js").then((registered) => {
    const look = () => {
      if (registered.waiting && navigator.serviceWorker.controller) {
        waiting.value = registered.waiting;
        updateWaiting.value = reloads = true;
      }
    };
    look();
    registered.addEventListener("updatefound", () => {
      registered.installing?.addEventListener("statechange", look);
    });
  });
}

export function update(): void {
  waiting.value?.postMessage("take over");
}
