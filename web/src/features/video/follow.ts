/** The last index whose start is not after `at_ms`, or -1 before the first. `starts_ms` is ascending. */
export function indexAt(starts_ms: readonly number[], at_ms: number): number {
  let low = 0;
  let high = starts_ms.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((starts_ms[middle] ?? Infinity) <= at_ms) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/** Which item is current at `at_ms`; -1 when it ended more than `linger_ms` ago (a pause between two sentences). */
export function currentAt(starts_ms: readonly number[], ends_ms: readonly number[], at_ms: number, linger_ms = 1500): number {
  const index = indexAt(starts_ms, at_ms);
  if (index < 0) return -1;
  return at_ms <= (ends_ms[index] ?? 0) + linger_ms ? index : -1;
}
