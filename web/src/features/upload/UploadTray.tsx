import { Link } from "@tanstack/react-router";
import { CloudUpload } from "lucide-react";
import { ProgressBar } from "@/components/Progress";
import { messages } from "./messages";
import { useUploads } from "./uploads-context";

/** A small reminder on every other page that bytes are moving. */
export function UploadTray() {
  const t = messages.use();
  const { items } = useUploads();
  const moving = items.filter((item) => item.status !== "done" && item.status !== "duplicate");
  if (moving.length === 0) return null;
  const total = moving.reduce((sum, item) => sum + item.size_bytes, 0);
  const sent = moving.reduce((sum, item) => sum + item.sent_bytes, 0);
  const stuck = moving.some((item) => item.status === "failed");
  return (
    <Link
      to="/upload"
      aria-label={t.showAll}
      className="fixed right-4 bottom-20 z-30 grid w-56 animate-rise gap-2 rounded-2xl border border-line bg-raised p-3 shadow-float sm:bottom-6"
    >
      <span className="flex items-center gap-2 text-sm font-medium">
        <CloudUpload className="size-4 text-accent" aria-hidden="true" />
        {t.tray(moving.length)}
        <span className="nums ml-auto text-[13px] text-ink-faint">{total > 0 ? Math.floor((sent / total) * 100) : 0} %</span>
      </span>
      <ProgressBar percent={total > 0 ? (sent / total) * 100 : 0} label={t.tray(moving.length)} tone={stuck ? "bad" : "accent"} />
    </Link>
  );
}
