import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { usageQuery } from "@/lib/api/queries";
import { useLanguage } from "@/lib/i18n/i18n";
import { useServices } from "@/lib/services";
import { formatBytes } from "@/lib/time";
import { messages } from "./messages";

/** How much is there and what may still come, in one quiet line. */
export function UsageLine() {
  const t = messages.use();
  const lang = useLanguage();
  const { api } = useServices();
  const usage = useQuery(usageQuery(api)).data;
  if (!usage || usage.video_count === 0) return null;
  const today = usage.uploads_today;
  const left = today.limit === null ? null : Math.max(0, today.limit - today.used);
  return (
    <Link to="/profile" className="nums text-[13px] text-ink-faint hover:text-ink">
      {[t.videos(usage.video_count), formatBytes(usage.storage_bytes, lang), left === null ? null : t.leftToday(left)].filter(Boolean).join(" · ")}
    </Link>
  );
}
