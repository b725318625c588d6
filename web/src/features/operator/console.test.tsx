import { cleanup, screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, describe, expect, it } from "vitest";
import { ApiError } from "@/lib/api/errors";
import { STAGES, type AdminJob, type AdminJobStory, type FailureGroup, type JobState, type Queues, type Stage } from "@/lib/api/types";
import { renderAt, type Answers } from "@/lib/testing";
import { JobPage } from "./JobPage";
import { OverviewPage } from "./OverviewPage";

const at = "2026-05-03T10:00:00Z";

const queues = (of: Partial<Record<Stage, Partial<Queues["stages"][number]>>> = {}): Queues => ({
  at,
  tasks: [],
  stages: STAGES.map((stage, place) => ({
    stage,
    needs: place === 0 ? [] : [STAGES[place - 1] as Stage],
    paused: false,
    changed_at: at,
    changed_by: null,
    blocked: 0,
    waiting: 0,
    scheduled: 0,
    running: 0,
    completed: 0,
    failed: 0,
    cancelled: 0,
    done_1m: 0,
    done_5m: 0,
    done_60m: 0,
    oldest_waiting_at: null,
    ...of[stage],
  })),
});

const failure: FailureGroup = {
  code: "worker_lost",
  count: 3,
  tasks: 0,
  places: ["scene_detect"],
  first_at: at,
  last_at: at,
  message: "Indexing this video stopped the worker each time it was tried.",
  chain: "attempt 3 of scene_detect on worker-1 ended without a word",
  job_id: "j1",
  video_id: "v1",
};

const job = (stage: Stage, state: JobState, more: Partial<AdminJob> = {}): AdminJob => ({
  job_id: `job-${stage}`,
  run_id: "r1",
  video_id: "v1",
  owner_id: "u1",
  owner_email: "ann@example.org",
  stage,
  state,
  ready: true,
  progress: 0,
  attempts: 3,
  max_attempts: 3,
  priority: 0,
  note: null,
  error_code: null,
  error_message: null,
  error_chain: null,
  worker: "worker-1",
  run_at: at,
  created_at: at,
  started_at: at,
  finished_at: at,
  ...more,
});

const failedJob = job("scene_detect", "failed", { error_code: "panic", error_message: "Something went wrong.", error_chain: "index out of bounds" });
const story = (states: JobState): AdminJobStory => ({
  job: failedJob,
  attempts: [
    { attempt_id: "a1", number: 1, worker: "worker-1", state: "failed", started_at: at, finished_at: at, error_code: "panic", error_message: null, error_chain: "index out of bounds", stats: {} },
  ],
  run: STAGES.map((stage) => job(stage, states)),
});

const answers = (more: Answers = {}): Answers => ({
  "GET /admin/queues": () => queues(),
  "GET /admin/workers": () => ({ items: [] }),
  "GET /admin/failures": () => ({ items: [] }),
  ...more,
});

/** The question that is open; closed ones stay in the document. */
const question = () => {
  const open = document.querySelector<HTMLDialogElement>("dialog[open]");
  if (!open) throw new Error("nothing is asked");
  return open;
};
const answered = () => waitFor(() => expect(document.querySelector("dialog[open]")).toBeNull());

afterEach(cleanup);

describe("the overview", () => {
  it("names every stage with what waits, runs and fails, and says when nobody works", async () => {
    await renderAt("/operator", () => <OverviewPage />, answers({ "GET /admin/queues": () => queues({ asr_fast: { waiting: 14, running: 2, failed: 1, done_60m: 90 } }) }));
    const graph = await screen.findByRole("list", { name: "Stages" });
    expect(within(graph).getAllByRole("listitem")).toHaveLength(12);
    const asr = within(graph).getByRole("heading", { name: "Write down speech" }).closest("li") as HTMLElement;
    for (const text of ["14 waiting", "2 running", "1 failed", "90"]) within(asr).getByText(text);
    await screen.findByText(/No worker is there/);
    await screen.findByText("Nothing has failed");
  });

  it("pauses a stage only after asking, and says when it cannot", async () => {
    let works = false;
    const { asked } = await renderAt(
      "/operator",
      () => <OverviewPage />,
      answers({
        "POST /admin/stages/asr_fast/pause": () => {
          if (!works) throw new ApiError(503, { detail: "The database is away." });
          return { stage: "asr_fast", paused: true, changed: true };
        },
      }),
    );
    await userEvent.click(await screen.findByRole("button", { name: "Pause “Write down speech”" }));
    expect(asked.some(({ request }) => request.startsWith("POST"))).toBe(false);
    const dialog = question();
    await userEvent.click(within(dialog).getByRole("button", { name: "Pause" }));
    expect((await within(dialog).findByRole("alert")).textContent).toBe("The database is away.");
    works = true;
    await userEvent.click(within(dialog).getByRole("button", { name: "Pause" }));
    await answered();
  });

  it("shows a failure with its reason and chain, and retries all of its kind", async () => {
    let left = [failure];
    const { asked } = await renderAt(
      "/operator",
      () => <OverviewPage />,
      answers({
        "GET /admin/failures": () => ({ items: left }),
        "POST /admin/failures/worker_lost/retry": () => {
          left = [];
          return { retried: 3, skipped: 0, more: false };
        },
      }),
    );
    await screen.findByText("Indexing this video stopped the worker each time it was tried.");
    screen.getByText("attempt 3 of scene_detect on worker-1 ended without a word");
    expect(screen.getByRole("link", { name: "Timeline of the newest" }).getAttribute("href")).toMatch(/\/operator\/jobs\/j1$/);
    await userEvent.click(screen.getByRole("button", { name: "Retry all" }));
    await userEvent.click(within(question()).getByRole("button", { name: "Retry all" }));
    await screen.findByText("Nothing has failed");
    expect(asked.filter(({ request }) => request.startsWith("POST"))).toHaveLength(1);
  });
});

describe("a job's timeline", () => {
  it("tells what was tried and goes on from the failure, or from the stage", async () => {
    const { asked } = await renderAt("/operator/jobs/job-scene_detect", () => <JobPage />, {
      "GET /admin/jobs/job-scene_detect": () => story("cancelled"),
      "POST /admin/jobs/job-scene_detect/retry": () => ({ retried: true, run_id: "r1", stages: [] }),
    });
    await screen.findByRole("heading", { name: "Find the cuts" });
    expect(screen.getAllByText("index out of bounds").length).toBeGreaterThan(0);
    within(screen.getByRole("list", { name: "Attempts" })).getByText("Attempt 1");
    expect(screen.queryByRole("button", { name: "Cancel run" })).toBeNull();
    for (const [name, from_here] of [["Retry", false], ["Retry from here", true]] as const) {
      await userEvent.click(screen.getByRole("button", { name }));
      await userEvent.click(within(question()).getByRole("button", { name }));
      await answered();
      expect(asked.filter(({ request }) => request.startsWith("POST")).at(-1)?.body).toEqual({ from_here });
    }
  });

  it("of a run under way can only be cancelled", async () => {
    const { asked } = await renderAt("/operator/jobs/job-scene_detect", () => <JobPage />, {
      "GET /admin/jobs/job-scene_detect": () => story("running"),
      "POST /admin/jobs/job-scene_detect/cancel": () => ({ cancelled: true }),
    });
    await userEvent.click(await screen.findByRole("button", { name: "Cancel run" }));
    expect(screen.queryByRole("button", { name: "Retry" })).toBeNull();
    await userEvent.click(within(question()).getByRole("button", { name: "Cancel run" }));
    await waitFor(() => expect(asked.some(({ request }) => request.endsWith("/cancel"))).toBe(true));
  });
});
