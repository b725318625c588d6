// Uploads that do not go straight: a file that is no video, and a page killed in the middle.
import assert from "node:assert/strict";
import { appendFileSync, copyFileSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, describe, it } from "node:test";
import { assertAccessible, assertClean, base, chooseFiles, INDEXING_MS, launch, newPerson, profile, sample, screenshot, signUp, uploadRow } from "./support.mjs";

/** The sample with an empty MP4 box behind it: a valid video of many parts. ISO/IEC 14496-12, "free" box. */
function longVideo(file, extra_bytes) {
  copyFileSync(sample, file);
  const box = Buffer.alloc(8 * 1024 * 1024);
  for (let left = extra_bytes; left > 0; left -= box.length) {
    box.fill(0);
    box.writeUInt32BE(box.length, 0);
    box.write("free", 4, "latin1");
    appendFileSync(file, box);
  }
}

describe("uploads", () => {
  let browser;
  let folder;

  before(async () => {
    browser = await launch();
    folder = mkdtempSync(path.join(tmpdir(), "heimdex-e2e-"));
  });
  after(async () => {
    await browser?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it("tells what is wrong with a text file named .mp4", async () => {
    const home = await profile(browser);
    const page = await home.context.newPage();
    await signUp(page, newPerson());
    const file = path.join(folder, "notes.mp4");
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
    assertClean(home);
    await home.context.close();
  });

  it("goes on where it stopped after the page was killed, and can be renamed, deleted and brought back", async () => {
    const home = await profile(browser);
    let page = await home.context.newPage();
    await signUp(page, newPerson());
    const file = path.join(folder, "long.mp4");
    // More than the largest part, so at least two.
    longVideo(file, 72 * 1024 * 1024);

    // The first part arrives, the others are held: so the page dies in the middle, and never by chance at the end.
    let first = true;
    const held = [];
    const isPart = (request) => request.method() === "PUT";
    await page.route(
      () => true,
      async (route) => {
        if (!isPart(route.request())) return route.continue();
        if (!first) return held.push(route);
        first = false;
        await route.continue();
      },
    );
    await Promise.all([page.waitForResponse((response) => isPart(response.request()) && response.ok(), { timeout: 120_000 }), chooseFiles(page, [file])]);
    // Let go of, the held parts would still arrive while the page closes.
    await Promise.all(held.splice(0).map((route) => route.abort("connectionreset")));
    await page.close({ runBeforeUnload: false });

    page = await home.context.newPage();
    const puts = [];
    page.on("request", (request) => {
      if (isPart(request)) puts.push(request.url().split("?")[0] + new URL(request.url()).search.replace(/.*[?&](partNumber=\d+).*/, "#$1"));
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
    assert.equal(new Set(puts).size, kept.part_count - kept.parts.length, "only the missing parts were sent");
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
    assertClean(home);
    await home.context.close();
  });
});
