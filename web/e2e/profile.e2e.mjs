// The account section of the profile: password, tokens for scripts, one's data, and leaving.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { describe, it } from "node:test";
import { base, equip, fillLogin, leave, mailTo, newcomer } from "./support.mjs";

describe("the account section", () => {
  const kit = equip();

  it("changes the password, and mails a link to who has none", async () => {
    const { person, home, page } = await newcomer(kit.browser, "Quin");
    await page.goto(`${base}/app/profile`);
    await page.getByLabel("New password").fill(person.password);
    await page.getByRole("button", { name: "Save password" }).click();
    await page.getByText("This is the password you have already").waitFor();
    await page.getByLabel("New password").fill("one more good password");
    await page.getByRole("button", { name: "Save password" }).click();
    await page.getByText("Your new password is in place.").waitFor();
    await page.getByRole("button", { name: /Mail me a link/ }).click();
    await page.getByText(`A link is on its way to ${person.email}.`).waitFor();
    assert.equal((await mailTo(person.email)).subject, "Choose a new password");
    await page.getByRole("button", { name: "Sign out", exact: true }).click();
    await page.waitForURL(/\/app\/login/);
    await fillLogin(page, person);
    await page.getByText("do not belong together").waitFor();
    await fillLogin(page, { ...person, password: "one more good password" });
    await page.getByTestId("me").waitFor();
    await leave(home);
  });

  it("makes a token that is shown once, does what it may, and is revoked", async () => {
    const { home, page } = await newcomer(kit.browser, "Ray");
    await page.goto(`${base}/app/profile`);
    await page.getByText("There are none.").waitFor();
    await page.getByRole("button", { name: "New token" }).click();
    const dialog = page.getByRole("dialog");
    assert.equal(await page.evaluate(() => document.activeElement?.getAttribute("name")), "name");
    await dialog.getByRole("button", { name: "Create token" }).click();
    await dialog.getByText("Please give it a name.").waitFor();
    await dialog.getByLabel("What is it for?").fill("Nightly");
    await dialog.getByRole("button", { name: "Create token" }).click();
    const token = await dialog.getByLabel("Your new token").inputValue();
    await dialog.getByRole("button", { name: "Done" }).click();

    const ask = (path, init = {}) => fetch(`${base}${path}`, { ...init, headers: { authorization: `Bearer ${token}`, "content-type": "application/json" } });
    assert.equal((await ask("/videos")).status, 200);
    assert.equal((await ask("/videos/uploads", { method: "POST", body: JSON.stringify({ filename: "a.mp4", mime_type: "video/mp4", size_bytes: 1000 }) })).status, 403, "it may only read");
    await page.reload();
    const row = page.locator('[data-token="Nightly"]');
    await row.getByText(/^Used /).waitFor();
    assert.equal((await page.content()).includes(token), false);
    await row.getByRole("button", { name: "Revoke Nightly" }).click();
    await dialog.getByRole("button", { name: "Revoke", exact: true }).click();
    await page.getByText("There are none.").waitFor();
    assert.equal((await ask("/videos")).status, 401);
    await leave(home);
  });

  it("gives the person their data, and lets them go for good", async () => {
    const { person, home, page } = await newcomer(kit.browser, "Sam");
    await page.goto(`${base}/app/profile`);
    const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name: "Download my data" }).click()]);
    const text = await readFile(await download.path(), "utf8");
    assert.match(download.suggestedFilename(), /heimdex/i);
    assert.ok(text.includes(person.email) && text.includes(person.name));

    await page.getByRole("button", { name: "Delete account" }).click();
    const dialog = page.getByRole("dialog");
    const gone = dialog.getByRole("button", { name: "Delete for good" });
    await dialog.getByLabel(/^Type /).fill("somebody@example.org");
    assert.equal(await gone.isDisabled(), true);
    await dialog.getByLabel(/^Type /).fill(person.email.toUpperCase());
    await gone.click();
    await page.getByText("Your account is deleted.").waitFor();
    assert.deepEqual(await page.evaluate(() => Object.keys(localStorage).filter((key) => key.startsWith("sb-"))), []);
    await fillLogin(page, person);
    await page.getByText("do not belong together").waitFor();
    await leave(home);
  });
});
