/** The shapes of the HTTP API, by the names the pages use. They come from the server's own document (`npm run types`); what
 *  it can only call a string is narrowed here. Times are RFC 3339 UTC, positions and durations integer milliseconds. */
import type { components } from "./openapi";

type Schemas = components["schemas"];

/** The server writes every field, null where there is nothing; the document can only call such a field optional. */
type Sent<T> = T extends readonly (infer Item)[]
  ? Sent<Item>[]
  : T extends object
    ? { [K in keyof T]-?: Sent<Exclude<T[K], undefined>> }
    : T;
type Schema<Name extends keyof Schemas> = Sent<Schemas[Name]>;

/** The same with some fields known more closely. A field that the document lacks or calls otherwise does not compile. */
type Narrow<T, N extends { [K in keyof N]: K extends keyof T ? T[K] : never }> = Omit<T, keyof N> & N;

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
export type Tier = "free" | "pro" | "enterprise";

export type Config = Narrow<Schema<"PublicConfig">, { roles: Role[] }>;

export type Me = Narrow<Schema<"Me">, { tier: Tier; role: Role }>;
/** What to call a person: people invited by address have no name yet. */
export const nameOf = (me: Pick<Me, "display_name" | "email">) => me.display_name?.trim() || me.email || "";
export type Usage = Narrow<Schema<"Usage">, { tier: Tier }>;

export type Progress = Narrow<Schema<"Progress">, { active_stages: Stage[] }>;
export type Video = Narrow<Schema<"Video">, { state: VideoState; progress: Progress | null }>;
export type Job = Narrow<Schema<"Job">, { stage: Stage; state: JobState }>;
export type Jobs = Narrow<Schema<"Jobs">, { items: Job[] }>;
export interface Page<T> {
  items: T[];
  next_cursor: string | null;
}

export const VIDEO_SORTS = ["newest", "oldest", "title", "duration", "indexed"] as const;
export type VideoSort = (typeof VIDEO_SORTS)[number];
export type BulkAction = Schema<"BulkAction">;
export type BulkResults = Schema<"BulkResults">;
export type OwnTag = Schema<"OwnTag">;
export type Sprite = Schema<"Sprite">;

export type Scene = Schema<"Scene">;
export type Scenes = Schema<"Scenes">;
export type Word = Schema<"Word">;
export type Segment = Schema<"Segment">;
export type Transcript = Schema<"Transcript">;
/** A part of a video as a file, and how far it is. */
type Making = { state: "preparing" | "ready" | "failed" };
export type Clip = Narrow<Schema<"Clip">, Making>;
export type Share = Schema<"Share">;
/** With its link's only chance to be read. */
export type NewShare = Schema<"NewShareAnswer">;
export type SharedMoment = Narrow<Schema<"SharedMoment">, Making>;
export type Playback = Schema<"Playback">;
/** The answer instead, while a version is made that browsers can play. */
export type PlaybackPreparing = Narrow<Schema<"PlaybackPreparing">, { state: "pending" | "running" }>;

export type Hit = Schema<"Hit">;
export type Match = Schema<"Match">;
export type SearchPage = Schema<"SearchAnswer">;
export type Suggestions = Schema<"Suggestions">;
export type SavedSearch = Schema<"SavedSearch">;
export type PastSearch = Schema<"PastSearch">;

/** `unknown` is a face without a name, `enrolling` has fewer photos than are wanted. */
type Enrolment = { state: "unknown" | "enrolling" | "enrolled" };
export type Person = Narrow<Schema<"Person">, Enrolment>;
export type Photo = Narrow<Schema<"Photo">, { state: "checking" | "accepted" | "rejected" }>;
export type PersonWithPhotos = Person & { photos: Photo[] };
export type PersonScene = Schema<"PersonScene">;

export type UploadPlan = Schema<"Announced">;
export type PartUrl = Schema<"PartUrl">;
export type StoredParts = Schema<"StoredParts">;

/** RFC 9457, with what single codes carry besides: the parts an upload lacks, or the one that differs; the columns of a query; the video that there is already. */
export type ProblemDocument = Partial<Schema<"Problem">> & { missing?: number[]; part_number?: number; column?: number; column_end?: number; video_id?: string };

export const SCOPES = ["read", "search", "upload"] as const;
export type Scope = (typeof SCOPES)[number];
export type ApiToken = Narrow<Schema<"TokenItem">, { scopes: Scope[] }>;
/** With its only chance to be read. */
export type NewApiToken = Schema<"NewTokenAnswer">;
export type OutboxMail = Schema<"OutboxMail">;

/** What the operator's console reads: over all owners, without what videos hold. */
export type StageQueue = Narrow<Schema<"StageQueueItem">, { stage: Stage; needs: Stage[] }>;
export type TaskQueue = Schema<"TaskQueueItem">;
export type Queues = Narrow<Schema<"Queues">, { stages: StageQueue[] }>;
export type Worker = Narrow<Schema<"WorkerItem">, { stages: Stage[] }>;
export type AdminJob = Narrow<Schema<"AdminJob">, { stage: Stage; state: JobState }>;
export type AttemptState = "running" | "completed" | "failed" | "lost" | "outage" | "released" | "cancelled";
export type AdminAttempt = Narrow<Schema<"AdminAttempt">, { state: AttemptState }>;
export type AdminJobStory = Narrow<Schema<"AdminJobStory">, { job: AdminJob; attempts: AdminAttempt[]; run: AdminJob[] }>;
export type FailureGroup = Schema<"FailureItem">;
export type AdminVideo = Narrow<Schema<"AdminVideo">, { state: VideoState; run_state: JobState | null }>;
export type Account = Narrow<Schema<"AccountItem">, { tier: Tier; role: Role }>;
export type AuditLine = Schema<"AuditLine">;
export type Storage = Schema<"Storage">;
/** Whether somebody may look after the installation; the server decides anew with every request. */
export const mayOperate = (me: Pick<Me, "role_profiles">) => me.role_profiles.includes("operator") || me.role_profiles.includes("admin");
