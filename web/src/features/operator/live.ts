import type { QueryClient } from "@tanstack/react-query";
import type { ApiClient } from "@/lib/api/client";
import type { JobState, Queues } from "@/lib/api/types";
import { subscribe } from "@/lib/sse";
import { keys } from "./queries";

/** At most so often is anything read again, however much happens. */
export const CALM_MS = 1000;

/** Runs `work` at once, and then at most every `pause_ms` for as long as it is asked for. */
export function calmly(work: () => void, pause_ms: number): { ask: () => void; stop: () => void } {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let again = false;
  const rest = () => {
    timer = setTimeout(() => {
      timer = undefined;
      if (!again) return;
      again = false;
      work();
      rest();
    }, pause_ms);
  };
  return {
    ask: () => {
      if (timer !== undefined) {
        again = true;
        return;
      }
      work();
      rest();
    },
    stop: () => clearTimeout(timer),
  };
}

/** Keeps what the console shows fresh until the returned function is called: what changes is said by the server, and what is
 *  looked at is then read again. */
export function watchOperations(api: ApiClient, client: QueryClient, onStatus: (connected: boolean) => void): () => void {
  const everything = calmly(() => void client.invalidateQueries({ queryKey: keys.work }), CALM_MS);
  const progress = calmly(() => {
    void client.invalidateQueries({ queryKey: keys.workers });
    void client.invalidateQueries({ queryKey: [...keys.work, "job"] });
  }, 2 * CALM_MS);
  const states = new Map<string, JobState>();
  const stop = subscribe({
    open: (signal) => api.raw("/admin/events", { signal, headers: { accept: "text/event-stream" } }),
    onStatus,
    onEvent: ({ event, data }) => {
      const body = JSON.parse(data) as { job_id?: string; state?: JobState };
      if (event === "snapshot") {
        client.setQueryData<Queues>(keys.queues, body as unknown as Queues);
        everything.ask();
      } else if (event === "job" && body.job_id !== undefined && body.state !== undefined) {
        // Progress alone moves no job from one count to another.
        const only = body.state === "running" && states.get(body.job_id) === "running";
        if (body.state === "running") states.set(body.job_id, body.state);
        else states.delete(body.job_id);
        if (only) progress.ask();
        else everything.ask();
      } else everything.ask();
    },
  });
  return () => {
    everything.stop();
    progress.stop();
    stop();
  };
}
