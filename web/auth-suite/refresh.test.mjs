// Staying signed in: refreshing, two tabs at once, a stolen token, a server out of breath.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { assertError, assertSession, auth, claims, client, memory, person, publishableKey, signedIn, sweep } from "./support.mjs";

after(sweep);
const session = async (tab) => (await tab.auth.getSession()).data.session;

test("refreshSession gives a new pair of the same session", async () => {
  const who = await person();
  const tab = await signedIn(who);
  const before = await session(tab);
  const { data, error } = await tab.auth.refreshSession();
  assert.equal(error, null);
  assertSession(data.session, who.email);
  assert.notEqual(data.session.refresh_token, before.refresh_token);
  assert.equal(claims(data.session.access_token).session_id, claims(before.access_token).session_id);
  assert.ok(tab.events.includes("TOKEN_REFRESHED"));
});

test("two tabs that refresh at once both stay signed in", async () => {
  const who = await person();
  const storage = memory();
  const one = await signedIn(who, { storage });
  const two = client({ storage });
  const { refresh_token } = await session(one);
  const answers = await Promise.all([one, two].map((tab) => tab.auth.refreshSession({ refresh_token })));
  for (const { data, error } of answers) {
    assert.ok(!error || error.name === "AuthRefreshDiscardedError", error?.message);
    if (data.session) assertSession(data.session, who.email);
  }
  for (const tab of [one, two]) {
    assert.equal(tab.events.includes("SIGNED_OUT"), false);
    assert.equal((await tab.auth.getUser()).error, null);
    assert.equal((await tab.auth.refreshSession()).error, null);
  }
});

test("two browsers that share a session and refresh at once both stay signed in", async () => {
  const who = await person();
  const one = await signedIn(who);
  const two = client();
  const { access_token, refresh_token } = await session(one);
  await two.auth.setSession({ access_token, refresh_token });
  const answers = await Promise.all([one, two].map((tab) => tab.auth.refreshSession({ refresh_token })));
  for (const { error } of answers) assert.equal(error, null);
  for (const tab of [one, two]) assert.equal((await tab.auth.getUser()).error, null);
});

test("an answer that got lost is given again", async () => {
  const tab = await signedIn(await person());
  const { refresh_token } = await session(tab);
  const raw = async () => {
    const response = await fetch(`${auth}/token?grant_type=refresh_token`, {
      method: "POST",
      headers: { apikey: publishableKey, "content-type": "application/json" },
      body: JSON.stringify({ refresh_token }),
    });
    return [response.status, (await response.json()).refresh_token];
  };
  assert.deepEqual(await raw(), await raw());
});

// The interval in which a late tab is forgiven is ten seconds; nothing else can show that it ends.
test("a stolen old token ends the family", { timeout: 60_000 }, async () => {
  const tab = await signedIn(await person());
  const stolen = (await session(tab)).refresh_token;
  assert.equal((await tab.auth.refreshSession()).error, null);
  assert.equal((await tab.auth.refreshSession()).error, null);
  await new Promise((resolve) => setTimeout(resolve, 11_000));
  assertError((await client().auth.refreshSession({ refresh_token: stolen })).error, 400, "refresh_token_already_used");
  assert.equal((await tab.auth.getUser()).error?.name, "AuthSessionMissingError");
  const newest = (await session(tab))?.refresh_token;
  if (newest) assertError((await tab.auth.refreshSession({ refresh_token: newest })).error, 400, "refresh_token_not_found");
});

test("what is no refresh token is refused for good", async () => {
  const tab = client();
  const { error } = await tab.auth.refreshSession({ refresh_token: "not-one-of-yours" });
  assert.equal(error.status, 400);
  assert.ok(["validation_failed", "refresh_token_not_found"].includes(error.code), error.code);
});
