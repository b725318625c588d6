import { QueryClient, QueryObserver } from "@tanstack/react-query";
import { describe, expect, it, vi } from "vitest";
import type { ApiClient } from "./api/client";
import { keys, lookingQuery } from "./api/queries";
import { STAGES, type Job, type Jobs } from "./api/types";
import { applyJobEvent, connectLive, onPerson, onTask, progressOf, type JobEvent, type TaskEvent } from "./live";

const fresh = (): Jobs => ({
  run_id: "run-1",
  items: STAGES.map((stage): Job => ({ job_id: stage, run_id: "run-1", stage, state: "pending", progress: 0, attempts: 0, max_attempts: 3, note: null, error: null, created_at: "", started_at: null, finished_at: null })),
});
const event = (more: Partial<JobEvent>): JobEvent => ({ video_id: "v", run_id: "run-1", job_id: "j", stage: "asr_fast", state: "running", progress: 40, note: null, error_code: null, ...more });

describe("live job events", () => {
  it("move one stage and leave the others", () => {
    const next = applyJobEvent(fresh(), event({}));
    expect(next?.items.filter((job) => job.state !== "pending").map((job) => [job.stage, job.progress])).toEqual([["asr_fast", 40]]);
  });

  it("of another run are not mixed in", () => {
    expect(applyJobEvent(fresh(), event({ run_id: "run-2" }))).toBeNull();
  });

  it("add up to what a card shows, and to 100 only when all is done", () => {
    let jobs = fresh();
    expect(progressOf(jobs.items)).toEqual({ percent: 0, stages_total: 12, stages_done: 0, active_stages: [] });
    for (const stage of STAGES.slice(0, 11)) jobs = applyJobEvent(jobs, event({ stage, state: "completed" })) ?? jobs;
    expect(progressOf(jobs.items)).toMatchObject({ percent: 91, stages_done: 11 });
    jobs = applyJobEvent(jobs, event({ stage: "commit", state: "running", progress: 50 })) ?? jobs;
    expect(progressOf(jobs.items)).toMatchObject({ percent: 95, active_stages: ["commit"] });
    jobs = applyJobEvent(jobs, event({ stage: "commit", state: "completed", note: "empty" })) ?? jobs;
    expect(progressOf(jobs.items)).toMatchObject({ percent: 100, stages_done: 12 });
    expect(jobs.items.at(-1)?.note).toBe("empty");
  });
});

describe("a live event", () => {
  it("is not overwritten by an older answer that was on its way", async () => {
    const client = new QueryClient();
    // Every question waits until it is answered here.
    const answers: ((jobs: Jobs) => void)[] = [];
    const observer = new QueryObserver(client, { queryKey: keys.jobs("v"), queryFn: () => new Promise<Jobs>((answer) => answers.push(answer)) });
    const leave = observer.subscribe(() => undefined);
    const seen: (string | undefined)[] = [];
    const watch = client.getQueryCache().subscribe(() => {
      const now = client.getQueryData<Jobs>(keys.jobs("v"))?.items.find((job) => job.stage === "asr_fast")?.state;
      if (now !== seen.at(-1)) seen.push(now);
    });
    let stream: ReadableStreamDefaultController<Uint8Array> | undefined;
    const body = new ReadableStream<Uint8Array>({ start: (controller) => void (stream = controller) });
    const disconnect = connectLive({ raw: () => Promise.resolve(new Response(body)) } as unknown as ApiClient, client);

    answers[0]?.(fresh());
    await vi.waitFor(() => expect(seen).toEqual(["pending"]));
    void client.invalidateQueries({ queryKey: keys.jobs("v") });
    await vi.waitFor(() => expect(answers).toHaveLength(2));
    stream?.enqueue(new TextEncoder().encode(`event: job\ndata: ${JSON.stringify(event({ state: "completed" }))}\n\n`));
    await vi.waitFor(() => expect(answers).toHaveLength(3));
    // The answer to the second question was written before the stage was done.
    answers[1]?.(fresh());
    answers[2]?.(applyJobEvent(fresh(), event({ state: "completed" })) ?? fresh());
    await vi.waitFor(() => expect(client.isFetching()).toBe(0));
    expect(seen).toEqual(["pending", "completed"]);
    disconnect();
    watch();
    leave();
  });
});

describe("the making of a version for browsers", () => {
  const task = (more: Partial<TaskEvent>): TaskEvent => ({ video_id: "v", kind: "make_proxy", state: "running", progress: 30, error_code: null, ...more });

  it("is followed while it goes on, and asked for when it has ended", () => {
    const client = new QueryClient();
    client.setQueryData(keys.playback("v"), { state: "pending", progress: 0 });
    onTask(client, task({}));
    expect(client.getQueryData(keys.playback("v"))).toEqual({ state: "running", progress: 30 });
    onTask(client, task({ kind: "purge_video", progress: 90 }));
    expect(client.getQueryData(keys.playback("v"))).toEqual({ state: "running", progress: 30 });
    expect(client.getQueryState(keys.playback("v"))?.isInvalidated).toBe(false);
    onTask(client, task({ state: "completed", progress: 100 }));
    expect(client.getQueryState(keys.playback("v"))?.isInvalidated).toBe(true);
  });

  it("never takes a playing video from the player", () => {
    const client = new QueryClient();
    const playing = { url: "https://s3/v", expires_at: "2026-01-01T00:10:00Z" };
    client.setQueryData(keys.playback("v"), playing);
    onTask(client, task({ progress: 60 }));
    expect(client.getQueryData(keys.playback("v"))).toEqual(playing);
  });
});

describe("an event about a person", () => {
  const asked = (client: QueryClient, key: readonly unknown[]) => client.getQueryState(key)?.isInvalidated;

  it("has the person read again when a photo was checked, and nobody else", () => {
    const client = new QueryClient();
    for (const id of ["ann", "ben"]) client.setQueryData(keys.person(id), {});
    onPerson(client, { person_id: "ann", photo_id: "p" });
    expect([asked(client, keys.person("ann")), asked(client, keys.person("ben"))]).toEqual([true, false]);
  });

  it("has scenes read again only when the library has been looked through", () => {
    const client = new QueryClient();
    client.setQueryData(keys.scenes("v"), []);
    onPerson(client, { person_id: "ann", state: "running", progress: 10 });
    expect(asked(client, keys.scenes("v"))).toBe(false);
    onPerson(client, { person_id: "ann", state: "completed", progress: 100 });
    expect(asked(client, keys.scenes("v"))).toBe(true);
  });

  it("says how far the search for somebody is, until it is over", () => {
    const client = new QueryClient();
    const looking = () => client.getQueryData(lookingQuery("ann").queryKey);
    onPerson(client, { person_id: "ann", state: "running", progress: 40 });
    expect(looking()).toBe(40);
    // Of one video's faces, which are nobody's in particular.
    onPerson(client, { person_id: null, state: "running", progress: 70 });
    expect(looking()).toBe(40);
    onPerson(client, { person_id: "ann", state: "failed", progress: 60 });
    expect(looking()).toBeNull();
  });
});
