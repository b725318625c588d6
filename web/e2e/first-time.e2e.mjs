// Somebody who has never been here, from the sign-up page to the spoken second: once without a mouse, once with little more than one.
import assert from "node:assert/strict";
import path from "node:path";
import { describe, it } from "node:test";
import { base, equip, INDEXING_MS, leave, newPerson, profile, sample, uploadRow } from "./support.mjs";

const SENTENCE = "it was the best of times";
const MOST_CLICKS = 8;
/** WCAG 2.2, 1.4.11: what shows where one is stands out from what is behind it. */
const LEAST_CONTRAST = 3;

/** How what has the focus shows it: the outline's contrast against what is behind, and whether it can be seen where it is. */
const focusShown = (page) =>
  page.evaluate(async () => {
    const at = document.activeElement;
    // Colours pass into each other.
    await Promise.all(at.getAnimations().map((animation) => animation.finished));
    const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
    /** Any colour that CSS knows, as red, green, blue and alpha, 0 to 1. */
    const rgba = (colour) => {
      canvas.clearRect(0, 0, 1, 1);
      canvas.fillStyle = colour;
      canvas.fillRect(0, 0, 1, 1);
      return [...canvas.getImageData(0, 0, 1, 1).data].map((value) => value / 255);
    };
    const luminance = (colour) => {
      const [red, green, blue] = rgba(colour).map((value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4));
      return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
    };
    const outlined = (element) => {
      const { outlineStyle, outlineWidth } = getComputedStyle(element);
      return outlineStyle !== "none" && parseFloat(outlineWidth) >= 2;
    };
    // A control that is drawn by its label shows the focus there.
    const shown = [at, at.closest("label")].find((element) => element && outlined(element));
    if (!shown) return { outline: false };
    let behind = shown.parentElement;
    while (behind.parentElement && rgba(getComputedStyle(behind).backgroundColor)[3] < 0.5) behind = behind.parentElement;
    const [light, dark] = [getComputedStyle(shown).outlineColor, getComputedStyle(behind).backgroundColor].map(luminance).sort((a, b) => b - a);
    const { left, right, top, bottom } = shown.getBoundingClientRect();
    const [x, y] = [(left + right) / 2, (top + bottom) / 2];
    const uppermost = document.elementFromPoint(x, y);
    return { outline: true, contrast: (light + 0.05) / (dark + 0.05), inView: uppermost !== null && (shown.contains(uppermost) || uppermost.contains(shown)) };
  });

/** The player is where the sentence is said, and plays. */
async function assertAtTheMoment(page, at_ms) {
  await page.waitForURL(/[?&]t=\d+/);
  await page.waitForFunction((at_s) => {
    const video = document.querySelector("video");
    return video && !video.paused && !video.seeking && video.readyState >= 3 && Math.abs(video.currentTime - at_s) <= 1;
  }, at_ms / 1000);
  await page.locator("[data-testid=transcript] [data-current]").waitFor();
}

/** The video has been sent and can be searched; when the sentence is said in it, by what was found. */
const searchable = (page) => uploadRow(page, path.basename(sample), "done").getByText("Ready to search").waitFor({ timeout: INDEXING_MS });
async function foundAt(page) {
  const hit = page.getByTestId("hit").first();
  await hit.waitFor();
  assert.match((await hit.textContent()).toLowerCase(), /best of times/);
  return Number(await hit.getAttribute("data-at"));
}

describe("a new person finds the moment", () => {
  const kit = equip();

  it("with the keyboard alone, seeing at each stop where they are", { timeout: INDEXING_MS + 120_000 }, async () => {
    const home = await profile(kit.browser);
    const page = await home.context.newPage();
    const { keyboard } = page;
    const ann = newPerson("Ann Example");
    /** The focus is there, and shows it. */
    const standsOn = async (what, locator) => {
      await locator.and(page.locator(":focus")).waitFor();
      const { outline, contrast, inView } = await focusShown(page);
      assert.ok(outline, `${what}: no outline shows the focus`);
      assert.ok(contrast >= LEAST_CONTRAST, `${what}: the outline's contrast is ${contrast}`);
      assert.ok(inView, `${what}: it cannot be seen`);
    };
    const tabTo = async (what, locator) => {
      await keyboard.press("Tab");
      await standsOn(what, locator);
    };

    // The system's own dialog cannot be driven from here: it answers with the sample when it is opened.
    page.on("filechooser", (chooser) => void chooser.setFiles([sample]));
    await page.goto(`${base}/app/register`);
    await standsOn("the name", page.getByLabel("Full name"));
    await keyboard.type(ann.name);
    await tabTo("the address", page.getByLabel("Email"));
    await keyboard.type(ann.email);
    await tabTo("the password", page.getByLabel("Password", { exact: true }));
    await keyboard.type(ann.password);
    await tabTo("showing the password", page.getByRole("button", { name: "Show password" }));
    await tabTo("the role", page.getByRole("radio").first());
    await keyboard.press("ArrowDown");
    await standsOn("another role", page.getByRole("radio", { name: /^Journalist/, checked: true }));
    await tabTo("the button that creates the account", page.getByRole("button", { name: "Create account" }));
    await keyboard.press("Enter");

    await page.getByRole("heading", { name: "Your library is empty" }).waitFor();
    await tabTo("the way past the menu", page.getByRole("link", { name: "Skip to content" }));
    await keyboard.press("Enter");
    await tabTo("the way to upload", page.getByRole("main").getByRole("link", { name: "Upload" }));
    await keyboard.press("Enter");
    await page.getByRole("heading", { name: "Upload", level: 1 }).waitFor();
    await tabTo("choosing files", page.getByRole("button", { name: "Choose files" }));
    await keyboard.press("Enter");
    await searchable(page);

    await keyboard.press("/");
    await standsOn("the search box", page.getByRole("combobox"));
    await keyboard.type(SENTENCE);
    await keyboard.press("Enter");
    const at_ms = await foundAt(page);
    await keyboard.press("ArrowDown");
    await standsOn("the first hit", page.locator("[data-hit]").first());
    await keyboard.press("Enter");
    await assertAtTheMoment(page, at_ms);
    await keyboard.press("k");
    await page.waitForFunction(() => document.querySelector("video").paused);
    await leave(home);
  });

  it("with the mouse in eight clicks, those into fields and the drop of the file among them", { timeout: INDEXING_MS + 120_000 }, async (t) => {
    const home = await profile(kit.browser);
    const page = await home.context.newPage();
    const ben = newPerson("Ben Example");
    let clicks = 0;
    const click = async (locator) => {
      clicks += 1;
      await locator.click();
    };
    /** The button goes down on a file outside and comes up over the page. */
    const drop = async (file, target) => {
      clicks += 1;
      const devtools = await page.context().newCDPSession(page);
      const { x, y, width, height } = await target.boundingBox();
      for (const type of ["dragEnter", "dragOver", "drop"]) {
        await devtools.send("Input.dispatchDragEvent", { type, x: x + width / 2, y: y + height / 2, data: { items: [], files: [file], dragOperationsMask: 1 } });
      }
    };

    await page.goto(`${base}/app/register`);
    // The first field has the focus already.
    await page.getByLabel("Full name").and(page.locator(":focus")).waitFor();
    await page.keyboard.type(ben.name);
    await click(page.getByLabel("Email"));
    await page.keyboard.type(ben.email);
    await click(page.getByLabel("Password", { exact: true }));
    await page.keyboard.type(ben.password);
    await click(page.getByText("Journalist", { exact: true }));
    await click(page.getByRole("button", { name: "Create account" }));
    await click(page.getByRole("main").getByRole("link", { name: "Upload" }));
    await drop(sample, page.getByText("Drop videos here"));
    await searchable(page);
    await click(page.getByRole("combobox"));
    await page.keyboard.type(`${SENTENCE}\n`);
    const at_ms = await foundAt(page);
    await click(page.getByTestId("hit").first().getByRole("link"));
    await assertAtTheMoment(page, at_ms);
    t.diagnostic(`${clicks} clicks`);
    assert.ok(clicks <= MOST_CLICKS, `${clicks} clicks`);
    await leave(home);
  });
});
