import type { VideoState } from "@/lib/api/types";
import { common } from "@/lib/i18n/common";
import { cx } from "./cx";

const tones: Record<VideoState, string> = {
  uploading: "bg-sunken text-ink-soft",
  validating: "bg-accent-wash text-accent",
  processing: "bg-accent-wash text-accent",
  indexed: "bg-good-wash text-good",
  failed: "bg-bad-wash text-bad",
  deleted: "bg-sunken text-ink-soft",
};

export function StateBadge({ state, className }: { state: VideoState; className?: string }) {
  const t = common.use();
  return (
    <span className={cx("inline-flex h-6 items-center rounded-full px-2.5 text-xs font-medium", tones[state], className)} data-state={state}>
      {t.videoStates[state]}
    </span>
  );
}
