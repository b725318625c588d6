// An operator sees a real failure happen, reads why, retries it from the page, and holds a stage; every page of the console in
// both themes, wide and narrow. For others there is no console.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, describe, it } from "node:test";
import {
  assertAccessible,
  assertClean,
  assertNoSidewaysScroll,
  base,
  chooseFiles,
  demo,
  INDEXING_MS,
  launch,
  newcomer,
  operator,
  profile,
  screenshot,
  signIn,
  storedSession,
  uploadRow,
} from "./support.mjs";

/** In the page: what of the stages reaches beyond their section or has cut its words off, and the open tab where it is out of sight. */
function outside() {
  const { right } = document.querySelector("main section, main header").getBoundingClientRect();
  const beyond = [...document.querySelectorAll("[data-stage], [data-stage] *:not(.sr-only)")].filter(
    (part) => part.getBoundingClientRect().right > right + 1 || (getComputedStyle(part).textOverflow === "ellipsis" && part.scrollWidth > part.clientWidth),
  );
  const tab = document.querySelector("main nav [data-status=active]").getBoundingClientRect();
  if (tab.left < 0 || tab.right > document.documentElement.clientWidth) beyond.push(document.querySelector("main nav [data-status=active]"));
  return beyond.map((part) => part.textContent);
}

/** From the failure to the operator's eyes. */
const SEEN_WITHIN_MS = 2000;

describe("the operator's console", () => {
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

  const visit = async (person, theme = "light", width = 1280) => {
    const visitor = await profile(browser, { theme, width, height: width < 500 ? 740 : 860 });
    const tab = await visitor.context.newPage();
    await signIn(tab, person);
    await tab.waitForURL(/\/app\/library/);
    return { visitor, tab };
  };
  const asks = async (tab, path) => {
    const { access_token } = await storedSession(tab);
    const response = await fetch(`${base}${path}`, { headers: { authorization: `Bearer ${access_token}` } });
    assert.equal(response.status, 200, path);
    return response.json();
  };
  /** Somebody new sends a text file that says it is a video. */
  const sendsNonsense = async (name) => {
    const { home, page } = await newcomer(browser, "Ben");
    const file = path.join(folder, name);
    writeFileSync(file, `These are the notes of ${name}.\n`.repeat(500));
    await chooseFiles(page, [file]);
    await uploadRow(page, name).getByRole("link", { name: "Open video" }).waitFor();
    return home;
  };
  const failed = async (tab) => (await asks(tab, "/admin/failures")).items.reduce((sum, { count }) => sum + count, 0);

  it("shows a failure when it happens, why, and retries it", async () => {
    const { visitor, tab } = await visit(operator);
    // By the menu, as a person finds it.
    await tab.getByRole("button", { name: /Account/ }).click();
    await tab.getByRole("link", { name: "Operator console" }).click();
    await tab.getByRole("list", { name: "Stages" }).waitFor();
    assert.equal(await tab.locator("[data-stage]").count(), 12);
    await tab.getByText("Live", { exact: true }).waitFor();
    const had = await failed(tab);
    const home = await sendsNonsense("meeting.mp4");
    await tab.waitForFunction(
      (had) => [...document.querySelectorAll("[data-failure]")].reduce((sum, { dataset }) => sum + Number(dataset.count), 0) > had,
      had,
      { timeout: INDEXING_MS, polling: "raf" },
    );
    const seen_at = Date.now();
    const [newest] = (await asks(tab, "/admin/failures")).items;
    const after_ms = seen_at - Date.parse(newest.last_at);
    assert.ok(after_ms < SEEN_WITHIN_MS, `seen ${after_ms} ms after the failure`);

    const row = tab.locator(`[data-failure="${newest.code}"]`);
    await row.getByText(newest.message).waitFor();
    await row.getByRole("link", { name: "Timeline of the newest" }).click();
    await tab.locator('[data-attempt="1"]').waitFor();
    await tab.getByText(newest.code).first().waitFor();
    await tab.getByRole("button", { name: "Retry", exact: true }).click();
    const dialog = tab.getByRole("dialog");
    await assertAccessible(tab, "the question before a retry");
    await dialog.getByRole("button", { name: "Retry", exact: true }).click();
    await tab.getByText("The run goes on").waitFor();
    // It is tried again for real; a text file is still no video.
    await tab.locator('[data-attempt="2"] [data-state="failed"]').waitFor({ timeout: INDEXING_MS });
    await tab.goto(`${base}/app/operator/audit?action=run_retried`);
    await tab.getByText(operator.email).first().waitFor();
    assertClean(visitor);
    await home.context.close();
    await visitor.context.close();
  });

  it("takes what caused a failure away, from the page, and the video is indexed", async () => {
    // Of eleven minutes, of which a free account may have ten; in a format whose length a browser does not know.
    const film = path.join(folder, "long-walk.avi");
    execFileSync("ffmpeg", ["-v", "error", "-f", "lavfi", "-i", "testsrc=size=160x90:rate=1:duration=660", "-c:v", "mpeg4", film], { timeout: 60_000 });
    const { person, home, page } = await newcomer(browser, "Cleo");
    await chooseFiles(page, [film]);
    await uploadRow(page, "long-walk.avi").getByRole("link", { name: "Open video" }).waitFor();

    const { visitor, tab } = await visit(operator);
    await tab.goto(`${base}/app/operator`);
    const failure = tab.locator('[data-failure="too_long"]');
    await failure.waitFor({ timeout: INDEXING_MS });
    await failure.getByRole("link", { name: "Timeline of the newest" }).click();
    const timeline = tab.url();
    await tab.getByText("too_long").first().waitFor();

    await tab.getByRole("link", { name: "Users", exact: true }).click();
    await tab.getByLabel("Part of the email address or name").fill(person.email);
    await tab.keyboard.press("Enter");
    await tab.getByRole("button", { name: `Change the account of ${person.email}` }).click();
    const account = tab.getByRole("dialog");
    await assertAccessible(tab, "the form for an account");
    await account.getByLabel("Plan").selectOption("pro");
    await account.getByRole("button", { name: "Save" }).click();
    await tab.getByText(`The account of ${person.email} is changed`).waitFor();

    await tab.goto(timeline);
    await tab.getByRole("button", { name: "Retry", exact: true }).click();
    await tab.getByRole("dialog").getByRole("button", { name: "Retry", exact: true }).click();
    await tab.getByText("The run goes on").waitFor();
    // Who sent it sees it in the library, and plays it.
    await page.goto(`${base}/app/library`);
    await page.locator('[data-video][data-state="indexed"]').waitFor({ timeout: INDEXING_MS });
    assertClean(visitor);
    await home.context.close();
    await visitor.context.close();
  });

  it("holds new work of a paused stage until it is resumed", async () => {
    const { visitor, tab } = await visit(operator);
    await tab.goto(`${base}/app/operator`);
    const stage = tab.locator('[data-stage="upload_validate"]');
    await stage.getByRole("button", { name: /^Pause/ }).click();
    await tab.getByRole("dialog").getByRole("button", { name: "Pause", exact: true }).click();
    await stage.getByText("Paused").waitFor();
    try {
      const had = await failed(tab);
      const home = await sendsNonsense("held.mp4");
      await stage.getByText("1 waiting").waitFor();
      assert.equal(await failed(tab), had, "nothing new was begun");
      await stage.getByRole("button", { name: /^Resume/ }).click();
      await tab.getByRole("dialog").getByRole("button", { name: "Resume", exact: true }).click();
      await stage.getByText("0 waiting").waitFor({ timeout: INDEXING_MS });
      await home.context.close();
    } finally {
      const { access_token } = await storedSession(tab);
      await fetch(`${base}/admin/stages/upload_validate/resume`, { method: "POST", headers: { authorization: `Bearer ${access_token}` } });
    }
    assertClean(visitor);
    await visitor.context.close();
  });

  it("can be read on every page, in both themes, wide and narrow", async () => {
    for (const [theme, width] of [["light", 1280], ["dark", 1280], ["light", 360], ["dark", 360]]) {
      const { visitor, tab } = await visit(operator, theme, width);
      const [job] = (await asks(tab, "/admin/jobs?limit=1")).items;
      const pages = ["", "/failures", "/jobs", `/jobs/${job.job_id}`, "/workers", "/videos", "/users", "/audit", "/storage"];
      for (const page of pages) {
        await tab.goto(`${base}/app/operator${page}`);
        await tab.getByRole("heading", { name: "Operator", level: 1 }).waitFor();
        await tab.locator("main h3, main dd").first().waitFor();
        await tab.evaluate(() => document.fonts.ready);
        const name = `operator-${page.split("/")[1] || "overview"}${page.split("/")[2] ? "-one" : ""}-${theme}-${width}`;
        await assertNoSidewaysScroll(tab, name);
        assert.deepEqual(await tab.evaluate(outside), [], `${name}: nothing is cut off or reaches beyond the page`);
        await assertAccessible(tab, name);
        await screenshot(tab, name);
      }
      assertClean(visitor);
      await visitor.context.close();
    }
  });

  it("is not there for anybody else, and its code is not loaded", async () => {
    const { visitor, tab } = await visit(demo);
    const loaded = [];
    tab.on("request", (request) => loaded.push(request.url()));
    await tab.getByRole("button", { name: /Account/ }).click();
    assert.equal(await tab.getByRole("link", { name: "Operator console" }).count(), 0);
    await tab.goto(`${base}/app/operator/jobs`);
    await tab.getByText("There is no such page").waitFor();
    assert.deepEqual(loaded.filter((url) => /Operator|OverviewPage|JobsPage|\/admin\//.test(url)), []);
    assertClean(visitor);
    await visitor.context.close();
  });
});
