/** Which videos are chosen, and from where a range is drawn. */
export interface Selection {
  ids: ReadonlySet<string>;
  anchor: string | null;
}

export const NOTHING: Selection = { ids: new Set(), anchor: null };

export function toggle({ ids }: Selection, id: string): Selection {
  const next = new Set(ids);
  if (!next.delete(id)) next.add(id);
  return { ids: next, anchor: id };
}

/** Adds everything from the last choice to this one, in the order of the list. Without a last choice it is just this one. */
export function extend(selection: Selection, order: readonly string[], id: string): Selection {
  const from = selection.anchor === null ? -1 : order.indexOf(selection.anchor);
  const to = order.indexOf(id);
  if (from < 0 || to < 0) return { ids: new Set([...selection.ids, id]), anchor: id };
  const range = order.slice(Math.min(from, to), Math.max(from, to) + 1);
  return { ids: new Set([...selection.ids, ...range]), anchor: selection.anchor };
}

export const choose = (ids: Iterable<string>): Selection => ({ ids: new Set(ids), anchor: null });

/** Without those that are gone. */
export function without({ ids, anchor }: Selection, gone: ReadonlySet<string>): Selection {
  return { ids: new Set([...ids].filter((id) => !gone.has(id))), anchor: anchor !== null && gone.has(anchor) ? null : anchor };
}
