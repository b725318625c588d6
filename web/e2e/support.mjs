// The browser suite's hands and eyes. It talks to a real running stack: nothing here is faked.
//   HEIMDEX_URL        where Heimdex runs, e.g. http://127.0.0.1:8480
//   HEIMDEX_CONFIRMING_URL  a second API on the same database that confirms addresses (HEIMDEX_AUTH_AUTOCONFIRM=false)
//   HEIMDEX_EMAIL, HEIMDEX_PASSWORD  an account in which that video is indexed
//   HEIMDEX_OPERATOR_EMAIL  an operator's account, with the same password
//   HEIMDEX_SAMPLE     a video in which "it was the best of times" is said
//   HEIMDEX_ARTIFACTS  folder for screenshots
//   HEIMDEX_CHROMIUM   the browser's path (default /usr/bin/chromium)
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { appendFileSync, copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, statSync, truncateSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, it } from "node:test";
import axe from "axe-core";
import { chromium } from "playwright-core";

function required(name, what) {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set: ${what}`);
  return value;
}

export const base = required("HEIMDEX_URL", "the address of a running Heimdex").replace(/\/+$/, "");
export const confirming = required("HEIMDEX_CONFIRMING_URL", "the address of a second API that confirms addresses").replace(/\/+$/, "");
export const sample = path.resolve(required("HEIMDEX_SAMPLE", "the path of a video in which “it was the best of times” is said"));
export const demo = {
  email: required("HEIMDEX_EMAIL", "the address of an account in which the sample is indexed"),
  password: required("HEIMDEX_PASSWORD", "its password"),
};
export const operator = { email: required("HEIMDEX_OPERATOR_EMAIL", "the address of an operator's account with the same password"), password: demo.password };
const artifacts = path.resolve(required("HEIMDEX_ARTIFACTS", "a folder for screenshots"));
if (!existsSync(sample)) throw new Error(`HEIMDEX_SAMPLE: there is no file ${sample}`);
mkdirSync(artifacts, { recursive: true });

/** How long the machine may take to index the sample; far above what it needs, far below for ever. */
export const INDEXING_MS = 300_000;

export const chromiumPath = process.env.HEIMDEX_CHROMIUM ?? "/usr/bin/chromium";
export const chromiumArgs = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];

export async function launch() {
  return chromium.launch({ executablePath: chromiumPath, args: chromiumArgs });
}

/** Called in a `describe`: a browser and a folder for its tests, both gone after the last of them. */
export function equip() {
  const kit = { browser: null, folder: null };
  before(async () => {
    kit.folder = mkdtempSync(path.join(tmpdir(), "heimdex-e2e-"));
    kit.browser = await launch();
  });
  after(async () => {
    await kit.browser?.close();
    rmSync(kit.folder, { recursive: true, force: true, maxRetries: 5 });
  });
  return kit;
}

/** `it` for the steps of one story: when a step fails, the steps after it could only fail for the same reason. */
export function story() {
  let broken = null;
  return (name, run) =>
    it(name, async (t) => {
      if (broken) return t.skip(`“${broken}” failed`);
      broken = name;
      await run();
      broken = null;
    });
}

/** A browser profile of its own, whose pages report what must not happen. */
export async function profile(browser, { theme = "light", width = 1280, height = width < 500 ? 740 : 860 } = {}) {
  const context = await browser.newContext({ viewport: { width, height }, colorScheme: theme, locale: "en-GB", reducedMotion: "reduce" });
  // A machine that compiles beside it is slow; waiting long costs nothing when all is well.
  context.setDefaultTimeout(60_000);
  const faults = [];
  const hosts = new Set();
  context.on("request", (request) => hosts.add(new URL(request.url()).hostname));
  context.on("weberror", (error) => faults.push(`uncaught: ${error.error().message}`));
  context.on("console", (message) => {
    if (/Content.Security.Policy/i.test(message.text())) faults.push(message.text());
  });
  return { context, faults, hosts };
}

export function assertClean({ faults, hosts }) {
  assert.deepEqual(faults, [], "the pages raise no error and keep to their Content-Security-Policy");
  const known = new Set([new URL(base).hostname, "127.0.0.1", "localhost", ""]);
  assert.deepEqual([...hosts].filter((host) => !known.has(host)), [], "the pages talk to no other host");
}

export const newPerson = (name = "Ann Maria Example") => ({ name, email: `e2e-${randomUUID()}@example.org`, password: `correct horse ${randomUUID()}` });

/** Fills in the sign-up form and sends it. */
export async function register(page, person, where = base) {
  await page.goto(`${where}/app/register`);
  await page.getByLabel("Full name").fill(person.name);
  await page.getByLabel("Email").fill(person.email);
  await page.getByLabel("Password", { exact: true }).fill(person.password);
  await page.getByRole("radio", { name: /^Journalist/ }).check({ force: true });
  await page.getByRole("button", { name: "Create account" }).click();
}

export async function signUp(page, person) {
  await register(page, person);
  await page.waitForURL(/\/app\/library/);
}

export async function signIn(page, { email, password }) {
  await page.goto(`${base}/app/login`);
  await fillLogin(page, { email, password });
}

export async function fillLogin(page, { email, password }) {
  // The page before stays until this one has come, and may have a field of the same name.
  await page.getByRole("button", { name: "Sign in", exact: true }).waitFor();
  await page.getByLabel("Email").fill(email);
  await page.getByLabel("Password", { exact: true }).fill(password);
  await page.getByRole("button", { name: "Sign in", exact: true }).click();
}

/** A person with an account and a browser in which they are signed in. */
export async function newcomer(browser, name = "Ann") {
  const person = newPerson(name);
  const home = await profile(browser);
  const page = await home.context.newPage();
  await signUp(page, person);
  return { person, home, page };
}

/** Somebody who has an account, signed in, in a browser of their own. */
export async function visit(browser, person, screen) {
  const home = await profile(browser, screen);
  const page = await home.context.newPage();
  await signIn(page, person);
  await page.waitForURL(/\/app\/library/);
  return { home, page };
}

/** Closes a visitor's browser, whose pages have been as they must be. */
export async function leave(home) {
  assertClean(home);
  await home.context.close();
}

/** The newest mail to somebody, with its link and its code. A mail is there before the page says that it was asked for. */
export async function mailTo(email) {
  const response = await fetch(`${base}/outbox`);
  assert.equal(response.status, 200, "the outbox can be read on this machine");
  const { items } = await response.json();
  const mail = items.find(({ recipient }) => recipient === email);
  assert.ok(mail, `no mail to ${email}`);
  return { ...mail, link: /https?:\/\/\S+/.exec(mail.body)?.[0], code: /(?<!\d)\d{6}(?!\d)/.exec(mail.body.replace(/https?:\/\/\S+/g, ""))?.[0] };
}

/** Changes the session that supabase-js keeps, as time or a server would. */
export async function alterSession(page, change) {
  await page.evaluate((change) => {
    const key = Object.keys(localStorage).find((name) => /^sb-.*-auth-token$/.test(name));
    localStorage.setItem(key, JSON.stringify({ ...JSON.parse(localStorage.getItem(key)), ...change }));
  }, change);
}

export const storedSession = (page) =>
  page.evaluate(() => {
    const key = Object.keys(localStorage).find((name) => /^sb-.*-auth-token$/.test(name));
    return key ? JSON.parse(localStorage.getItem(key)) : null;
  });

/** Chooses files on the upload page as the person would. */
export async function chooseFiles(page, files) {
  await page.goto(`${base}/app/upload`);
  const [chooser] = await Promise.all([page.waitForEvent("filechooser"), page.getByRole("button", { name: "Choose files" }).click()]);
  await chooser.setFiles(files);
}

/** The row of one file on the upload page; with a status, only while it has it. */
export const uploadRow = (page, name, status) => page.locator(`[data-upload="${name}"]${status ? `[data-status="${status}"]` : ""}`);

/** The sample and behind it an empty box (ISO/IEC 14496-12, "free"): a valid video of any size. It is a hole in the file and takes no disk. */
export function longVideo(file, size_bytes) {
  copyFileSync(sample, file);
  const box = Buffer.alloc(8);
  box.writeUInt32BE(size_bytes - statSync(file).size);
  box.write("free", 4, "latin1");
  appendFileSync(file, box);
  truncateSync(file, size_bytes);
  return file;
}

/** The number of the part that a request takes to the store; null for every other request. */
export const partOf = (request) => (request.method() === "PUT" ? Number(new URL(request.url()).searchParams.get("partNumber")) || null : null);

/** Where every page is looked at. */
export const SCREENS = ["light", "dark"].flatMap((theme) => [1280, 360].map((width) => ({ theme, width })));

/** Looks at a page once it is `ready`: it fits, axe has nothing to say, and a picture of it is kept. */
export async function look(page, name, ready) {
  await ready?.();
  await page.evaluate(() => document.fonts.ready);
  await assertNoSidewaysScroll(page, name);
  await assertAccessible(page, name);
  await screenshot(page, name);
}

export async function screenshot(page, name) {
  await page.screenshot({ path: path.join(artifacts, `${name}.png`) });
}

export async function assertNoSidewaysScroll(page, name) {
  const over = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  assert.ok(over <= 0, `${name} is ${over} px wider than the window`);
}

/** No finding of axe that is serious or critical. */
export async function assertAccessible(page, name) {
  await page.evaluate(axe.source);
  const violations = await page.evaluate(async () => {
    const { violations: found } = await globalThis.axe.run(document, { resultTypes: ["violations"] });
    return found.map(({ id, impact, help, nodes }) => ({ id, impact, help, where: nodes.slice(0, 3).map((node) => `${node.target.join(" ")}: ${node.failureSummary ?? ""}`) }));
  });
  const grave = violations.filter(({ impact }) => impact === "serious" || impact === "critical");
  assert.deepEqual(grave, [], `${name}: axe finds nothing serious or critical`);
}
