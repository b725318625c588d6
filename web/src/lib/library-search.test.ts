import { expect, it } from "vitest";
import { filterOf, isNarrowed, readSearch } from "./library-search";

it("reads the library's address and drops what is none of it", () => {
  expect(readSearch({ state: "indexed", tag: " sea ", sort: "title", from: "2026-01-02", to: "yesterday", evil: "1" })).toEqual({ state: "indexed", tag: "sea", sort: "title", from: "2026-01-02" });
  expect(readSearch({ state: "deleted", sort: "best", q: "  ", from: "2026-99-99" })).toEqual({});
  expect(readSearch({ q: "x".repeat(500) }).q).toHaveLength(200);
});

it("asks for whole local days, the last one included", () => {
  const { created_after, created_before } = filterOf({ from: "2026-01-31", to: "2026-01-31" });
  expect(created_after).toBe(new Date(2026, 0, 31).toISOString());
  expect(created_before).toBe(new Date(2026, 1, 1).toISOString());
});

it("knows an order from a filter", () => {
  expect(isNarrowed({ sort: "title" })).toBe(false);
  expect(isNarrowed({ tag: "sea" })).toBe(true);
  expect(filterOf({ sort: "newest" }).sort).toBeUndefined();
});
