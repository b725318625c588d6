// The API's own description, for people who write programs.
import assert from "node:assert/strict";
import { test } from "node:test";
import { assertClean, base, launch, profile } from "./support.mjs";

test("the API describes itself, within its Content-Security-Policy", { timeout: 120_000 }, async () => {
  const browser = await launch();
  try {
    const visit = await profile(browser);
    const page = await visit.context.newPage();
    await page.goto(`${base}/docs/`);
    await page.getByText("/videos/uploads", { exact: false }).first().waitFor();
    assert.match(await page.title(), /Swagger|Heimdex/);
    assertClean(visit);
  } finally {
    await browser.close();
  }
});
