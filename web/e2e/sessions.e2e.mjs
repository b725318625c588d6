// A session lives through reloads, closed windows, refused tokens and servers out of reach, and ends where it was ended.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { alterSession, assertClean, base, equip, fillLogin, leave, newcomer, profile, signIn, storedSession } from "./support.mjs";

const past = () => ({ expires_at: Math.floor(Date.now() / 1000) - 60 });

describe("sessions", () => {
  const kit = equip();

  /** Counts the refreshes of a browser from here on. */
  const countRefreshes = (context) => {
    const seen = { refreshes: 0 };
    context.on("request", (request) => {
      if (request.url().includes("grant_type=refresh_token")) seen.refreshes += 1;
    });
    return seen;
  };
  const named = (page, person) => page.getByTestId("me").filter({ hasText: person.name }).waitFor();

  it("survive a reload, a closed tab and a closed browser", async () => {
    const { person, home, page } = await newcomer(kit.browser, "Kim");
    await page.reload();
    await named(page, person);
    await page.close();
    const tab = await home.context.newPage();
    await tab.goto(`${base}/app/library`);
    await named(tab, person);
    const kept = await home.context.storageState();
    await home.context.close();
    const context = await kit.browser.newContext({ storageState: kept, locale: "en-GB" });
    const later = await context.newPage();
    await later.goto(`${base}/app/profile`);
    await named(later, person);
    await context.close();
    assertClean(home);
  });

  it("are refreshed once and the request repeated when a token is refused in mid-use", async () => {
    const { person, home, page } = await newcomer(kit.browser, "Lea");
    await page.goto(`${base}/app/library`);
    await named(page, person);
    const { access_token } = await storedSession(page);
    // The same token with another signature: by its time it is good, by the server it is not.
    await alterSession(page, { access_token: `${access_token.slice(0, -8)}AAAAAAAA` });
    const seen = countRefreshes(home.context);
    const answers = [];
    // Asked for by the profile's page and no other.
    const isTokens = (response) => new URL(response.url()).pathname === "/users/me/tokens";
    page.on("response", (response) => {
      if (isTokens(response)) answers.push(response.status());
    });
    const again = page.waitForResponse((response) => isTokens(response) && response.ok());
    await page.getByRole("button", { name: /^Account/ }).click();
    await page.getByRole("link", { name: "Profile" }).click();
    await again;
    await page.getByText("Uploads today").first().waitFor();
    assert.deepEqual(answers, [401, 200]);
    assert.equal(seen.refreshes, 1);
    assert.match(page.url(), /\/app\/profile/);
    await leave(home);
  });

  it("are refreshed by two tabs at once, again and again, and both stay signed in", async () => {
    const { person, home, page } = await newcomer(kit.browser, "Mia");
    const other = await home.context.newPage();
    await other.goto(`${base}/app/profile`);
    await named(other, person);
    for (let round = 0; round < 3; round += 1) {
      await alterSession(page, past());
      await Promise.all([page.reload(), other.reload()]);
      await Promise.all([named(page, person), named(other, person)]);
      assert.ok((await storedSession(page)).expires_at > Date.now() / 1000);
    }
    // What is stored now is a living session, whichever tab has written it.
    await alterSession(page, past());
    await page.reload();
    await named(page, person);
    assert.match(other.url(), /\/app\/profile/);
    await leave(home);
  });

  it("do not end because the auth server is out of reach", async () => {
    const { person, home, page } = await newcomer(kit.browser, "Noa");
    await alterSession(page, past());
    await home.context.route("**/auth/v1/**", (route) => route.abort());
    await page.reload();
    // supabase-js tries for half a minute.
    await page.getByText("Heimdex cannot be reached").first().waitFor();
    assert.ok(await storedSession(page), "the session is kept");
    assert.doesNotMatch(page.url(), /\/app\/login/);
    await home.context.unroute("**/auth/v1/**");
    await page.getByRole("button", { name: "Try again" }).click();
    await named(page, person);
    await home.context.close();
  });

  it("end everywhere, or everywhere else, when the person says so", async () => {
    const { person, home, page } = await newcomer(kit.browser, "Ole");
    const away = await profile(kit.browser);
    const other = await away.context.newPage();
    await signIn(other, person);
    await named(other, person);
    await other.goto(`${base}/app/upload`);

    await page.goto(`${base}/app/profile`);
    await page.getByRole("button", { name: "Sign out elsewhere" }).click();
    await page.getByText("Signed out everywhere else.").waitFor();
    await other.getByRole("link", { name: "Library", exact: true }).first().click();
    await other.getByText("Your session has ended").waitFor();
    await page.reload();
    await named(page, person);

    await fillLogin(other, person);
    await named(other, person);
    await page.goto(`${base}/app/profile`);
    await page.getByRole("button", { name: "Sign out everywhere" }).click();
    await page.waitForURL(/\/app\/login$/);
    await other.reload();
    await other.getByText("Your session has ended").waitFor();
    assert.equal(await storedSession(other), null);
    assertClean(home);
    assertClean(away);
    await home.context.close();
    await away.context.close();
  });

  it("stay when signing out everywhere could not be told to the server", async () => {
    const { person, home, page } = await newcomer(kit.browser, "Pia");
    await page.goto(`${base}/app/profile`);
    await named(page, person);
    await home.context.route("**/auth/v1/logout**", (route) => route.abort());
    await page.getByRole("button", { name: "Sign out everywhere" }).click();
    await page.getByRole("alert").filter({ hasText: "cannot be reached" }).waitFor();
    assert.ok(await storedSession(page));
    // Here it works without a server.
    await page.getByRole("button", { name: "Sign out", exact: true }).click();
    await page.waitForURL(/\/app\/login/);
    assert.equal(await storedSession(page), null);
    await home.context.close();
  });
});
