// A face from a video gets a name, is found by it, and is forgotten, on the real stack; every page of it in both themes, wide and narrow.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { base, demo, equip, leave, look, SCREENS, visit } from "./support.mjs";

const NAME = "Carl Example";

describe("people have names", () => {
  const kit = equip();

  it("names the man of the sample with his consent, finds him by name, and forgets him", async () => {
    const { home, page: tab } = await visit(kit.browser, demo);
    await tab.goto(`${base}/app/people`);
    const unknown = tab.locator("section", { has: tab.getByRole("heading", { name: "Who is this?" }) });
    // He is in two scenes, which is more than anybody else.
    const first = unknown.locator("[data-person]").first();
    await look(tab, "people-unknown-light-1280", () => first.waitFor());
    await first.getByRole("link").click();
    await tab.getByRole("button", { name: "Give a name" }).click();
    await tab.getByRole("button", { name: "Save" }).click();
    await tab.getByText("Write a name.").waitFor();
    await tab.getByLabel("Name", { exact: true }).fill(NAME);
    await tab.getByRole("button", { name: "Save" }).click();
    await look(tab, "person-consent-light-1280", () => tab.getByText("Recognising somebody needs their consent.").waitFor());
    await tab.getByRole("checkbox", { name: /agreed to be recognised/ }).check();
    await tab.getByLabel("How they agreed").fill("Asked him on 3 May");
    await tab.getByRole("button", { name: "Save" }).click();
    await tab.getByRole("heading", { name: NAME, level: 1 }).waitFor();
    const person = tab.url();
    await tab.locator("[data-scene]").nth(1).waitFor();
    assert.equal(await tab.locator("[data-scene]").count(), 2, "he is seen in two scenes");

    await tab.goto(`${base}/app/search?q=${encodeURIComponent(NAME)}`);
    await tab.getByTestId("hit").first().waitFor();
    await tab.getByTestId("hit").first().getByRole("link").click();
    await tab.waitForURL(/[?&]t=\d+/);
    await look(tab, "video-seen-light-1280", () => tab.getByRole("link", { name: new RegExp(NAME) }).first().waitFor());
    await tab.getByRole("link", { name: new RegExp(NAME) }).first().click();
    await tab.waitForURL(person);

    for (const screen of SCREENS) {
      const { theme, width } = screen;
      const { home: other, page } = await visit(kit.browser, demo, screen);
      await page.goto(`${base}/app/people`);
      await look(page, `people-${theme}-${width}`, () => page.getByRole("link", { name: new RegExp(NAME) }).waitFor());
      await page.goto(person);
      await look(page, `person-${theme}-${width}`, () => page.locator("[data-scene] img").first().waitFor());
      await page.getByRole("button", { name: "Merge…" }).click();
      await look(page, `person-merge-${theme}-${width}`, () => page.getByRole("dialog").waitFor());
      await leave(other);
    }

    await tab.getByRole("button", { name: "Delete this person" }).click();
    await look(tab, "person-delete-light-1280", () => tab.getByRole("dialog").waitFor());
    await tab.getByRole("dialog").getByRole("button", { name: "Delete this person" }).click();
    await tab.waitForURL(/\/app\/people$/);
    await tab.goto(`${base}/app/people`);
    await tab.getByRole("heading", { name: "People", level: 1 }).waitFor();
    await tab.getByText("Nobody has a name yet").waitFor();
    await leave(home);
  });
});
