import vue from "@vitejs/plugin-vue";
import { readFileSync, writeFileSync } from "node:fs";
import { createHash } from "node:crypto";
import { resolve } from "node:path";
import { defineConfig, type Plugin } from "vite";

const service = process.env.STROWGER_URL ?? "http://localhost:8000";

/** Tells the service worker which files are the shell, and gives each build a name of its own. */
function shell(): Plugin {
  return {
    name: "strowger-shell",
    apply: "build",
    writeBundle(options, bundle) {
      const folder = options.dir ?? "dist";
      const files = Object.keys(bundle).filter((name) => /\.(js|css|html)$/.test(name));
      const first = files.filter((name) => !/(charts|vendor-echarts)/.test(name)).map((name) => "/" + name);
      const worker = readFileSync(resolve(folder, "sw.js"), "utf8");
      const name = createHash("sha256").update(files.join()).digest("hex").slice(0, 12);
      writeFileSync(
        resolve(folder, "sw.js"),
        worker.replace('"__BUILD__"', JSON.stringify(name)).replace('["__FILES__"]', JSON.stringify(first)),
      );
    },
  };
}

export default defineConfig({
  plugins: [vue(), shell()],
  build: {
    target: "es2022",
    assetsInlineLimit: 0, // the content security policy allows no inline data but pictures
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 700,
    rolldownOptions: { output: { chunkFileNames: "assets/[name]-[hash].js" } },
  },
  server: {
    port: 5173,
    proxy: { "/api": { target: service, ws: true }, "/health": service },
  },
});
