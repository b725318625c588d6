/** The shapes of the HTTP API. Times are RFC 3339 UTC, positions and durations integer milliseconds. */

export const ROLES = ["creator", "journalist", "researcher", "archivist"] as const;
export type Role = (typeof ROLES)[number];

export type VideoState = "uploading" | "validating" | "processing" | "indexed" | "failed" | "deleted";

export const STAGES = [
  "upload_validate",
  "audio_extract",
  "asr_fast",
  "scene_detect",
  "align_merge",
  "embed_text",
  "vision_sample_frames",
  "vision_embed_frames",
  "vision_affect_tags",
  "faces_enroll_match",
  "sidecar_build",
  "commit",
] as const;
export type Stage = (typeof STAGES)[number];
export type JobState = "pending" | "running" | "completed" | "failed" | "cancelled";

export interface Config {
  auth_url: string;
  publishable_key: string;
  embedded_auth: boolean;
  limits: { max_part_size_bytes: number; min_part_size_bytes: number; max_upload_bytes: number; max_duration_s: number | null };
  features: { faces: boolean };
  roles: Role[];
}

export interface Me {
  user_id: string;
  supabase_user_id: string | null;
  email: string | null;
  email_verified: boolean;
  display_name: string | null;
  avatar_url: string | null;
  tier: "free" | "pro" | "enterprise";
  role: Role;
  role_chosen: boolean;
  role_profiles: string[];
  created_at: string;
  last_login_at: string | null;
}

/** What to call a person: people invited by address have no name yet. */
export const nameOf = (me: Pick<Me, "display_name" | "email">) => me.display_name?.trim() || me.email || "";

export interface Usage {
  tier: Me["tier"];
  uploads_today: { used: number; limit: number | null; resets_at: string };
  storage_bytes: number;
  video_count: number;
  max_duration_s: number | null;
  max_size_bytes: number;
  searches_per_minute: number | null;
}

export interface Coded {
  code: string;
  message: string;
}

export interface Progress {
  percent: number;
  stages_total: number;
  stages_done: number;
  active_stages: Stage[];
}

export interface Video {
  video_id: string;
  title: string;
  description: string;
  tags: string[];
  state: VideoState;
  original_filename: string;
  mime_type: string;
  size_bytes: number;
  duration_ms: number | null;
  width: number | null;
  height: number | null;
  poster_url: string | null;
  run_id: string | null;
  created_at: string;
  updated_at: string;
  indexed_at: string | null;
  failure: Coded | null;
  warnings: Coded[];
  progress: Progress | null;
  metadata?: {
    container: string | null;
    video_codec: string | null;
    audio_codec: string | null;
    fps: number | null;
    rotation: number | null;
    audio_tracks: number | null;
    bit_rate: number | null;
    created_at: string | null;
  } | null;
}

export interface Page<T> {
  items: T[];
  next_cursor: string | null;
}

export interface Job {
  job_id: string;
  run_id: string;
  stage: Stage;
  state: JobState;
  progress: number;
  attempts: number;
  max_attempts: number;
  note: string | null;
  error: Coded | null;
  created_at: string;
  started_at: string | null;
  finished_at: string | null;
}

export interface Jobs {
  run_id: string | null;
  items: Job[];
}

export interface Scene {
  scene_id: string;
  video_id: string;
  run_id: string;
  ordinal: number;
  start_ms: number;
  end_ms: number;
  text: string;
  language: string | null;
  thumbnail_url: string | null;
  thumbnail_large_url: string | null;
  keyframe_ms: number | null;
  motion: number | null;
  tags: string[];
}

export interface Word {
  start_ms: number;
  end_ms: number;
  text: string;
  probability: number;
}

export interface Segment {
  segment_no: number;
  start_ms: number;
  end_ms: number;
  text: string;
  words: Word[];
}

export interface Transcript {
  run_id: string | null;
  language: string | null;
  model: string | null;
  segments: Segment[];
}

export interface Playback {
  url: string;
  mime_type: string;
  expires_at: string;
  duration_ms: number | null;
  kind: "source" | "proxy";
  sprite: { url: string; vtt_url: string } | null;
  captions_url: string | null;
  sidecar_url: string | null;
}

export interface Hit {
  scene_id: string;
  video_id: string;
  video_title: string;
  run_id: string;
  start_ms: number;
  end_ms: number;
  at_ms: number;
  score: number;
  text: string;
  highlights: { start: number; end: number }[];
  thumbnail_url: string | null;
  matches: { channel: string; rank: number; score: number; detail: string }[];
}

export interface SearchPage {
  query: string;
  items: Hit[];
  next_cursor: string | null;
  took_ms: number;
  channels: { channel: string; status: "ok" | "skipped" | "timeout" | "error"; candidates: number; took_ms: number }[];
}

export interface Suggestions {
  items: { text: string; kind: string }[];
}

export interface UploadPlan {
  video_id: string;
  upload: { part_size_bytes: number; part_count: number; expires_at: string };
}

export interface PartUrl {
  part_number: number;
  url: string;
  size_bytes: number;
  expires_at: string;
}

export interface StoredParts {
  part_size_bytes: number;
  part_count: number;
  size_bytes: number;
  filename: string;
  parts: { part_number: number; etag: string; size_bytes: number }[];
}

export interface ProblemDocument {
  type?: string;
  title?: string;
  status?: number;
  code?: string;
  detail?: string;
  request_id?: string;
  errors?: { field: string; code: string; detail: string }[];
  missing?: number[];
  part_number?: number;
}
