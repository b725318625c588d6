import { FileCode, FileSpreadsheet, Film } from "lucide-react";
import type { ApiClient } from "./api/client";
import { saveAsFile } from "./download";

/** Formats of scenes as marks for an editing program, each with its picture. */
export const MARKERS = [
  ["edl", Film],
  ["fcpxml", FileCode],
  ["csv", FileSpreadsheet],
] as const;
export type MarkerFormat = (typeof MARKERS)[number][0];

/** As the server allows in one file. */
export const MOST_MARKED = 150;

/** Saves a video's scenes as marks: those that are named, else all. */
export async function saveMarkers(api: ApiClient, video: { video_id: string; title: string }, format: MarkerFormat, scene_ids?: readonly string[]) {
  const response = await api.raw(`/videos/${video.video_id}/markers`, { query: { format, scenes: scene_ids?.join(",") }, headers: { accept: "*/*" } });
  await saveAsFile(response, `${video.title.replace(/[\\/:*?"<>|]+/g, " ").trim() || "scenes"}.${format}`);
}
