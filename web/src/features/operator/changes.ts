const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null && !Array.isArray(value);

const told = (value: unknown): string => {
  if (value === undefined || value === null) return "–";
  if (Array.isArray(value)) return value.map(told).join(", ");
  return typeof value === "string" ? value : JSON.stringify(value);
};

/** What a line of the history changed, by the field's name: what is new, or what was and what is. Fields that stayed are left out. */
export function changes(before: unknown, after: unknown): [name: string, text: string][] {
  const [was, is] = [isRecord(before) ? before : {}, isRecord(after) ? after : {}];
  return [...new Set([...Object.keys(was), ...Object.keys(is)])].flatMap((name): [string, string][] => {
    if (!(name in was)) return [[name, told(is[name])]];
    return told(was[name]) === told(is[name]) ? [] : [[name, `${told(was[name])} → ${told(is[name])}`]];
  });
}
