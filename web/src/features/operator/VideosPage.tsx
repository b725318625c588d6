import { useInfiniteQuery } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { Button, buttonClass } from "@/components/Button";
import { Field } from "@/components/Field";
import { StateBadge } from "@/components/StateBadge";
import type { AdminVideo, VideoState } from "@/lib/api/types";
import { common } from "@/lib/i18n/common";
import { useLanguage } from "@/lib/i18n/i18n";
import { useServices } from "@/lib/services";
import { formatBytes, formatDate, formatTimecode } from "@/lib/time";
import { ActionDialog, type Ask } from "./ActionDialog";
import { Filters } from "./Filters";
import { messages } from "./messages";
import { Facts, Paged, Panel } from "./parts";
import { videosQuery } from "./queries";
import { useFilter } from "./use-filter";

const STATES: readonly VideoState[] = ["uploading", "validating", "processing", "indexed", "failed", "deleted"];

/** Everybody's videos, by what they take and how they fare. */
export function VideosPage() {
  const t = messages.use();
  const words = common.use();
  const { api } = useServices();
  const navigate = useNavigate();
  const filter = useFilter();
  const query = useInfiniteQuery(videosQuery(api, filter));
  const [first, setFirst] = useState<AdminVideo | null>(null);
  const [priority, setPriority] = useState("0");
  const ask: Ask | null = first && {
    title: t.priorityTitle,
    text: t.priorityText,
    action: t.setPriority,
    run: async () => {
      await api.json(`/admin/videos/${first.video_id}/priority`, { method: "PUT", body: { priority: Number(priority) } });
      return t.prioritySet;
    },
  };
  return (
    <Panel title={t.tabs.videos}>
      <p className="text-[13px] text-ink-faint">{t.noTitles}</p>
      <Filters
        key={JSON.stringify(filter)}
        value={filter}
        onChange={(next) => void navigate({ to: "/operator/videos", search: next })}
        fields={[
          { name: "state", label: t.state, options: STATES.map((state) => [state, words.videoStates[state]]) },
          { name: "owner_id", label: t.owner },
          { name: "video_id", label: t.video },
        ]}
      />
      <Paged
        query={query}
        label={t.tabs.videos}
        keyOf={(video) => video.video_id}
        row={(video) => (
          <VideoRow
            video={video}
            onPriority={() => {
              setPriority(String(video.priority ?? 0));
              setFirst(video);
            }}
          />
        )}
      />
      <ActionDialog ask={ask} onClose={() => setFirst(null)}>
        <Field label={t.priority} type="number" min={0} max={9} step={1} required value={priority} onChange={(event) => setPriority(event.target.value)} />
      </ActionDialog>
    </Panel>
  );
}

function VideoRow({ video, onPriority }: { video: AdminVideo; onPriority: () => void }) {
  const t = messages.use();
  const lang = useLanguage();
  return (
    <>
      <div className="flex flex-wrap items-center gap-x-3 gap-y-1">
        <h3 className="min-w-0 font-mono text-[13px] font-medium [overflow-wrap:anywhere]">{video.video_id}</h3>
        <StateBadge state={video.state} />
        {video.failure_code !== null && <code className="text-xs text-bad">{video.failure_code}</code>}
        <div className="ml-auto flex flex-wrap gap-2">
          {video.priority !== null && (
            <Button size="sm" tone="quiet" onClick={onPriority}>
              {t.setPriority}
            </Button>
          )}
          <Link to="/operator/jobs" search={{ video_id: video.video_id }} className={buttonClass("plain", "sm")}>
            {t.jobsOf}
          </Link>
        </div>
      </div>
      {video.failure_message !== null && <p className="text-[13px] [overflow-wrap:anywhere] text-ink-soft">{video.failure_message}</p>}
      <Facts
        of={[
          [t.owner, video.owner_email ?? video.owner_id],
          [t.size, formatBytes(video.size_bytes, lang)],
          video.duration_ms === null ? null : [t.duration, formatTimecode(video.duration_ms)],
          [t.made, formatDate(video.created_at, lang)],
          video.priority === null || video.priority === 0 ? null : [t.priority, video.priority],
        ]}
      />
    </>
  );
}
