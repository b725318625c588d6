import { describe, expect, it } from "vitest";
import { choose, extend, NOTHING, toggle, without } from "./selection";

const order = ["a", "b", "c", "d", "e"];
const ids = (selection: { ids: ReadonlySet<string> }) => [...selection.ids].sort().join("");

describe("choosing videos", () => {
  it("one by one, and back", () => {
    const both = toggle(toggle(NOTHING, "b"), "d");
    expect(ids(both)).toBe("bd");
    expect(ids(toggle(both, "b"))).toBe("d");
    expect(ids(NOTHING)).toBe("");
  });

  it("a range in either direction from the last choice, beside what was chosen before", () => {
    const start = toggle(toggle(NOTHING, "e"), "c");
    expect(ids(extend(start, order, "a"))).toBe("abce");
    expect(ids(extend(extend(toggle(NOTHING, "b"), order, "d"), order, "a"))).toBe("abcd");
    expect(ids(extend(NOTHING, order, "c"))).toBe("c");
    expect(ids(extend(toggle(NOTHING, "gone"), order, "c"))).toBe("cgone");
  });

  it("forgets what is gone", () => {
    const rest = without(toggle(choose(order), "e"), new Set(["e", "a"]));
    expect(ids(rest)).toBe("bcd");
    expect(without(toggle(NOTHING, "a"), new Set(["a"])).anchor).toBeNull();
  });
});
