import type { Stage } from "@/lib/api/types";

/** Where a stage stands in the drawing: columns from the left, rows from the top, both from 0. */
export interface Place {
  column: number;
  row: number;
}

/** Puts each stage one column after the last of those it needs, and within a column as near as there is room to the middle
 *  of what it needs. */
export function layOut(stages: readonly { stage: Stage; needs: readonly Stage[] }[]): Map<Stage, Place> {
  const needs = new Map(stages.map(({ stage, needs: before }) => [stage, before]));
  const columns = new Map<Stage, number>();
  const columnOf = (stage: Stage): number => {
    const known = columns.get(stage);
    if (known !== undefined) return known;
    const column = Math.max(-1, ...(needs.get(stage) ?? []).map(columnOf)) + 1;
    columns.set(stage, column);
    return column;
  };
  const places = new Map<Stage, Place>();
  const taken = new Set<string>();
  const inOrder = stages.map(({ stage }) => ({ stage, column: columnOf(stage) })).sort((a, b) => a.column - b.column);
  for (const { stage, column } of inOrder) {
    const before = (needs.get(stage) ?? []).map((need) => places.get(need)?.row ?? 0);
    let row = before.length === 0 ? 0 : Math.floor(before.reduce((sum, one) => sum + one, 0) / before.length);
    while (taken.has(`${column}/${row}`)) row += 1;
    taken.add(`${column}/${row}`);
    places.set(stage, { column, row });
  }
  return places;
}
