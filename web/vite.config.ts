import { fileURLToPath } from "node:url";
import tailwindcss from "@tailwindcss/vite";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

// The API serves the built files under /app and owns every other path, so the dev server hands those over to it.
const api = process.env.HEIMDEX_URL ?? "http://127.0.0.1:8480";
const apiPaths = ["/auth", "/config", "/users", "/videos", "/scenes", "/search", "/events", "/health", "/openapi.json"];

export default defineConfig({
  base: "/app/",
  plugins: [react(), tailwindcss()],
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
