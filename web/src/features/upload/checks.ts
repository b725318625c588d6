import type { Config, Usage } from "@/lib/api/types";

/** Types the pipeline reads, by file ending: browsers know few of them by themselves. */
const TYPES: Record<string, string> = {
  mp4: "video/mp4",
  m4v: "video/mp4",
  mov: "video/quicktime",
  webm: "video/webm",
  mkv: "video/x-matroska",
  avi: "video/x-msvideo",
  mpg: "video/mpeg",
  mpeg: "video/mpeg",
  ts: "video/mp2t",
  mts: "video/mp2t",
  m2ts: "video/mp2t",
  ogv: "video/ogg",
  "3gp": "video/3gpp",
  wmv: "video/x-ms-wmv",
  flv: "video/x-flv",
};

export const ACCEPT = ["video/*", ...Object.keys(TYPES).map((ending) => `.${ending}`)].join(",");

/** The type to declare, or null for a file that is no video by its name and type. */
export function mimeTypeOf(file: Pick<File, "name" | "type">): string | null {
  const ending = file.name.toLowerCase().match(/\.([a-z0-9]+)$/)?.[1] ?? "";
  if (TYPES[ending]) return TYPES[ending];
  return file.type.startsWith("video/") ? file.type : null;
}

export type Refusal =
  | { reason: "empty" | "type" | "quota" }
  | { reason: "size"; limit_bytes: number }
  | { reason: "duration"; limit_s: number; actual_s: number };

export interface Limits {
  max_size_bytes: number;
  max_duration_s: number | null;
  /** Uploads left today; null without a limit. */
  left_today: number | null;
}

export function limitsOf(config: Config, usage: Usage | undefined): Limits {
  const today = usage?.uploads_today;
  return {
    max_size_bytes: Math.min(config.limits.max_upload_bytes, usage?.max_size_bytes ?? Infinity),
    max_duration_s: usage ? usage.max_duration_s : null,
    left_today: today && today.limit !== null ? Math.max(0, today.limit - today.used) : null,
  };
}

/** What can be known before a byte is sent. `duration_s` is null when the browser cannot read it: the server will. */
export function refusalOf(file: Pick<File, "name" | "type" | "size">, duration_s: number | null, limits: Limits): Refusal | null {
  if (mimeTypeOf(file) === null) return { reason: "type" };
  if (file.size === 0) return { reason: "empty" };
  if (file.size > limits.max_size_bytes) return { reason: "size", limit_bytes: limits.max_size_bytes };
  // One second of grace, as the server gives.
  if (limits.max_duration_s !== null && duration_s !== null && duration_s > limits.max_duration_s + 1) {
    return { reason: "duration", limit_s: limits.max_duration_s, actual_s: duration_s };
  }
  return null;
}

/** Does something for each, a few at a time, and gives the answers in order. */
export async function aFewAtATime<T, R>(items: readonly T[], lanes: number, work: (item: T) => Promise<R>): Promise<R[]> {
  const answers = new Array<R>(items.length);
  let next = 0;
  const lane = async () => {
    for (let at = next++; at < items.length; at = next++) answers[at] = await work(items[at] as T);
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  return answers;
}

/** The duration in seconds by the browser's own reader, or null when it cannot say within three seconds. */
export function probeDuration(file: File): Promise<number | null> {
  return new Promise((resolve) => {
    const video = document.createElement("video");
    const url = URL.createObjectURL(file);
    const finish = (value: number | null) => {
      clearTimeout(timer);
      video.removeAttribute("src");
      URL.revokeObjectURL(url);
      resolve(value);
    };
    const timer = setTimeout(() => finish(null), 3000);
    video.preload = "metadata";
    video.onloadedmetadata = () => finish(Number.isFinite(video.duration) ? video.duration : null);
    video.onerror = () => finish(null);
    video.src = url;
  });
}
