/** Speed over a sliding window, so that a stall shows soon and one slow part does not shake the estimate. */
export class SpeedMeter {
  #samples: { at_ms: number; bytes: number }[] = [];
  readonly #window_ms: number;

  constructor(window_ms = 8000) {
    this.#window_ms = window_ms;
  }

  /** `bytes` is the running total. A total that falls (a part starts over) restarts the measurement. */
  add(at_ms: number, bytes: number) {
    const last = this.#samples.at(-1);
    if (last && bytes < last.bytes) this.#samples = [];
    this.#samples.push({ at_ms, bytes });
    while (this.#samples.length > 2 && (this.#samples[1]?.at_ms ?? 0) <= at_ms - this.#window_ms) this.#samples.shift();
  }

  reset() {
    this.#samples = [];
  }

  /** Bytes a second, or null before there is something to say. */
  get bytesPerSecond(): number | null {
    const first = this.#samples[0];
    const last = this.#samples.at(-1);
    if (!first || !last || last.at_ms - first.at_ms < 500) return null;
    return ((last.bytes - first.bytes) * 1000) / (last.at_ms - first.at_ms);
  }

  /** Seconds left for `remaining_bytes`, or null while nothing moves. */
  eta(remaining_bytes: number): number | null {
    const speed = this.bytesPerSecond;
    return speed === null || speed <= 0 ? null : remaining_bytes / speed;
  }
}
