import type { ReactNode } from "react";
import { ProgressBar } from "@/components/Progress";
import type { Usage } from "@/lib/api/types";
import { useLanguage } from "@/lib/i18n/i18n";
import { formatByteLimit, formatBytes, formatDate, formatEta } from "@/lib/time";
import { messages } from "./messages";

export function UsageFacts({ usage }: { usage: Usage }) {
  const t = messages.use();
  const lang = useLanguage();
  const today = usage.uploads_today;
  const perVideo = [
    formatByteLimit(usage.max_size_bytes, lang),
    usage.max_duration_s !== null ? formatEta(usage.max_duration_s, lang) : null,
  ].filter(Boolean);
  const facts: [string, ReactNode][] = [
    [t.plan, t.tiers[usage.tier]],
    [t.videos, usage.video_count],
    [t.storage, formatBytes(usage.storage_bytes, lang)],
    [t.perVideo, perVideo.join(" · ") || t.noLimit],
    [t.searches, usage.searches_per_minute ?? t.noLimit],
  ];
  return (
    <div className="grid gap-5">
        <div className="grid gap-2">
          <p className="nums flex flex-wrap justify-between gap-x-4 text-sm">
            <span className="text-ink-soft">{t.uploadsToday}</span>
            <span className="font-medium">
              {today.limit === null ? t.unlimited(today.used) : t.ofLimit(today.used, today.limit)}
              {today.limit !== null && <span className="font-normal text-ink-faint"> · {t.resets(formatDate(today.resets_at, lang))}</span>}
            </span>
          </p>
          {today.limit !== null && (
            <ProgressBar percent={(today.used / Math.max(1, today.limit)) * 100} label={t.uploadsToday} tone={today.used >= today.limit ? "bad" : "accent"} />
          )}
        </div>
      <dl className="nums grid gap-x-8 gap-y-3 text-sm sm:grid-cols-2">
        {facts.map(([name, value]) => (
          <div key={name} className="flex justify-between gap-4 border-b border-line pb-2">
            <dt className="text-ink-soft">{name}</dt>
            <dd className="text-right font-medium">{value}</dd>
          </div>
        ))}
      </dl>
    </div>
  );
}
