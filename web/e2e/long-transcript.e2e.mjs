// The page of a video of three hours: only what is near the window is in the document, and scrolling and typing are no work for it.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { mainThreadTasks } from "./main-thread.mjs";
import { base, demo, equip, leave, visit } from "./support.mjs";

const LENGTH_MS = 3 * 3_600_000;
const SEGMENTS = 2700;
const WORDS_EACH = 10;
const SCENES = 1080;
const MOST_ROWS = 120;
const MOST_ELEMENTS = 5000;
const WORDS = "the sea was calm that morning and nobody on the old boat said a word about what had come to pass before".split(" ");

/** Said without a pause, ten words a sentence; one sentence in the middle is like no other. */
const segments = Array.from({ length: SEGMENTS }, (_, number) => {
  const every_ms = LENGTH_MS / SEGMENTS / WORDS_EACH;
  const words = Array.from({ length: WORDS_EACH }, (_, index) => {
    const start_ms = Math.round((number * WORDS_EACH + index) * every_ms);
    const word = number === SEGMENTS / 2 && index === 4 ? "lighthouse" : WORDS[(number * 7 + index * 3) % WORDS.length];
    return { start_ms, end_ms: Math.round(start_ms + every_ms), text: ` ${word}`, probability: 0.9 };
  });
  return { segment_no: number, start_ms: words[0].start_ms, end_ms: words.at(-1).end_ms, text: words.map(({ text }) => text).join("").trim(), edited: false, words };
});

/** Cuts every ten seconds. Each scene is like one that the server has told. */
const scenes = (like) =>
  Array.from({ length: SCENES }, (_, ordinal) => ({
    ...like[ordinal % like.length],
    scene_id: `00000000-0000-4000-8000-${String(ordinal).padStart(12, "0")}`,
    ordinal,
    start_ms: (ordinal * LENGTH_MS) / SCENES,
    end_ms: ((ordinal + 1) * LENGTH_MS) / SCENES,
  }));

describe("a video of three hours", () => {
  const kit = equip();

  it("keeps its document small while its transcript is scrolled and searched", async (t) => {
    const { home, page } = await visit(kit.browser, demo);
    const card = page.locator('[data-video][data-state="indexed"]').first();
    const video_id = await card.getAttribute("data-video");
    // What is measured is the page: the answers are the server's own, made as long as those of such a video.
    const answer = (path, change) =>
      page.route(
        (url) => url.pathname === `/videos/${video_id}${path}`,
        async (route) => {
          const response = await route.fetch();
          await route.fulfill({ response, json: change(await response.json()) });
        },
      );
    await answer("", (video) => ({ ...video, duration_ms: LENGTH_MS }));
    await answer("/transcript", (transcript) => ({ ...transcript, segments }));
    await answer("/scenes", (known) => ({ ...known, items: scenes(known.items) }));
    await page.goto(`${base}/app/videos/${video_id}`);
    await page.locator("[data-testid=transcript] [data-segment]").first().waitFor();
    await page.getByRole("button", { name: /^Scene 1,/ }).waitFor();

    const most = { rows: 0, elements: 0 };
    const count = async () => {
      const { rows, elements } = await page.evaluate(() => ({
        rows: document.querySelectorAll("[data-testid=transcript] [data-segment]").length,
        elements: document.getElementsByTagName("*").length,
      }));
      most.rows = Math.max(most.rows, rows);
      most.elements = Math.max(most.elements, elements);
    };
    /** Until a sentence can be read: it is in the box, not only in the document. */
    const inSight = async (number) => {
      await page.waitForFunction((number) => {
        const row = document.querySelector(`[data-segment="${number}"]`)?.getBoundingClientRect();
        const box = document.querySelector("[data-testid=transcript]").getBoundingClientRect();
        return row && row.top >= box.top - 1 && row.bottom <= box.bottom + 1;
      }, number);
      await count();
    };
    const transcript = page.getByTestId("transcript");
    const box = page.getByRole("textbox", { name: "Find in the transcript" });

    const scrolling = await mainThreadTasks(kit.browser, async () => {
      await transcript.hover();
      for (let turn = 0; turn < 20; turn += 1) {
        await page.mouse.wheel(0, 600);
        await count();
      }
      // The whole way, a frame each, until there is nothing more to scroll through.
      await transcript.evaluate(async (scroller) => {
        const frame = () => new Promise((resolve) => requestAnimationFrame(resolve));
        for (let last = -1; last < scroller.scrollTop; ) {
          last = scroller.scrollTop;
          scroller.scrollBy(0, 3000);
          await frame();
          await frame();
        }
      });
      await inSight(SEGMENTS - 1);
      await transcript.press("Home");
      await inSight(0);
      await transcript.press("End");
      await inSight(SEGMENTS - 1);
    });
    const typing = await mainThreadTasks(kit.browser, async () => {
      // From one letter, which is everywhere, to what is there once.
      await box.pressSequentially("the calm");
      await page.locator("[data-found]").first().waitFor();
      for (let step = 0; step < 5; step += 1) await box.press("Enter");
      await count();
      await box.fill("");
      await box.pressSequentially("lighthouse");
      await page.locator(`[data-segment="${SEGMENTS / 2}"] [data-found]`).waitFor();
      await inSight(SEGMENTS / 2);
    });

    t.diagnostic(`${SEGMENTS} sentences, ${SEGMENTS * WORDS_EACH} words, ${SCENES} scenes: at most ${most.rows} rows and ${most.elements} elements in the document`);
    t.diagnostic(`longest task: ${scrolling[0].toFixed(0)} ms of CPU while scrolling, ${typing[0].toFixed(0)} ms while typing`);
    assert.ok(most.rows <= MOST_ROWS, `${most.rows} rows are in the document`);
    assert.ok(most.elements <= MOST_ELEMENTS, `${most.elements} elements are in the document`);
    await leave(home);
  });
});
