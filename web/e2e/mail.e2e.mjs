// Everything about an account that goes by mail. The mails are read where this server keeps them: in its outbox.
import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import { base, confirming, equip, fillLogin, leave, mailTo, newcomer, newPerson, profile, register, signIn, signUp } from "./support.mjs";

describe("accounts by mail", () => {
  const kit = equip();
  const ann = newPerson("Ann");

  before(async () => {
    const { context } = await profile(kit.browser);
    await signUp(await context.newPage(), ann);
    await context.close();
  });

  /** A visitor whose browser must stay without faults. */
  const visit = async (run) => {
    const visitor = await profile(kit.browser);
    await run(await visitor.context.newPage(), visitor);
    await leave(visitor);
  };

  const askForLink = async (page, email) => {
    await page.goto(`${base}/app/login`);
    await page.getByLabel("Email").fill(email);
    await page.getByRole("button", { name: "Email me a sign-in link" }).click();
    await page.getByRole("heading", { name: "Look into your mailbox" }).waitFor();
  };

  it("signs in by a link that is spent by a press, not by opening it", () =>
    visit(async (page) => {
      await page.goto(`${base}/app/search?q=rain`);
      await page.waitForURL(/\/app\/login/);
      await page.getByLabel("Email").fill(ann.email);
      await page.getByRole("button", { name: "Email me a sign-in link" }).click();
      await page.getByText(`If ${ann.email} has an account here`).waitFor();
      const { link } = await mailTo(ann.email);
      // A program that looks into mails has been there before.
      await fetch(link);
      await page.goto(link);
      await page.getByRole("button", { name: "Sign in", exact: true }).click();
      await page.waitForURL(/\/app\/search\?q=rain/);
      await page.getByTestId("me").filter({ hasText: ann.name }).waitFor();
      // Another browser finds the link used up, and a way on.
      await visit(async (late) => {
        await late.goto(link);
        await late.getByRole("button", { name: "Sign in", exact: true }).click();
        await late.getByText("This link is no longer good").waitFor();
        await late.getByRole("link", { name: "Get a new sign-in link" }).click();
        await late.waitForURL(/\/app\/login/);
      });
    }));

  it("signs in by the code where the mail is read on another machine, and in the waiting tab when the link was pressed here", async () => {
    const { person, home } = await newcomer(kit.browser, "Bea");
    await home.context.close();
    await visit(async (page, { context }) => {
      await askForLink(page, person.email);
      const { link, code } = await mailTo(person.email);
      await page.getByLabel("Code from the mail").fill(code === "000000" ? "111111" : "000000");
      await page.keyboard.press("Enter");
      await page.getByText("This code is not right").waitFor();
      // A reload forgets neither the address nor how long to wait.
      await page.reload();
      await page.getByText(`If ${person.email} has an account here`).waitFor();
      assert.equal(await page.getByRole("button", { name: /^Send again in \d+ s$/ }).isDisabled(), true);
      const other = await context.newPage();
      await other.goto(link);
      await other.getByRole("button", { name: "Sign in", exact: true }).click();
      await other.waitForURL(/\/app\/library/);
      await page.waitForURL(/\/app\/library/);
    });
    const again = newPerson("Cem");
    await visit(async (page) => signUp(page, again));
    await visit(async (page) => {
      await askForLink(page, again.email);
      const { code } = await mailTo(again.email);
      await page.getByLabel("Code from the mail").fill(`${code.slice(0, 3)} ${code.slice(3)}`);
      await page.getByRole("button", { name: "Continue" }).click();
      await page.waitForURL(/\/app\/library/);
    });
  });

  it("does not tell a stranger who has an account", () =>
    visit(async (page) => {
      const nobody = newPerson().email;
      await askForLink(page, nobody);
      await page.getByText(`If ${nobody} has an account here`).waitFor();
      await assert.rejects(mailTo(nobody), /no mail/);
      const another = newPerson().email;
      await page.goto(`${base}/app/forgot`);
      await page.getByLabel("Email").fill(another);
      await page.getByRole("button", { name: "Send the link" }).click();
      await page.getByText(`If ${another} has an account here`).waitFor();
      await assert.rejects(mailTo(another), /no mail/);
      // Too soon after the last one is said for both alike.
      await page.goto(`${base}/app/forgot`);
      await page.getByLabel("Email").fill(another);
      await page.getByRole("button", { name: "Send the link" }).click();
      await page.getByText(/That was too soon/).waitFor();
    }));

  it("gives a new password to who has forgotten the old one, and ends every other session", async () => {
    const { person, home, page: elsewhere } = await newcomer(kit.browser, "Dana");
    await visit(async (page) => {
      await page.goto(`${base}/app/login`);
      await page.getByLabel("Email").fill(person.email);
      await page.getByRole("link", { name: "Forgot password?" }).click();
      // What was typed is not to be typed again.
      assert.equal(await page.getByLabel("Email").inputValue(), person.email);
      await page.getByRole("button", { name: "Send the link" }).click();
      await page.getByText(`If ${person.email} has an account here`).waitFor();
      await page.goto((await mailTo(person.email)).link);
      await page.getByRole("heading", { name: "Choose a new password" }).waitFor();
      await page.getByRole("button", { name: "Continue" }).click();
      await page.waitForURL(/\/app\/auth\/new-password/);
      const field = page.getByLabel("New password");
      assert.equal(await field.getAttribute("autocomplete"), "new-password");
      await field.fill("short");
      await page.getByRole("button", { name: "Save password" }).click();
      await page.getByText("Please choose a password of at least 8 characters.").waitFor();
      await field.fill(person.password);
      await page.getByRole("button", { name: "Save password" }).click();
      await page.getByText("This is the password you have already").waitFor();
      await field.fill("a better horse with a battery");
      await page.getByRole("button", { name: "Save password" }).click();
      await page.waitForURL(/\/app\/library/);
    });
    await elsewhere.reload();
    await elsewhere.getByText("Your session has ended").waitFor();
    await fillLogin(elsewhere, person);
    await elsewhere.getByText("do not belong together").waitFor();
    await fillLogin(elsewhere, { ...person, password: "a better horse with a battery" });
    await elsewhere.getByTestId("me").waitFor();
    await leave(home);
  });

  it("takes the code of a recovery mail as well, and says what an incomplete or foreign link is", () =>
    visit(async (page) => {
      const { person, home } = await newcomer(kit.browser, "Eli");
      await home.context.close();
      await page.goto(`${base}/app/forgot`);
      await page.getByLabel("Email").fill(person.email);
      await page.keyboard.press("Enter");
      await page.getByText(`If ${person.email} has an account here`).waitFor();
      await page.getByLabel("Code from the mail").fill((await mailTo(person.email)).code);
      await page.keyboard.press("Enter");
      await page.waitForURL(/\/app\/auth\/new-password/);
      await page.getByRole("link", { name: "Not now" }).click();
      await page.getByTestId("me").filter({ hasText: person.name }).waitFor();
      await page.goto(`${base}/app/auth/confirm`);
      await page.getByText("A part of the address is missing").waitFor();
      await page.goto("about:blank");
      await page.goto(`${base}/app/auth/confirm#access_token=a.b.c&refresh_token=d&expires_in=3600&token_type=bearer&type=magiclink`);
      await page.getByText("made for another way of signing in").waitFor();
      assert.equal(await page.evaluate(() => window.location.hash), "", "tokens do not stay in the address");
      // The session that was there is as it was.
      await page.goto(`${base}/app/library`);
      await page.getByTestId("me").filter({ hasText: person.name }).waitFor();
      // A code that this browser has not asked for, at the root, as a project with another site address would send it.
      await page.goto(`${base}/app?code=0b6c2d0e-0000-4000-8000-000000000000`);
      await page.getByText(/works only in the browser|no longer good/).waitFor();
    }));

  it("confirms a new address before the account can be used", async () => {
    const fay = newPerson("Fay");
    await visit(async (page) => {
      await register(page, fay, confirming);
      await page.getByText(`A mail is on its way to ${fay.email}`).waitFor();
      // Signing in before leads to the same page.
      await page.goto(`${confirming}/app/login`);
      await fillLogin(page, fay);
      await page.getByRole("heading", { name: "Look into your mailbox" }).waitFor();
      const { link } = await mailTo(fay.email);
      await page.goto(link);
      await page.getByRole("heading", { name: "Confirm your address" }).waitFor();
      await page.getByRole("button", { name: "Confirm address" }).click();
      await page.waitForURL(/\/app\/library/);
      await page.getByTestId("me").filter({ hasText: fay.name }).waitFor();
      await page.goto(link);
      await page.getByRole("button", { name: "Confirm address" }).click();
      await page.getByRole("link", { name: "Go to sign in" }).waitFor();
    });
    // Somebody who tries an address that has an account learns nothing: the page is the same.
    await visit(async (page) => {
      await register(page, { ...ann, password: "another good password" }, confirming);
      await page.getByText(`A mail is on its way to ${ann.email}`).waitFor();
    });
    // By its code; and without the state of the page, by asking anew.
    const gil = newPerson("Gil");
    await visit(async (page) => {
      await register(page, gil, confirming);
      await page.getByText(`A mail is on its way to ${gil.email}`).waitFor();
      await page.getByLabel("Code from the mail").fill((await mailTo(gil.email)).code);
      await page.keyboard.press("Enter");
      await page.getByTestId("me").filter({ hasText: gil.name }).waitFor();
    });
    await visit(async (page) => {
      await page.goto(`${confirming}/app/mailbox?for=signup`);
      await page.getByLabel("Email").fill(newPerson().email);
      await page.getByRole("button", { name: "Send the mail" }).click();
      await page.getByRole("heading", { name: "Look into your mailbox" }).waitFor();
    });
  });

  it("changes the address when both mailboxes have agreed", async () => {
    const { person, home, page } = await newcomer(kit.browser, "Hana");
    const next = newPerson().email;
    await page.goto(`${base}/app/profile`);
    const email = page.getByLabel("New email address");
    await email.fill(ann.email);
    await page.getByRole("button", { name: "Change", exact: true }).click();
    await page.getByText("Another account has this address.").waitFor();
    await email.fill(next);
    await page.getByRole("button", { name: "Change", exact: true }).click();
    await page.getByText(`Waiting for ${next}`).waitFor();
    await page.reload();
    await page.getByText(`Waiting for ${next}`).waitFor();
    // The old mailbox, in a browser where nobody is signed in.
    await visit(async (other) => {
      await other.goto((await mailTo(person.email)).link);
      await other.getByRole("button", { name: "Confirm address" }).click();
      await other.getByRole("heading", { name: "Half done" }).waitFor();
    });
    await page.goto((await mailTo(next)).link);
    await page.getByRole("button", { name: "Confirm address" }).click();
    await page.getByText(`From now on you sign in with ${next}.`).waitFor();
    await page.getByRole("link", { name: "Go to Heimdex" }).click();
    await page.getByRole("button", { name: /^Account/ }).click();
    await page.getByText(next, { exact: true }).waitFor();
    await leave(home);
    await visit(async (other) => {
      await signIn(other, { ...person, email: next });
      await other.getByTestId("me").filter({ hasText: person.name }).waitFor();
    });
  });

  it("shows the mails it keeps, with links that can be pressed", () =>
    visit(async (page) => {
      await page.goto(`${base}/app/outbox`);
      const mail = page.locator(`[data-recipient="${ann.email}"]`).first();
      await mail.getByRole("heading", { name: "Your link to sign in" }).waitFor();
      await mail.getByRole("link").click();
      await page.waitForURL(/\/app\/auth\/confirm/);
    }));

  it("warns before a link takes the place of somebody else's session", async () => {
    const { home, page, person } = await newcomer(kit.browser, "Ida");
    const other = newPerson("Jo");
    await visit(async (visitor) => {
      await signUp(visitor, other);
      await visitor.getByRole("button", { name: /^Account/ }).click();
      await visitor.getByRole("button", { name: "Sign out", exact: true }).click();
      await visitor.waitForURL(/\/app\/login/);
      await askForLink(visitor, other.email);
    });
    await page.goto((await mailTo(other.email)).link);
    await page.getByText(`You are signed in as ${person.email}`).waitFor();
    await page.getByRole("button", { name: "Sign in", exact: true }).click();
    await page.getByTestId("me").filter({ hasText: other.name }).waitFor();
    await leave(home);
  });
});
