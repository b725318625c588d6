import { ProgressBar } from "@/components/Progress";
import type { PlaybackPreparing } from "@/lib/api/types";
import { messages } from "./messages";

/** Stands where the player will be while a version is made that browsers can play. */
export function PreparingPlayer({ preparing, poster }: { preparing: PlaybackPreparing; poster: string | null }) {
  const t = messages.use();
  return (
    <div
      role="status"
      data-testid="preparing"
      className="relative grid aspect-video max-h-[70dvh] place-items-center overflow-hidden rounded-2xl bg-[#0b1114] p-6 text-center text-white"
    >
      {poster && <img src={poster} alt="" className="absolute inset-0 size-full object-contain opacity-25" />}
      <div className="relative grid w-full max-w-sm gap-3">
        <p className="text-[15px] font-semibold">{preparing.state === "pending" ? t.convertingSoon : t.converting}</p>
        <p className="text-sm text-white/80">{t.convertingMore}</p>
        <ProgressBar percent={preparing.progress} label={t.converting} />
      </div>
    </div>
  );
}
