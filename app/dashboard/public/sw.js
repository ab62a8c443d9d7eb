// The shell works without a network; what people said and who they are is never kept in the browser.
const BUILD = "__BUILD__";
const FILES = ["__FILES__"];
const CACHE = `strowger-${BUILD}`;

self.addEventListener("install", (event) => {
  event.waitUntil(caches.open(CACHE).then((cache) => cache.addAll(["/", "/icon.svg", "/manifest.webmanifest", ...FILES])));
});

self.addEventListener("activate", (event) => {
  event.waitUntil(
    caches
      .keys()
      .then((names) => Promise.all(names.filter((name) => name !== CACHE).map((name) => caches.delete(name))))
      .then(() => self.clients.claim()),
  );
});

self.addEventListener("message", (event) => {
  if (event.data === "take over") self.skipWaiting();
});

self.addEventListener("fetch", (event) => {
  const url = new URL(event.request.url);
  if (event.request.method !== "GET" || url.origin !== self.location.origin) return;
  if (/^\/(api|health|twilio|metrics|docs|openapi)/.test(url.pathname)) return;
  if (event.request.mode === "navigate") {
    event.respondWith(fetch(event.request).catch(() => caches.match("/")));
    return;
  }
  event.respondWith(caches.match(event.request).then((kept) => kept ?? fetch(event.request)));
});

// The same news pushed twice replaces itself (its tag); open pages look at their list anew.
self.addEventListener("push", (event) => {
  const { title = "Strowger", body = "", url = "/", tag } = event.data ? event.data.json() : {};
  event.waitUntil(
    Promise.all([
      self.registration.showNotification(title, { body, tag, icon: "/icon-192.png", data: { url } }),
      self.clients.matchAll({ type: "window" }).then((pages) => pages.forEach((page) => page.postMessage("news"))),
    ]),
  );
});

// A page that is open is brought to the front and shown the place; only where there is none is one opened.
self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  const url = new URL(event.notification.data.url, self.location.origin);
  if (url.origin !== self.location.origin) return;
  event.waitUntil(
    self.clients.matchAll({ type: "window" }).then(async ([page]) => {
      if (!page) return self.clients.openWindow(url.href);
      await page.focus();
      page.postMessage({ go: url.pathname + url.search });
    }),
  );
});
