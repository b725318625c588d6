// A browser killed in the middle of a large upload: not closed, killed, with whatever it had not written down yet.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, existsSync, mkdtempSync, openSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import { after, before, describe, it } from "node:test";
import { chromium } from "playwright-core";
import { base, chromiumArgs, chromiumPath, fillLogin, INDEXING_MS, longVideo, newPerson, partOf, signUp, storedSession, uploadRow } from "./support.mjs";

const MIB = 1024 ** 2;
const SIZE_BYTES = 1024 * MIB;
const BROKEN_OFF_AT = 0.6;
/** Every so far something is written into the hole that the file is, by which its place is known again. */
const MARK_EVERY_BYTES = 96 * MIB;

/** Chromium as a person would start it, with a folder of its own that outlives it. */
async function start(folder) {
  const child = spawn(chromiumPath, ["--headless", "--remote-debugging-port=0", `--user-data-dir=${folder}`, ...chromiumArgs, "--lang=en-GB", "about:blank"], {
    detached: true,
    stdio: ["ignore", "ignore", "pipe"],
  });
  const lines = createInterface({ input: child.stderr });
  let endpoint;
  for await (const line of lines) {
    endpoint = /DevTools listening on (ws:\S+)/.exec(line)?.[1];
    if (endpoint) break;
  }
  assert.ok(endpoint, "Chromium says where it listens");
  child.stderr.resume();
  const browser = await chromium.connectOverCDP(endpoint);
  const [context] = browser.contexts();
  context.setDefaultTimeout(60_000);
  return {
    page: await context.newPage(),
    /** All of its processes at once, as a crash or a power cut does. */
    kill: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const gone = once(child, "exit");
      process.kill(-child.pid, "SIGKILL");
      await gone;
    },
  };
}

/** Chooses a file of any size: what Playwright sends to a browser that it has not started itself may have 50 MB. */
async function choose(page, input, file) {
  await page.locator(input).waitFor({ state: "attached" });
  const devtools = await page.context().newCDPSession(page);
  const { root } = await devtools.send("DOM.getDocument");
  const { nodeId } = await devtools.send("DOM.querySelector", { nodeId: root.nodeId, selector: input });
  await devtools.send("DOM.setFileInputFiles", { nodeId, files: [file] });
}

/** Writes the marks into the file and gives them with their places. */
function mark(file) {
  const handle = openSync(file, "r+");
  const marks = [];
  for (let at = MARK_EVERY_BYTES; at < SIZE_BYTES; at += MARK_EVERY_BYTES) {
    marks.push({ at, text: `mark ${marks.length}`.padEnd(16, ".") });
    writeSync(handle, marks.at(-1).text, at);
  }
  closeSync(handle);
  return marks;
}

describe("a killed browser", () => {
  let folder;
  let running;
  /** Of the account, which takes the gigabyte with it when it goes. */
  let token;
  before(() => {
    folder = mkdtempSync(path.join(tmpdir(), "heimdex-e2e-"));
  });
  after(async () => {
    await running?.kill();
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
    if (!token) return;
    const gone = await fetch(`${base}/users/me`, { method: "DELETE", headers: { authorization: `Bearer ${token}` } });
    assert.equal(gone.status, 202, "the account and what it stored are removed");
  });

  it("at 60 % of an upload of 1 GiB loses nothing that had arrived", { timeout: 240_000 }, async (t) => {
    const file = longVideo(path.join(folder, "long.mp4"), SIZE_BYTES);
    const marks = mark(file);
    const home = path.join(folder, "profile");
    const person = newPerson();

    running = await start(home);
    let { page } = running;
    await signUp(page, person);
    token = (await storedSession(page)).access_token;
    const announced = page.waitForResponse((response) => response.request().method() === "POST" && new URL(response.url()).pathname === "/videos/uploads")
      // Read once, as soon as it comes: what the parts carry pushes it out of the browser's own memory of answers.
      .then((response) => response.json());
    let wanted = Infinity;
    let sent = 0;
    let arrived = 0;
    const enough = new Promise((resolve) => {
      page.on("response", (response) => {
        if (partOf(response.request()) !== null && response.ok() && ++arrived === wanted) resolve();
      });
    });
    await page.route(
      () => true,
      async (route) => {
        if (partOf(route.request()) === null) return route.continue();
        // No part leaves before it is known how many may. Those on their way when enough have arrived are broken off with the browser;
        // more than these it does not begin, however long its end takes.
        const { upload } = await announced;
        wanted = Math.ceil(upload.part_count * BROKEN_OFF_AT);
        if (++sent <= wanted + 3) await route.continue();
      },
    );
    await page.goto(`${base}/app/upload`);
    const begun = performance.now();
    await choose(page, 'input[type="file"][accept][multiple]', file);
    const { video_id, upload } = await announced;
    await enough;
    await running.kill();
    assert.ok(existsSync(home), "its folder is still there");
    const killed = performance.now();

    running = await start(home);
    ({ page } = running);
    await page.goto(`${base}/app/upload`);
    const row = page.locator('[data-unfinished="long.mp4"]');
    const login = page.getByRole("button", { name: "Sign in", exact: true });
    await row.or(login).first().waitFor();
    // The session may have died with what was not written to the disk; the upload has not.
    if (await login.isVisible()) {
      await fillLogin(page, person);
      await row.waitFor();
    }
    const again = new Map();
    page.on("request", (request) => {
      const part = partOf(request);
      if (part !== null) again.set(part, (again.get(part) ?? 0) + 1);
    });
    await row.getByRole("button", { name: "Choose file again" }).waitFor();
    const [stored] = await Promise.all([
      page.waitForResponse((response) => response.request().method() === "GET" && /\/uploads\/parts$/.test(new URL(response.url()).pathname)).then((response) => response.json()),
      choose(page, '[data-unfinished="long.mp4"] input[type="file"]', file),
    ]);
    assert.ok(stored.parts.length >= wanted && stored.parts.length <= wanted + 3, `${stored.parts.length} of ${stored.part_count} parts had arrived`);
    await uploadRow(page, "long.mp4", "done").waitFor({ timeout: 120_000 });
    const had = new Set(stored.parts.map(({ part_number }) => part_number));
    const rest = Array.from({ length: upload.part_count }, (_, index) => index + 1).filter((part) => !had.has(part));
    assert.deepEqual([...again].sort(([a], [b]) => a - b), rest.map((part) => [part, 1]), "each part of the rest was sent once, and nothing else");
    const kept_bytes = stored.parts.reduce((sum, { size_bytes }) => sum + size_bytes, 0);
    t.diagnostic(
      `${upload.part_count} parts: ${had.size} (${(kept_bytes / MIB).toFixed(0)} MiB) before the kill in ${((killed - begun) / 1000).toFixed(1)} s, ` +
        `${rest.length} (${((SIZE_BYTES - kept_bytes) / MIB).toFixed(0)} MiB) after it; ${((performance.now() - begun) / 1000).toFixed(1)} s in all`,
    );

    // What the player is given is the whole file, each part in its place.
    await uploadRow(page, "long.mp4").getByRole("link", { name: "Open video" }).click();
    await page.waitForURL(new RegExp(`/app/videos/${video_id}`));
    const player = page.getByTestId("player");
    await player.waitFor({ timeout: INDEXING_MS });
    const source = await player.getAttribute("src");
    for (const { at, text } of [...marks, { at: SIZE_BYTES - 4, text: "\0\0\0\0" }]) {
      const piece = await fetch(source, { headers: { range: `bytes=${at}-${at + text.length - 1}` } });
      assert.equal(piece.headers.get("content-range"), `bytes ${at}-${at + text.length - 1}/${SIZE_BYTES}`);
      assert.equal(await piece.text(), text);
    }
  });
});
