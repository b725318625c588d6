import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import tailwindcss from "@tailwindcss/vite";
import react from "@vitejs/plugin-react";
import type { Plugin } from "vite";
import { defineConfig } from "vitest/config";

// The API serves the built files under /app and owns every other path, so the dev server hands those over to it.
const api = process.env.HEIMDEX_URL ?? "http://127.0.0.1:8480";
const apiPaths = ["/admin", "/auth", "/config", "/users", "/videos", "/scenes", "/search", "/people", "/events", "/outbox", "/health", "/openapi.json"];

/** Compresses each asset once, at its best, instead of for every request. */
function precompress(): Plugin {
  return {
    name: "heimdex-precompress",
    apply: "build",
    writeBundle({ dir }) {
      for (const name of readdirSync(`${dir}/assets`)) {
        if (!/\.(js|css)$/.test(name)) continue;
        writeFileSync(`${dir}/assets/${name}.gz`, gzipSync(readFileSync(`${dir}/assets/${name}`), { level: 9 }));
      }
    },
  };
}

export default defineConfig({
  base: "/app/",
  plugins: [react(), tailwindcss(), precompress()],
  resolve: { alias: { "@": fileURLToPath(new URL("./src", import.meta.url)) } },
  build: {
    target: "es2022",
    // A strict Content-Security-Policy allows no data: fonts and no inline scripts.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    manifest: true,
  },
  server: { host: "127.0.0.1", proxy: Object.fromEntries(apiPaths.map((path) => [path, api])) },
  test: { environment: "happy-dom", include: ["src/**/*.test.{ts,tsx}"] },
});
