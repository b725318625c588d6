/** Where part `n` (from 1) lies in the file, as half-open byte offsets. */
export function partRange(part_number: number, part_size_bytes: number, size_bytes: number): { start: number; end: number } {
  const start = (part_number - 1) * part_size_bytes;
  return { start, end: Math.min(size_bytes, start + part_size_bytes) };
}

export const partCount = (size_bytes: number, part_size_bytes: number) => Math.max(1, Math.ceil(size_bytes / part_size_bytes));

/** The parts still to send: all but those the store has in full. */
export function partsLeft(
  plan: { part_size_bytes: number; part_count: number; size_bytes: number },
  stored: readonly { part_number: number; size_bytes: number }[],
): number[] {
  const whole = new Set(
    stored
      .filter(({ part_number, size_bytes }) => {
        const { start, end } = partRange(part_number, plan.part_size_bytes, plan.size_bytes);
        return size_bytes === end - start;
      })
      .map((part) => part.part_number),
  );
  return Array.from({ length: plan.part_count }, (_, index) => index + 1).filter((number) => !whole.has(number));
}
