import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { partCount, partRange, partsLeft } from "./plan";
import { SpeedMeter } from "./speed";

describe("the parts of a file", () => {
  it("cover it once, in order, without a gap", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 100_000 }), fc.integer({ min: 1000, max: 70_000 }), (size, part) => {
        const count = partCount(size, part);
        let at = 0;
        for (let number = 1; number <= count; number += 1) {
          const { start, end } = partRange(number, part, size);
          expect(start).toBe(at);
          expect(end).toBeGreaterThan(start);
          at = end;
        }
        expect(at).toBe(size);
      }),
    );
  });

  it("are sent again when the store has them only in part", () => {
    const plan = { part_size_bytes: 10, part_count: 3, size_bytes: 25 };
    expect(partsLeft(plan, [])).toEqual([1, 2, 3]);
    expect(partsLeft(plan, [{ part_number: 1, size_bytes: 10 }, { part_number: 2, size_bytes: 4 }, { part_number: 3, size_bytes: 5 }])).toEqual([2]);
  });
});

describe("the speed meter", () => {
  it("tells the speed of the last seconds and what is left", () => {
    const meter = new SpeedMeter(4000);
    expect(meter.bytesPerSecond).toBeNull();
    for (let second = 0; second <= 10; second += 1) meter.add(second * 1000, second * 500);
    expect(meter.bytesPerSecond).toBeCloseTo(500);
    expect(meter.eta(1000)).toBeCloseTo(2);
  });

  it("starts over when a part starts over, and has no estimate while nothing moves", () => {
    const meter = new SpeedMeter();
    meter.add(0, 900);
    meter.add(1000, 100);
    expect(meter.bytesPerSecond).toBeNull();
    meter.add(3000, 100);
    expect(meter.eta(50)).toBeNull();
  });
});
