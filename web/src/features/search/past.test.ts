import { expect, it } from "vitest";
import type { PastSearch } from "@/lib/api/types";
import { withoutBeginnings } from "./past";

const past = (query: string): PastSearch => ({ query, searched_at: "2026-01-01T00:00:00Z", hits: 1, times: 1 });

it("leaves out what was searched for while the rest was being typed", () => {
  const history = ["the best of times", "The best", "the b", "soup", "the worst", "the"].map(past);
  expect(withoutBeginnings(history).map(({ query }) => query)).toEqual(["the best of times", "soup", "the worst"]);
  expect(withoutBeginnings(["rain", "rainbow"].map(past))).toHaveLength(2);
  expect(withoutBeginnings([])).toEqual([]);
});
