import type { QueryClient } from "@tanstack/react-query";
import type { ApiClient } from "./api/client";
import { keys, lookingQuery } from "./api/queries";
import type { Job, Jobs, JobState, Playback, PlaybackPreparing, Progress, Stage, Video, VideoState } from "./api/types";
import { STAGES } from "./api/types";
import { subscribe } from "./sse";
import { patchLists, refreshLists, removeFromLists } from "./video-lists";

/** Stages after which scenes have more to show. */
const SCENES_CHANGE: ReadonlySet<Stage> = new Set(["vision_sample_frames", "faces_enroll_match", "vision_affect_tags"]);

/** Live changes of the owner's videos, written into the query cache: pages read the cache and know nothing of streams. */

export interface JobEvent {
  video_id: string;
  run_id: string;
  job_id: string;
  stage: Stage;
  state: JobState;
  progress: number;
  note: string | null;
  error_code: string | null;
}

export interface VideoEvent {
  video_id: string;
  state: VideoState;
  run_id: string | null;
  failure_code: string | null;
}

/** Work on a video that is no stage; `make_proxy` is the version for browsers that cannot play the source. */
export interface TaskEvent {
  video_id: string;
  kind: string;
  state: JobState;
  progress: number;
  error_code: string | null;
}

interface Snapshot {
  videos: { video_id: string; state: VideoState; progress: Progress | null }[];
}

export const isSettled = (state: VideoState) => state === "indexed" || state === "failed" || state === "deleted";

const stateRank: Record<JobState, number> = { pending: 0, running: 1, completed: 2, failed: 2, cancelled: 2 };

/** The jobs after one event, or null when the event belongs to a run that is not the one shown. */
export function applyJobEvent(jobs: Jobs, event: JobEvent): Jobs | null {
  if (jobs.run_id !== event.run_id) return null;
  return {
    ...jobs,
    items: jobs.items.map((job): Job => {
      if (job.stage !== event.stage) return job;
      return {
        ...job,
        state: event.state,
        progress: event.state === "completed" ? 100 : event.progress,
        note: event.note ?? job.note,
        error: event.error_code ? { code: event.error_code, message: job.error?.message ?? "" } : job.error,
      };
    }),
  };
}

/** The sum a card shows, computed from the twelve jobs. */
export function progressOf(jobs: Pick<Job, "stage" | "state" | "progress">[]): Progress {
  const done = jobs.filter((job) => stateRank[job.state] === 2).length;
  const points = jobs.reduce((sum, job) => sum + (stateRank[job.state] === 2 ? 100 : job.state === "running" ? job.progress : 0), 0);
  const total = Math.max(jobs.length, STAGES.length);
  return {
    percent: Math.floor(points / total),
    stages_total: total,
    stages_done: done,
    active_stages: jobs.filter((job) => job.state === "running").map((job) => job.stage),
  };
}

function patchVideo(client: QueryClient, id: string, patch: (video: Video) => Video) {
  client.setQueryData<Video>(keys.video(id), (video) => video && patch(video));
  patchLists(client, id, patch);
}

const refetch = (client: QueryClient, ...queryKeys: readonly (readonly unknown[])[]) => {
  for (const queryKey of queryKeys) void client.invalidateQueries({ queryKey });
};

function onJob(api: ApiClient, client: QueryClient, event: JobEvent) {
  const jobs = client.getQueryData<Jobs>(keys.jobs(event.video_id));
  if (jobs) {
    const next = applyJobEvent(jobs, event);
    if (!next) refetch(client, keys.jobs(event.video_id));
    else {
      client.setQueryData(keys.jobs(event.video_id), next);
      const progress = progressOf(next.items);
      patchVideo(client, event.video_id, (video) => (isSettled(video.state) ? video : { ...video, progress }));
    }
  }
  // An answer that was on its way when this happened may be older than it, and must not overwrite it: ask again.
  const queryKey = keys.jobs(event.video_id);
  if (client.isFetching({ queryKey }) > 0) void client.cancelQueries({ queryKey }).then(() => refetch(client, queryKey));
  else if (event.state === "failed") refetch(client, queryKey);
  if (event.state !== "completed") return;
  // What a finished stage has made visible.
  if (event.stage === "upload_validate") {
    refetch(client, keys.video(event.video_id));
    refreshLists(api, client);
  }
  if (event.stage === "align_merge") refetch(client, keys.scenes(event.video_id), keys.transcript(event.video_id), keys.video(event.video_id));
  if (SCENES_CHANGE.has(event.stage)) refetch(client, keys.scenes(event.video_id));
  if (event.stage === "faces_enroll_match") refetch(client, keys.people, keys.everyPerson);
}

function onVideo(api: ApiClient, client: QueryClient, event: VideoEvent) {
  if (event.state === "deleted") removeFromLists(client, new Set([event.video_id]));
  patchVideo(client, event.video_id, (video) => ({ ...video, state: event.state }));
  refreshLists(api, client);
  refetch(client, keys.video(event.video_id), keys.jobs(event.video_id));
  if (isSettled(event.state)) {
    refetch(client, keys.scenes(event.video_id), keys.transcript(event.video_id), keys.playback(event.video_id), keys.usage, keys.people, keys.everyPerson);
  }
}

export function onTask(client: QueryClient, event: TaskEvent) {
  if (event.kind !== "make_proxy") return;
  const { video_id, state, progress } = event;
  if (state !== "pending" && state !== "running") return refetch(client, keys.playback(video_id));
  client.setQueryData<Playback | PlaybackPreparing>(keys.playback(video_id), (answer) => (answer && !("url" in answer) ? { state, progress } : answer));
}

/** A photo was checked. */
export interface PhotoEvent {
  person_id: string;
  photo_id: string;
}

/** How far the search for a person in the library is; without a person: whose the faces of one video are. */
export interface MatchingEvent {
  person_id: string | null;
  state: JobState;
  /** Percent. */
  progress: number;
}

export function onPerson(client: QueryClient, event: PhotoEvent | MatchingEvent) {
  if ("photo_id" in event) return refetch(client, keys.person(event.person_id), keys.people);
  const over = stateRank[event.state] === 2;
  if (event.person_id !== null) client.setQueryData(lookingQuery(event.person_id).queryKey, over ? null : event.progress);
  if (!over) return;
  // Scenes come as they are found; what was found is read when it is over.
  refetch(client, keys.people, keys.everyPerson, keys.everyScene);
  // A search counts: one that is looked at stays as it is.
  void client.invalidateQueries({ queryKey: keys.search, refetchType: "none" });
}

function onSnapshot(api: ApiClient, client: QueryClient, snapshot: Snapshot, first: boolean) {
  for (const { video_id, state, progress } of snapshot.videos) {
    patchVideo(client, video_id, (video) => ({ ...video, state, progress: progress ?? video.progress }));
  }
  if (first) return;
  // After a gap anything may have happened between the two streams; what goes on says so again.
  client.setQueriesData({ queryKey: keys.looking }, null);
  refreshLists(api, client);
  refetch(client, keys.people, keys.everyPerson, ["video"], ["jobs"], keys.everyScene, ["transcript"]);
}

export function connectLive(api: ApiClient, client: QueryClient, onStatus?: (connected: boolean) => void): () => void {
  let first = true;
  return subscribe({
    open: (signal) => api.raw("/events", { signal, headers: { accept: "text/event-stream" } }),
    ...(onStatus ? { onStatus } : {}),
    onEvent: ({ event, data }) => {
      const body: unknown = JSON.parse(data);
      if (event === "snapshot") {
        onSnapshot(api, client, body as Snapshot, first);
        first = false;
      } else if (event === "job") onJob(api, client, body as JobEvent);
      else if (event === "video") onVideo(api, client, body as VideoEvent);
      else if (event === "photo") onPerson(client, body as PhotoEvent);
      else if (event === "matching") onPerson(client, body as MatchingEvent);
      else if (event === "task") onTask(client, body as TaskEvent);
    },
  });
}
