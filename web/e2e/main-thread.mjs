// What pages ask of the browser's main thread, as Chromium's own trace tells it.
import assert from "node:assert/strict";

const TASK = "RunTask";

/** The longest tasks of the pages' main threads while `run` goes on, longest first, in milliseconds of CPU time: what else the machine
 *  does meanwhile is not in them. */
export async function mainThreadTasks(browser, run) {
  await browser.startTracing(null, { categories: ["toplevel", "disabled-by-default-devtools.timeline", "devtools.timeline"] });
  let trace;
  try {
    await run();
  } finally {
    trace = await browser.stopTracing();
  }
  const { traceEvents } = JSON.parse(trace.toString());
  const threads = new Set(traceEvents.filter(({ name, args }) => name === "thread_name" && args.name === "CrRendererMain").map(({ pid, tid }) => `${pid}/${tid}`));
  const tasks = traceEvents.filter(({ name, pid, tid, tdur }) => name === TASK && tdur !== undefined && threads.has(`${pid}/${tid}`));
  assert.ok(tasks.length > 0, "the trace has tasks of a page");
  return tasks.map(({ tdur }) => tdur / 1000).sort((a, b) => b - a);
}
