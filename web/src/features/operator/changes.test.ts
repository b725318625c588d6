import { describe, expect, it } from "vitest";
import { changes } from "./changes";

describe("what a line of the history changed", () => {
  it("is told by field, without those that stayed", () => {
    expect(changes({ tier: "free", email: "ann@example.org" }, { tier: "pro", email: "ann@example.org" })).toEqual([["tier", "free → pro"]]);
    expect(changes(null, { run_id: "r1", stages: ["asr_fast", "commit"] })).toEqual([["run_id", "r1"], ["stages", "asr_fast, commit"]]);
    expect(changes({ operator: true }, null)).toEqual([["operator", "true → –"]]);
    expect(changes(null, null)).toEqual([]);
  });
});
