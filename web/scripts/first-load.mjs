// What a browser fetches before a page shows: the entry, its static imports, and the page's own chunks, compressed.
// Fails above the budget, so that a heavy dependency is noticed where it comes in.
import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";

const BUDGET_BYTES = 200_000;
const dist = new URL("../dist/", import.meta.url);
const manifest = JSON.parse(readFileSync(new URL(".vite/manifest.json", dist), "utf8"));

const closure = (key, seen = new Set()) => {
  if (seen.has(key)) return seen;
  seen.add(key);
  for (const next of manifest[key].imports ?? []) closure(next, seen);
  return seen;
};
const sizes = new Map();
const size = (file) => {
  if (!sizes.has(file)) sizes.set(file, gzipSync(readFileSync(new URL(file, dist)), { level: 9 }).length);
  return sizes.get(file);
};

const entry = Object.keys(manifest).find((key) => manifest[key].isEntry);
// Other dynamic entries are parts of a page that come when they are asked for.
const pages = Object.keys(manifest).filter((key) => manifest[key].isDynamicEntry && /Page\.tsx$/.test(key));
let worst = 0;
for (const page of [null, ...pages]) {
  const keys = new Set([...closure(entry), ...(page ? closure(page) : [])]);
  const bytes = [...keys].reduce((sum, key) => sum + size(manifest[key].file), 0);
  worst = Math.max(worst, bytes);
  console.log(`${(bytes / 1000).toFixed(1).padStart(7)} kB  ${page ?? "(every page)"}`);
}
if (worst > BUDGET_BYTES) {
  console.error(`The first load is ${worst} bytes of compressed JavaScript; the budget is ${BUDGET_BYTES}.`);
  process.exit(1);
}
