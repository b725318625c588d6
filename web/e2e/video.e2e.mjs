// The video page on the real stack: a sentence is found and corrected, a moment shared and opened by somebody else, a clip cut; in both
// themes, wide and narrow.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { base, demo, equip, leave, look, newPerson, profile, SCREENS, signUp, visit } from "./support.mjs";

describe("a moment leaves the library", () => {
  const kit = equip();

  const atTheMoment = async (screen) => {
    const { home, page } = await visit(kit.browser, demo, screen);
    await page.goto(`${base}/app/search?q=${encodeURIComponent("best of times")}`);
    await page.getByTestId("hit").first().getByRole("link").click();
    await page.getByRole("textbox", { name: "Find in the transcript" }).waitFor();
    return { home, tab: page };
  };

  it("finds a sentence, corrects it with the keyboard, and takes that back", async () => {
    const { home, tab } = await atTheMoment();
    const box = tab.getByRole("textbox", { name: "Find in the transcript" });
    await box.fill("best of times");
    await tab.locator("[data-found]").first().waitFor();
    const row = tab.locator("[data-segment]", { has: tab.locator("[data-found]") });
    const before = (await row.locator("p").textContent()).trim();
    await row.getByRole("button", { name: /^Correct what is said/ }).press("Enter");
    await tab.keyboard.type(" indeed");
    await look(tab, "video-correct-light-1280");
    await tab.keyboard.press("Enter");
    await tab.getByText("The sentence was corrected.").waitFor();
    await box.fill("indeed");
    await tab.locator("[data-found]").first().waitFor();
    await tab.getByRole("button", { name: "Undo" }).click();
    await tab.waitForFunction(() => document.querySelectorAll("[data-found]").length === 0);
    await box.fill("best of times");
    await tab.locator("[data-found]").first().waitFor();
    assert.equal((await row.locator("p").textContent()).trim(), before, "as it was recognised");
    await leave(home);
  });

  it("shares a moment that somebody else opens, and cuts a clip", async () => {
    const { home, tab } = await atTheMoment();
    await tab.getByRole("button", { name: "Share and export" }).click();
    await tab.getByRole("button", { name: /^Share scene/ }).click();
    await tab.getByRole("button", { name: "Make a link" }).click();
    const link = await tab.getByLabel("Link", { exact: true }).inputValue();
    await look(tab, "video-shared-light-1280");
    const other = await profile(kit.browser, { theme: "dark", width: 360 });
    const page = await other.context.newPage();
    await signUp(page, newPerson("Ben Example"));
    await page.goto(link);
    await page.getByTestId("shared-clip").waitFor();
    await look(page, "shared-dark-360");
    await tab.getByRole("button", { name: /^Take back/ }).first().click();
    await tab.getByRole("button", { name: /^Take back/ }).first().waitFor({ state: "detached" });
    await page.reload();
    await page.getByText("This link does not work any more").waitFor();
    await look(page, "shared-over-dark-360");
    await leave(other);

    await tab.getByRole("button", { name: "Close", exact: true }).click();
    await tab.getByRole("button", { name: "Share and export" }).click();
    await tab.getByRole("button", { name: /^Save scene/ }).click();
    await tab.getByRole("button", { name: "Cut the clip" }).click();
    await tab.getByRole("link", { name: /^Download \(/ }).waitFor();
    await look(tab, "video-clip-light-1280");
    await tab.getByRole("button", { name: "Close", exact: true }).click();
    await tab.getByRole("button", { name: "Share and export" }).click();
    const [file] = await Promise.all([tab.waitForEvent("download"), tab.getByRole("button", { name: "All scenes as EDL" }).click()]);
    assert.match(file.suggestedFilename(), /\.edl$/);
    await leave(home);
  });

  it("looks right in both themes and on a phone", async () => {
    for (const screen of SCREENS) {
      const { theme, width } = screen;
      const { home, tab } = await atTheMoment(screen);
      await tab.getByRole("textbox", { name: "Find in the transcript" }).fill("times");
      await look(tab, `video-find-${theme}-${width}`);
      await tab.getByRole("button", { name: "Share and export" }).click();
      await tab.getByRole("button", { name: /^Share scene/ }).click();
      await tab.getByRole("button", { name: "Make a link" }).waitFor();
      await look(tab, `video-share-${theme}-${width}`);
      await leave(home);
    }
  });
});
