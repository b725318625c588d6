// What the account pages say when something is not as hoped.
import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import { base, equip, fillLogin, leave, newPerson, profile, signIn, signUp } from "./support.mjs";

describe("accounts", () => {
  const kit = equip();
  const ann = newPerson("Ann");

  before(async () => {
    const { context } = await profile(kit.browser);
    await signUp(await context.newPage(), ann);
    await context.close();
  });

  it("answers a wrong password with a sentence and stays on the page", async () => {
    const visitor = await profile(kit.browser);
    const page = await visitor.context.newPage();
    await signIn(page, { ...ann, password: "not my password" });
    const alert = page.getByRole("alert");
    await alert.waitFor();
    assert.match(await alert.textContent(), /do not belong together/);
    assert.match(page.url(), /\/app\/login/);
    assert.equal(await page.getByLabel("Email").inputValue(), ann.email);
    await signIn(page, ann);
    await page.waitForURL(/\/app\/library/);
    await leave(visitor);
  });

  it("says which field is missing, and that an address is taken", async () => {
    const visitor = await profile(kit.browser);
    const page = await visitor.context.newPage();
    await page.goto(`${base}/app/register`);
    await page.getByRole("button", { name: "Create account" }).click();
    for (const text of ["Please enter your name.", "Please choose one of the four."]) await page.getByText(text).waitFor();
    assert.equal(await page.evaluate(() => document.activeElement?.getAttribute("name")), "name");
    await page.getByLabel("Full name").fill("Another Ann");
    await page.getByLabel("Email").fill(ann.email);
    await page.getByLabel("Password", { exact: true }).fill("a long enough password");
    await page.getByRole("radio", { name: /^Archivist/ }).check({ force: true });
    await page.getByRole("button", { name: "Create account" }).click();
    await page.getByText("There is already an account with this email").waitFor();
    await leave(visitor);
  });

  it("brings a visitor to the page asked for after signing in, and signs out all tabs together", async () => {
    const visitor = await profile(kit.browser);
    const page = await visitor.context.newPage();
    await page.goto(`${base}/app/search?q=rain`);
    await page.waitForURL(/\/app\/login/);
    await fillLogin(page, ann);
    await page.waitForURL(/\/app\/search\?q=rain/);
    const other = await visitor.context.newPage();
    await other.goto(`${base}/app/profile`);
    await other.getByRole("button", { name: "Sign out", exact: true }).click();
    await other.waitForURL(/\/app\/login$/);
    await page.waitForURL(/\/app\/login/);
    // Nobody asked for it in this tab: it says what happened, and knows the way back.
    await page.getByText("Your session has ended").waitFor();
    await fillLogin(page, ann);
    await page.waitForURL(/\/app\/search\?q=rain/);
    await other.waitForURL(/\/app\/library/);
    await leave(visitor);
  });

  it("keeps a changed name and theme", async () => {
    const visitor = await profile(kit.browser);
    const page = await visitor.context.newPage();
    await signIn(page, ann);
    await page.waitForURL(/\/app\/library/);
    await page.goto(`${base}/app/profile`);
    await page.getByLabel("Full name").fill("Ann Renamed");
    await page.getByRole("button", { name: "Save", exact: true }).click();
    await page.getByText("Saved.").waitFor();
    await page.getByRole("button", { name: "Dark", exact: true }).click();
    await page.reload();
    await page.getByTestId("me").filter({ hasText: "Ann Renamed" }).waitFor();
    assert.equal(await page.evaluate(() => document.documentElement.dataset.theme), "dark");
    await leave(visitor);
  });
});
