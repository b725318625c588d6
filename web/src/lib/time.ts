/** Positions and durations are integer milliseconds, as in the API. */

/** Formatters are kept: making one takes longer than all it will ever format on a page. */
function kept<Args extends unknown[], T>(make: (...args: Args) => T): (...args: Args) => T {
  const made = new Map<string, T>();
  return (...args) => {
    const key = JSON.stringify(args);
    let one = made.get(key);
    if (one === undefined) {
      one = make(...args);
      made.set(key, one);
    }
    return one;
  };
}
const numbers = kept((lang: string, options: Intl.NumberFormatOptions) => new Intl.NumberFormat(lang, options));
const dates = kept((lang: string, options: Intl.DateTimeFormatOptions) => new Intl.DateTimeFormat(lang, options));
const days = kept((lang: string) => new Intl.RelativeTimeFormat(lang, { numeric: "auto" }));

/** `1:02:03`, `2:05`, `0:07`: a position in a video, rounded down to the second. */
export function formatTimecode(ms: number): string {
  const total = Math.max(0, Math.floor(ms / 1000));
  const seconds = String(total % 60).padStart(2, "0");
  const minutes = Math.floor(total / 60) % 60;
  const hours = Math.floor(total / 3600);
  return hours > 0 ? `${hours}:${String(minutes).padStart(2, "0")}:${seconds}` : `${minutes}:${seconds}`;
}

/** A position in words, for people who hear the page: `2 minutes 5 seconds`. */
export function spokenTimecode(ms: number, lang: string): string {
  const total = Math.max(0, Math.floor(ms / 1000));
  const unit = (value: number, name: "hour" | "minute" | "second") =>
    numbers(lang, { style: "unit", unit: name, unitDisplay: "long" }).format(value);
  const parts = [
    total >= 3600 ? unit(Math.floor(total / 3600), "hour") : "",
    total >= 60 ? unit(Math.floor(total / 60) % 60, "minute") : "",
    unit(total % 60, "second"),
  ];
  return parts.filter(Boolean).join(" ");
}

/** What is left, without false precision: `12 s`, `4 min`, `1 h 20 min`. */
export function formatEta(seconds: number, lang: string): string {
  const unit = (value: number, name: "hour" | "minute" | "second") =>
    numbers(lang, { style: "unit", unit: name, unitDisplay: "short" }).format(value);
  if (seconds < 90) return unit(Math.max(1, Math.ceil(seconds)), "second");
  const minutes = Math.ceil(seconds / 60);
  if (minutes < 90) return unit(minutes, "minute");
  return `${unit(Math.floor(minutes / 60), "hour")} ${unit(minutes % 60, "minute")}`;
}

const BYTE_UNITS = ["byte", "kilobyte", "megabyte", "gigabyte", "terabyte"] as const;

/** Decimal units, as file managers and disks use them: `1.4 GB`. */
export function formatBytes(bytes: number, lang: string): string {
  let value = Math.max(0, bytes);
  let index = 0;
  while (value >= 999.5 && index < BYTE_UNITS.length - 1) {
    value /= 1000;
    index += 1;
  }
  return numbers(lang, {
    style: "unit",
    unit: BYTE_UNITS[index] ?? "byte",
    unitDisplay: index === 0 ? "long" : "short",
    maximumFractionDigits: index < 2 || value >= 100 ? 0 : 1,
  }).format(value);
}

/** A limit in bytes, never rounded up: a file of the size shown must be allowed. */
export function formatByteLimit(bytes: number, lang: string): string {
  const scale = 10 ** (Math.max(0, Math.floor(Math.log10(Math.max(1, bytes)) / 3)) * 3);
  return formatBytes(scale > 1 ? (Math.floor((bytes / scale) * 10) / 10) * scale : bytes, lang);
}

/** `today, 14:05` near (the days around today), `3 Mar 2026` far. */
export function formatDate(iso: string, lang: string, now = new Date()): string {
  const date = new Date(iso);
  const midnight = (value: Date) => new Date(value.getFullYear(), value.getMonth(), value.getDate()).getTime();
  const from_today = Math.round((midnight(date) - midnight(now)) / 86_400_000);
  if (Math.abs(from_today) <= 1) return `${days(lang).format(from_today, "day")}, ${dates(lang, { hour: "numeric", minute: "2-digit" }).format(date)}`;
  return dates(lang, {
    day: "numeric",
    month: "short",
    ...(date.getFullYear() === now.getFullYear() ? {} : { year: "numeric" }),
  }).format(date);
}
