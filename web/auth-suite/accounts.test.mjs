// Signing up and in, the account itself, signing out.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, test } from "node:test";
import { admin, assertError, assertSession, assertUser, auth, client, link, person, publishableKey, remember, settings, signedIn, sweep } from "./support.mjs";

after(sweep);
const fresh = () => ({ email: `suite-${randomUUID()}@example.org`, password: `correct horse ${randomUUID()}` });

test("signUp gives a session where addresses count at once, else a user", async () => {
  const tab = client();
  const who = fresh();
  const { data, error } = await tab.auth.signUp({ ...who, options: { data: { name: "Ann", role: "archivist" } } });
  assert.equal(error, null);
  remember(data.user);
  assert.equal(tab.last().status, 200);
  assert.equal(data.user.user_metadata.name, "Ann");
  assert.equal(data.user.user_metadata.sub, data.user.id);
  assert.equal(data.user.user_metadata.phone_verified, false);
  if (settings.mailer_autoconfirm) {
    assertSession(data.session, who.email);
    assert.ok(tab.events.includes("SIGNED_IN"));
    const again = await client().auth.signUp(who);
    assertError(again.error, 422, "user_already_exists");
  } else {
    assert.equal(data.session, null);
    assertUser(data.user, who.email);
    assert.ok(data.user.confirmation_sent_at);
    assertError((await tab.auth.signInWithPassword(who)).error, 400, "email_not_confirmed");
    assertError((await tab.auth.signInWithPassword({ ...who, password: "another password" })).error, 400, "invalid_credentials");
  }
});

test("a taken address is answered with nobody where addresses are proved", { skip: settings.mailer_autoconfirm }, async () => {
  const who = await person();
  const { data, error } = await client().auth.signUp({ email: who.email, password: "another password" });
  assert.equal(error, null);
  assert.deepEqual(data.user.identities, []);
  assert.notEqual(data.user.id, who.id);
  assert.equal(data.session, null);
});

test("what cannot be signed up with is named", async () => {
  const tab = client();
  const { email } = fresh();
  const weak = (await tab.auth.signUp({ email, password: "short" })).error;
  assertError(weak, 422, "weak_password");
  assert.ok(weak.reasons.includes("length"));
  assertError((await tab.auth.signUp({ email, password: "x".repeat(73) })).error, 400, "validation_failed");
  assertError((await tab.auth.signUp({ email: "nobody", password: "correct horse" })).error, 400, "validation_failed");
});

test("signInWithPassword opens a session, is told to the tab, and says no in one way", async () => {
  const who = await person({ user_metadata: { name: "Ann" } });
  const tab = client();
  const { data, error } = await tab.auth.signInWithPassword(who);
  assert.equal(error, null);
  const token = assertSession(data.session, who.email);
  assert.equal(token.amr[0].method, "password");
  assert.ok(data.user.last_sign_in_at && data.user.email_confirmed_at && data.user.confirmed_at);
  assert.ok(tab.events.includes("SIGNED_IN"));
  assert.equal(tab.storage.kept.size, 1);
  const wrong = await client().auth.signInWithPassword({ ...who, password: "not the password" });
  const unknown = await client().auth.signInWithPassword({ email: `x-${who.email}`, password: "not the password" });
  assertError(wrong.error, 400, "invalid_credentials");
  assertError(unknown.error, 400, "invalid_credentials");
  assert.equal(wrong.error.message, unknown.error.message);
});

test("getUser and getClaims", async () => {
  const who = await person();
  const tab = await signedIn(who);
  assertUser((await tab.auth.getUser()).data.user, who.email);
  const { data } = await tab.auth.getClaims();
  assert.equal(data.claims.email, who.email);
  // Checked here, with the published keys: no call of /user for it.
  assert.ok(["ES256", "RS256"].includes(data.header.alg) === tab.answers.some(({ path }) => path.endsWith("/jwks.json")));
  assertError((await client().auth.getUser("not.a.token")).error, 403, "bad_jwt");
});

test("without a bearer, or with the publishable key alone, nobody is told anything", async () => {
  const headers = { "x-supabase-api-version": "2024-01-01", apikey: publishableKey };
  const keyed = await fetch(`${auth}/user`, { headers: { ...headers, authorization: `Bearer ${publishableKey}` } });
  assert.ok([401, 403].includes(keyed.status));
  const bare = await fetch(`${auth}/user`, { headers });
  assert.equal(bare.status, 401);
});

test("updateUser merges data shallowly, and null removes", async () => {
  const who = await person({ user_metadata: { name: "Ann", nested: { a: 1 } } });
  const tab = await signedIn(who);
  const { data, error } = await tab.auth.updateUser({ data: { colour: "blue", nested: { b: 2 } } });
  assert.equal(error, null);
  assert.ok(tab.events.includes("USER_UPDATED"));
  assert.deepEqual([data.user.user_metadata.colour, data.user.user_metadata.name, data.user.user_metadata.nested], ["blue", "Ann", { b: 2 }]);
  const removed = await tab.auth.updateUser({ data: { colour: null } });
  assert.equal("colour" in removed.data.user.user_metadata, false);
});

test("a new password ends the other sessions and spends the mails under way", async () => {
  const who = await person();
  const [here, there] = [await signedIn(who), await signedIn(who)];
  const mail = await link("recovery", who.email);
  assertError((await here.auth.updateUser({ password: who.password })).error, 422, "same_password");
  assertError((await here.auth.updateUser({ password: "short" })).error, 422, "weak_password");
  const password = `quite new ${randomUUID()}`;
  assert.equal((await here.auth.updateUser({ password })).error, null);
  assert.equal((await here.auth.getUser()).error, null);
  // session_not_found: supabase-js forgets the session.
  const gone = await there.auth.getUser();
  assert.equal(gone.error.name, "AuthSessionMissingError");
  assert.equal(there.last().headers.get("x-sb-error-code"), "session_not_found");
  assertError((await client().auth.verifyOtp({ type: "recovery", token_hash: mail.hashed_token })).error, 403, "otp_expired");
  assertError((await client().auth.signInWithPassword(who)).error, 400, "invalid_credentials");
  assert.equal((await client().auth.signInWithPassword({ ...who, password })).error, null);
});

test("signOut: local, others, global", async () => {
  const who = await person();
  const tabs = [await signedIn(who), await signedIn(who), await signedIn(who)];
  assert.equal((await tabs[0].auth.signOut({ scope: "local" })).error, null);
  assert.equal(tabs[0].last().status, 204);
  assert.ok(tabs[0].events.includes("SIGNED_OUT"));
  assert.equal(tabs[0].storage.kept.size, 0);
  assert.equal((await tabs[1].auth.getUser()).error, null);
  assert.equal((await tabs[1].auth.signOut({ scope: "others" })).error, null);
  assert.equal((await tabs[1].auth.getUser()).error, null);
  assert.equal(tabs[1].events.includes("SIGNED_OUT"), false);
  assert.equal((await tabs[2].auth.getUser()).error?.name, "AuthSessionMissingError");
  const { data } = await tabs[1].auth.getSession();
  assert.equal((await tabs[1].auth.signOut()).error, null);
  assertError((await tabs[1].auth.refreshSession({ refresh_token: data.session.refresh_token })).error, 400, "refresh_token_not_found");
});

test("what is not set up says so", async () => {
  assert.equal(settings.external.email, true);
  if (!settings.external.anonymous_users) assertError((await client().auth.signInAnonymously()).error, 422, "anonymous_provider_disabled");
  if (!settings.external.phone) assertError((await client().auth.signInWithOtp({ phone: "+4915112345678" })).error, 400, "phone_provider_disabled");
  const health = await fetch(`${auth}/health`, { headers: { apikey: publishableKey } });
  assert.ok("version" in (await health.json()));
});

test("admin.signOut ends the sessions of a token", async () => {
  const who = await person();
  const tab = await signedIn(who);
  const { data } = await tab.auth.getSession();
  assert.equal((await admin.auth.admin.signOut(data.session.access_token, "global")).error, null);
  assert.equal((await tab.auth.getUser()).error?.name, "AuthSessionMissingError");
});
