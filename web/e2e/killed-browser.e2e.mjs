// A browser killed in the middle of an upload: not closed, killed, with whatever it had not written down yet.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { appendFileSync, copyFileSync, existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, describe, it } from "node:test";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { chromium } from "playwright-core";
import { base, fillLogin, newPerson, sample, signUp, uploadRow } from "./support.mjs";

/** Chromium as a person would start it, with a folder of its own that outlives it. */
async function start(folder) {
  const child = spawn(
    process.env.HEIMDEX_CHROMIUM ?? "/usr/bin/chromium",
    ["--headless", "--remote-debugging-port=0", `--user-data-dir=${folder}`, "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync", "--lang=en-GB", "about:blank"],
    { detached: true, stdio: ["ignore", "ignore", "pipe"] },
  );
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

describe("a killed browser", () => {
  let folder;
  let running;
  before(() => {
    folder = mkdtempSync(path.join(tmpdir(), "heimdex-e2e-"));
  });
  after(async () => {
    await running?.kill();
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  });

  it("at 60 % of an upload loses nothing that had arrived", async () => {
    const file = path.join(folder, "long.mp4");
    copyFileSync(sample, file);
    // Empty MP4 boxes (ISO/IEC 14496-12, "free") make ten parts of it.
    const box = Buffer.alloc(8 * 1024 * 1024);
    box.writeUInt32BE(box.length, 0);
    box.write("free", 4, "latin1");
    for (let count = 0; count < 9; count += 1) appendFileSync(file, box);
    const home = path.join(folder, "profile");
    const person = newPerson();
    const isPart = (request) => request.method() === "PUT";

    running = await start(home);
    let { page } = running;
    await signUp(page, person);
    const [plan] = await Promise.all([
      page.waitForResponse((response) => response.request().method() === "POST" && new URL(response.url()).pathname === "/videos/uploads", { timeout: 60_000 }).then((response) => response.json()),
      (async () => {
        let sent = 0;
        await page.route(
          () => true,
          (route) => {
            // The rest is held, so that the browser dies in the middle and never by chance at the end.
            if (isPart(route.request()) && ++sent > 6) return undefined;
            return route.continue();
          },
        );
        let arrived = 0;
        const six = new Promise((resolve) => {
          page.on("response", (response) => {
            if (isPart(response.request()) && response.ok() && ++arrived === 6) resolve();
          });
        });
        await page.goto(`${base}/app/upload`);
        await choose(page, 'input[type="file"][accept][multiple]', file);
        await six;
      })(),
    ]);
    assert.ok(plan.upload.part_count >= 9, `${plan.upload.part_count} parts`);
    await running.kill();
    assert.ok(existsSync(home), "its folder is still there");

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
    const puts = new Set();
    page.on("request", (request) => {
      if (isPart(request)) puts.add(new URL(request.url()).searchParams.get("partNumber"));
    });
    await row.getByRole("button", { name: "Choose file again" }).waitFor();
    const [stored] = await Promise.all([
      page.waitForResponse((response) => response.request().method() === "GET" && /\/uploads\/parts$/.test(new URL(response.url()).pathname)).then((response) => response.json()),
      choose(page, '[data-unfinished="long.mp4"] input[type="file"]', file),
    ]);
    assert.ok(stored.parts.length >= 6, `${stored.parts.length} of ${stored.part_count} parts had arrived`);
    await uploadRow(page, "long.mp4", "done").waitFor({ timeout: 180_000 });
    assert.equal(puts.size, stored.part_count - stored.parts.length, "only the missing parts were sent");
  });
});
