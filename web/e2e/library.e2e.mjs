// The library: two views, names, tags, many videos at once, and looking through a video on its poster.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, describe, it } from "node:test";
import { mainThreadTasks } from "./main-thread.mjs";
import { assertAccessible, assertClean, assertNoSidewaysScroll, base, chooseFiles, demo, INDEXING_MS, launch, newcomer, profile, screenshot, signIn, uploadRow } from "./support.mjs";

describe("the library", () => {
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

  it("keeps its view, renames in place, tags, deletes with undo, and does so with many at once", async () => {
    const { home, page } = await newcomer(browser);
    // What is in them does not matter here: they end as failed videos, which have a place in the library like all others.
    const files = ["one.mp4", "two.mp4", "three.mp4"].map((name, index) => {
      const file = path.join(folder, name);
      writeFileSync(file, `Notes of ${name}.\n`.repeat(100 * (index + 1)));
      return file;
    });
    await chooseFiles(page, files);
    for (const file of files) await uploadRow(page, path.basename(file), "done").waitFor();
    await page.goto(`${base}/app/library`);
    const cards = page.locator("[data-video]");
    await page.locator('[data-video][data-state="failed"]').nth(2).waitFor({ timeout: INDEXING_MS });
    assert.equal(await cards.count(), 3);
    await assertAccessible(page, "the library as a grid");

    await page.getByRole("button", { name: "List", exact: true }).click();
    await page.reload();
    await cards.nth(2).waitFor();
    assert.equal(await page.getByRole("button", { name: "List", exact: true }).getAttribute("aria-pressed"), "true", "the view is kept");
    await assertAccessible(page, "the library as a list");
    await screenshot(page, "library-list");
    await page.getByRole("button", { name: "Grid", exact: true }).click();

    await page.getByLabel("Order").selectOption("title");
    await page.waitForURL(/sort=title/);
    await page.getByRole("link", { name: "one", exact: true }).focus();
    await page.keyboard.press("F2");
    await page.getByLabel("New title of one").fill("A first one");
    await page.keyboard.press("Enter");
    const renamed = page.getByRole("link", { name: "A first one", exact: true });
    await renamed.waitFor();

    // By the keyboard: this one and the next.
    await renamed.focus();
    await page.keyboard.press("Space");
    await page.keyboard.press("ArrowRight");
    await page.keyboard.press("Space");
    await page.getByText("2 selected").waitFor();
    await page.getByRole("toolbar", { name: "Selected videos" }).getByRole("button", { name: "Tags" }).click();
    await page.getByLabel("New tag").fill("meeting");
    await page.keyboard.press("Enter");
    await assertAccessible(page, "the dialog of tags");
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByText("#meeting").nth(1).waitFor();
    await page.keyboard.press("Escape");
    await page.getByText("2 selected").waitFor({ state: "detached" });

    await page.getByRole("button", { name: "Filters" }).click();
    await page.getByLabel("Tag", { exact: true }).selectOption("meeting");
    await page.waitForURL(/tag=meeting/);
    await page.waitForFunction(() => document.querySelectorAll("[data-video]").length === 2);
    await page.getByRole("checkbox", { name: "Select A first one" }).check({ force: true });
    await page.getByRole("button", { name: "Select all" }).click();
    await page.getByText("2 selected").waitFor();
    await page.getByRole("toolbar", { name: "Selected videos" }).getByRole("button", { name: "Delete" }).click();
    await page.getByText("2 videos deleted.").waitFor();
    await page.getByText("No video matches").waitFor();
    await page.getByRole("button", { name: "Undo" }).click();
    await page.getByText("2 videos brought back.").waitFor();
    await page.waitForFunction(() => document.querySelectorAll("[data-video]").length === 2);
    assertClean(home);
    await home.context.close();
  });

  it("is looked through on a poster by the keyboard, and fits a phone in both themes", async () => {
    for (const theme of ["light", "dark"]) {
      const visitor = await profile(browser, { theme, width: 360, height: 740 });
      const page = await visitor.context.newPage();
      await signIn(page, demo);
      await page.waitForURL(/\/app\/library/);
      const card = page.locator('[data-video][data-state="indexed"] [data-card]').first();
      await card.waitFor();
      await card.focus();
      await page.keyboard.press(".");
      await page.locator("[data-scrub]").waitFor();
      await page.keyboard.press(".");
      assert.ok(Number(await page.locator("[data-scrub]").getAttribute("data-scrub")) > 0);
      await page.getByRole("button", { name: "Filters" }).click();
      for (const view of ["List", "Grid"]) {
        await page.getByRole("button", { name: view, exact: true }).click();
        await assertNoSidewaysScroll(page, `the library as ${view} on a phone`);
        await assertAccessible(page, `the library as ${view} on a phone, ${theme}`);
        await screenshot(page, `library-${view.toLowerCase()}-${theme}-360`);
      }
      assertClean(visitor);
      await visitor.context.close();
    }
  });

  it("of 5,000 videos keeps at most a hundred in the document", { timeout: 180_000 }, async (t) => {
    const { home, page } = await newcomer(browser);
    // The list comes from here: what is measured is the page. Every answer is a page as the server would give it.
    const video = (number) => ({
      video_id: `00000000-0000-4000-8000-${String(number).padStart(12, "0")}`, title: `Film ${number}`, description: "", tags: number % 3 ? [] : ["sea"], state: "indexed", original_filename: "a.mp4",
      mime_type: "video/mp4", size_bytes: 1, duration_ms: 60_000 + number, width: 1280, height: 720, poster_url: null, run_id: null, created_at: "2026-01-01T00:00:00Z", updated_at: "2026-01-01T00:00:00Z",
      indexed_at: "2026-01-01T00:00:00Z", failure: null, warnings: [], progress: null,
    });
    await page.route(
      (url) => url.pathname === "/videos",
      async (route) => {
        const from = Number(new URL(route.request().url()).searchParams.get("cursor") ?? 0);
        const items = Array.from({ length: Math.min(100, 5000 - from) }, (_, index) => video(from + index));
        await route.fulfill({ json: { items, next_cursor: from + 100 < 5000 ? String(from + 100) : null } });
      },
    );
    await page.goto(`${base}/app/library`);
    await page.locator("[data-video]").first().waitFor();
    let most = 0;
    const tasks = await mainThreadTasks(browser, async () => {
      most = await page.evaluate(async () => {
        let most = 0;
        const frame = () => new Promise((resolve) => requestAnimationFrame(resolve));
        const end = () => document.querySelector('[aria-posinset="5000"]');
        while (!end()) {
          window.scrollBy(0, 1200);
          await frame();
          most = Math.max(most, document.querySelectorAll("[data-video]").length);
        }
        return most;
      });
    });
    // How long a task takes depends on the machine: it is told, not judged.
    t.diagnostic(`5,000 videos: at most ${most} cards in the document, longest task ${tasks[0].toFixed(0)} ms of CPU`);
    assert.ok(most <= 100, `${most} cards are in the document`);
    assertClean(home);
    await home.context.close();
  });
});
