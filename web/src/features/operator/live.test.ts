import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { CALM_MS, calmly } from "./live";

describe("reading again", () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it("is done at once, then once for all that happens in a second, and not for ever", () => {
    const work = vi.fn();
    const calm = calmly(work, CALM_MS);
    calm.ask();
    expect(work).toHaveBeenCalledTimes(1);
    for (let i = 0; i < 100; i += 1) calm.ask();
    expect(work).toHaveBeenCalledTimes(1);
    vi.advanceTimersByTime(CALM_MS);
    expect(work).toHaveBeenCalledTimes(2);
    vi.advanceTimersByTime(10 * CALM_MS);
    expect(work).toHaveBeenCalledTimes(2);
    calm.ask();
    expect(work).toHaveBeenCalledTimes(3);
  });

  it("ends when the console is left", () => {
    const work = vi.fn();
    const calm = calmly(work, CALM_MS);
    calm.ask();
    calm.ask();
    calm.stop();
    vi.advanceTimersByTime(10 * CALM_MS);
    expect(work).toHaveBeenCalledTimes(1);
  });
});
