// Uploads that do not go straight: a file that is no video, parts that fail, a machine that sleeps, a page killed in the middle.
import assert from "node:assert/strict";
import { statSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, it } from "node:test";
import { alterSession, assertAccessible, base, chooseFiles, equip, INDEXING_MS, leave, longVideo, newcomer, partOf, screenshot, storedSession, uploadRow } from "./support.mjs";

const MIB = 1024 ** 2;
const HOUR_S = 3600;
/** The store is another origin: without this the page could not read the answers that it is given here. */
const FROM_THE_STORE = { "access-control-allow-origin": "*" };

/** How often each part was tried, in the order of their numbers. */
const tries = (sent) => [...sent].sort(([a], [b]) => a - b).map(([, times]) => times);

describe("uploads", () => {
  const kit = equip();

  it("tells what is wrong with a text file named .mp4", async () => {
    const { home, page } = await newcomer(kit.browser);
    const file = path.join(kit.folder, "notes.mp4");
    writeFileSync(file, "These are the notes of the third meeting.\n".repeat(500));
    await chooseFiles(page, [file]);
    const row = uploadRow(page, "notes.mp4");
    await row.getByRole("link", { name: "Open video" }).click({ timeout: 60_000 });
    const failure = page.getByTestId("failure");
    await failure.waitFor({ timeout: INDEXING_MS });
    assert.match((await failure.textContent()).trim(), /^\S+ .*\S+ \S+/, "a sentence, not a code");
    assert.doesNotMatch(await failure.textContent(), /_|0x|error:/i);
    await page.locator('[data-stage="upload_validate"][data-state="failed"]').waitFor({ state: "attached" });
    await assertAccessible(page, "a failed video");
    await screenshot(page, "failed");
    await leave(home);
  });

  it("send again the parts that fail, and no others", async () => {
    const { home, page } = await newcomer(kit.browser);
    const sent = new Map();
    await page.route(
      () => true,
      async (route) => {
        const part = partOf(route.request());
        if (part === null) return route.continue();
        const times = (sent.get(part) ?? 0) + 1;
        sent.set(part, times);
        if (part === 2 && times === 1) return route.fulfill({ status: 503, headers: FROM_THE_STORE });
        if (part === 3 && times <= 2) return route.abort("connectionreset");
        return route.continue();
      },
    );
    await chooseFiles(page, [longVideo(path.join(kit.folder, "shaky.mp4"), 40 * MIB)]);
    await uploadRow(page, "shaky.mp4", "done").waitFor({ timeout: 120_000 });
    assert.deepEqual(tries(sent), [1, 2, 3, 1, 1]);
    await leave(home);
  });

  it("go on by themselves after the machine has slept for an hour", async () => {
    const { person, home, page } = await newcomer(kit.browser);
    const refreshes = [];
    page.on("request", (request) => {
      if (request.url().includes("grant_type=refresh_token")) refreshes.push(request.url());
    });
    // By then the token has ended, and so have the addresses that the store gave for parts; what was on its way is cut off.
    let slept = false;
    const ended = new Set();
    const held = [];
    const refused = [];
    const arrived = new Map();
    const asksForAddresses = (request) => request.method() === "POST" && /\/uploads\/parts$/.test(new URL(request.url()).pathname);
    await page.route(
      () => true,
      async (route) => {
        const request = route.request();
        if (asksForAddresses(request)) {
          const response = await route.fetch();
          if (!slept) for (const { url } of (await response.json()).parts) ended.add(url);
          return route.fulfill({ response });
        }
        const part = partOf(request);
        if (part === null) return route.continue();
        if (slept && ended.has(request.url())) {
          refused.push(part);
          return route.fulfill({ status: 403, headers: FROM_THE_STORE });
        }
        if (!slept && arrived.size > 0) return held.push(route);
        arrived.set(part, (arrived.get(part) ?? 0) + 1);
        return route.continue();
      },
    );
    const stored = (response) => partOf(response.request()) !== null && response.ok();
    // More parts than addresses are asked for at once.
    await Promise.all([page.waitForResponse(stored, { timeout: 120_000 }), chooseFiles(page, [longVideo(path.join(kit.folder, "asleep.mp4"), 96 * MIB)])]);
    const { access_token } = await storedSession(page);
    await alterSession(page, { access_token: `${access_token.slice(0, -8)}AAAAAAAA`, expires_at: Math.floor(Date.now() / 1000) - HOUR_S });
    slept = true;
    await Promise.all(held.splice(0).map((route) => route.abort("connectionreset")));

    await uploadRow(page, "asleep.mp4", "done").waitFor({ timeout: 120_000 });
    assert.deepEqual(tries(arrived), Array(12).fill(1), "every part was stored once");
    assert.ok(refused.length > 0, "addresses from before were tried, and replaced");
    assert.equal(refreshes.length, 1, "one new token for all");
    assert.ok((await storedSession(page)).expires_at > Date.now() / 1000);
    await page.getByTestId("me").filter({ hasText: person.name }).waitFor();
    await leave(home);
  });

  it("go on where they stopped after the page was killed, and can be renamed, deleted and brought back", async () => {
    const { home, page: first } = await newcomer(kit.browser);
    // More than the largest part, so at least two.
    const file = longVideo(path.join(kit.folder, "long.mp4"), 80 * MIB);

    // One part arrives, the others are held: so the page dies in the middle, and never by chance at the end.
    let sent = false;
    const held = [];
    await first.route(
      () => true,
      async (route) => {
        if (partOf(route.request()) === null) return route.continue();
        if (sent) return held.push(route);
        sent = true;
        await route.continue();
      },
    );
    await Promise.all([first.waitForResponse((response) => partOf(response.request()) !== null && response.ok(), { timeout: 120_000 }), chooseFiles(first, [file])]);
    // Let go of, the held parts would still arrive while the page closes.
    await Promise.all(held.splice(0).map((route) => route.abort("connectionreset")));
    await first.close({ runBeforeUnload: false });

    const page = await home.context.newPage();
    const puts = new Set();
    page.on("request", (request) => {
      const part = partOf(request);
      if (part !== null) puts.add(part);
    });
    await page.goto(`${base}/app/upload`);
    const row = page.locator('[data-unfinished="long.mp4"]');
    await row.waitFor();
    await assertAccessible(page, "an unfinished upload");
    await screenshot(page, "unfinished");
    const [chooser] = await Promise.all([page.waitForEvent("filechooser"), row.getByRole("button", { name: "Choose file again" }).click()]);
    const [plan] = await Promise.all([
      page.waitForResponse((response) => response.request().method() === "GET" && /\/uploads\/parts$/.test(new URL(response.url()).pathname)),
      chooser.setFiles([file]),
    ]);
    const kept = await plan.json();
    assert.equal(kept.size_bytes, statSync(file).size);
    assert.ok(kept.parts.length >= 1 && kept.parts.length < kept.part_count, `${kept.parts.length} of ${kept.part_count} parts were stored when the page died`);
    await uploadRow(page, "long.mp4", "done").waitFor({ timeout: 180_000 });
    assert.equal(puts.size, kept.part_count - kept.parts.length, "only the missing parts were sent");
    assert.equal(await page.locator("[data-unfinished]").count(), 0);

    await uploadRow(page, "long.mp4").getByRole("link", { name: "Open video" }).click();
    await page.getByRole("button", { name: "More" }).click();
    await page.getByRole("button", { name: "Rename" }).click();
    await page.getByLabel("Title").fill("Rain, the long version");
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByRole("heading", { name: "Rain, the long version" }).waitFor();
    await page.getByRole("button", { name: "More" }).click();
    await page.getByRole("button", { name: "Delete video" }).click();
    await page.waitForURL(/\/app\/library/);
    await page.getByRole("button", { name: "Undo" }).click();
    await page.locator("[data-video]").waitFor();
    await leave(home);
  });
});
