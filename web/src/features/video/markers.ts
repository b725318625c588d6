import { FileCode, FileSpreadsheet, Film } from "lucide-react";
import { sentence } from "@/lib/api/errors";
import type { Scene, Video } from "@/lib/api/types";
import { saveAsFile } from "@/lib/download";
import { useServices } from "@/lib/services";
import { showToast } from "@/lib/toast";

export const MARKERS = [
  ["edl", Film],
  ["fcpxml", FileCode],
  ["csv", FileSpreadsheet],
] as const;
export type MarkerFormat = (typeof MARKERS)[number][0];

/** Saves scenes as marks for an editing program: those that are named, else all. */
export function useSaveMarkers(video: Video): (format: MarkerFormat, only?: readonly Scene[]) => Promise<void> {
  const { api } = useServices();
  return async (format, only) => {
    try {
      const scenes = only?.map((scene) => scene.scene_id).join(",");
      const response = await api.raw(`/videos/${video.video_id}/markers`, { query: { format, scenes }, headers: { accept: "*/*" } });
      await saveAsFile(response, `${video.title.replace(/[\\/:*?"<>|]+/g, " ").trim() || "scenes"}.${format}`);
    } catch (error) {
      showToast({ tone: "bad", text: sentence(error) });
    }
  };
}
