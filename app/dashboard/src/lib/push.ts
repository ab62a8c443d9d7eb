import { ref } from "vue";
import { api } from "./api";

type State = "unknown" | "cannot" | "denied" | "off" | "on" | "failed";
const KEPT = "push-subscription"; // its id at the service

export const pushState = ref<State>("unknown");

function bytes(key: string): Uint8Array<ArrayBuffer> {
  const text = atob(key.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(text, (letter) => letter.charCodeAt(0));
}

async function worker(): Promise<ServiceWorkerRegistration | undefined> {
  return "serviceWorker" in navigator && "PushManager" in window && "Notification" in window ? navigator.serviceWorker.getRegistration() : undefined;
}

/** Asks the browser how things stand; asks the person nothing. What was allowed to a key that is ours no more does not
 *  count. */
export async function lookAtPush(key: string): Promise<void> {
  const registered = await worker();
  if (!registered) return void (pushState.value = "cannot");
  if (Notification.permission === "denied") return void (pushState.value = "denied");
  const known = (await registered.pushManager.getSubscription())?.options.applicationServerKey;
  const same = known && new Uint8Array(known).toString() === bytes(key).toString();
  pushState.value = same && localStorage.getItem(KEPT) ? "on" : "off";
}

/** From a click only: browsers ask the person then. A key of ours that has changed needs a new subscription. */
export async function allowPush(key: string): Promise<void> {
  const registered = await worker();
  if (!registered) return void (pushState.value = "cannot");
  if ((await Notification.requestPermission()) !== "granted") return lookAtPush(key);
  try {
    await (await registered.pushManager.getSubscription())?.unsubscribe();
    const made = await registered.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: bytes(key) });
    const told = made.toJSON();
    const { id } = await api.post<{ id: string }>("/notifications/subscriptions", { endpoint: told.endpoint, keys: told.keys });
    localStorage.setItem(KEPT, id);
    pushState.value = "on";
  } catch {
    pushState.value = "failed";
  }
}

export async function forbidPush(key: string): Promise<void> {
  const id = localStorage.getItem(KEPT);
  localStorage.removeItem(KEPT);
  await (await (await worker())?.pushManager.getSubscription())?.unsubscribe();
  if (id) await api.remove(`/notifications/subscriptions/${id}`).catch(() => null);
  await lookAtPush(key);
}
