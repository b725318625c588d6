import { formatEta } from "@/lib/time";

/** How long ago something was, or how long it took: `12 s`, `4 min`, `1 h 20 min`, `3 days`. */
export function formatSpan(from: string, until: string | number, lang: string): string {
  const seconds = Math.max(0, (new Date(until).getTime() - new Date(from).getTime()) / 1000);
  if (seconds < 2 * 86_400) return formatEta(seconds, lang);
  return new Intl.NumberFormat(lang, { style: "unit", unit: "day", unitDisplay: "long" }).format(Math.floor(seconds / 86_400));
}
