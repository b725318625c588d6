// What goes by mail, by way of generate_link, which says what a mail would say.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, test } from "node:test";
import { assertError, assertSession, auth, client, link, memory, person, remember, settings, signedIn, sweep } from "./support.mjs";

after(sweep);
const address = () => `suite-${randomUUID()}@example.org`;
const follow = async (place) => {
  const response = await fetch(place, { redirect: "manual" });
  assert.equal(response.status, 303);
  return new URL(response.headers.get("location"));
};
const fragment = (place) => new URLSearchParams(place.hash.slice(1));

test("verifyOtp with the hash of a link, for every type", async () => {
  const email = address();
  const signup = await link("signup", email, { password: `correct horse ${randomUUID()}` });
  const confirmed = await client().auth.verifyOtp({ type: "signup", token_hash: signup.hashed_token });
  assert.equal(confirmed.error, null);
  assert.equal(assertSession(confirmed.data.session, email).amr[0].method, "otp");
  for (const type of ["magiclink", "recovery"]) {
    const tab = client();
    const { data, error } = await tab.auth.verifyOtp({ type, token_hash: (await link(type, email)).hashed_token });
    assert.equal(error, null);
    assertSession(data.session, email);
    assert.ok(tab.events.includes(type === "recovery" ? "PASSWORD_RECOVERY" : "SIGNED_IN"), tab.events.join());
  }
  const mail = await link("magiclink", email);
  assert.equal((await client().auth.verifyOtp({ type: "email", token_hash: mail.hashed_token })).error, null);
  const invited = address();
  const invitation = await link("invite", invited);
  assertSession((await client().auth.verifyOtp({ type: "invite", token_hash: invitation.hashed_token })).data.session, invited);
});

test("verifyOtp with the digits; once, and not with wrong ones", async () => {
  const who = await person();
  const mail = await link("recovery", who.email);
  assert.match(mail.email_otp, /^\d{6}$/);
  const wrong = mail.email_otp === "123456" ? "654321" : "123456";
  const attempt = (token) => client().auth.verifyOtp({ type: "recovery", email: who.email, token });
  assertError((await attempt(wrong)).error, 403, "otp_expired");
  assert.equal((await attempt(mail.email_otp)).error, null);
  assertError((await attempt(mail.email_otp)).error, 403, "otp_expired");
  assertError((await client().auth.verifyOtp({ type: "recovery", token_hash: mail.hashed_token })).error, 403, "otp_expired");
  assertError((await client().auth.verifyOtp({ type: "recovery", email: `x-${who.email}`, token: wrong })).error, 403, "otp_expired");
});

test("a link leads on with a session in the fragment, or with an error", async () => {
  const who = await person();
  const mail = await link("magiclink", who.email, { options: { redirectTo: "https://evil.example/steal" } });
  assert.equal(mail.verification_type, "magiclink");
  assert.ok(!mail.action_link.includes("evil.example") && !mail.redirect_to.includes("evil.example"));
  const place = await follow(mail.action_link);
  const found = fragment(place);
  assert.deepEqual([found.get("type"), found.get("token_type"), found.get("sb")], ["magiclink", "bearer", ""]);
  const tab = client();
  const { data, error } = await tab.auth.setSession({ access_token: found.get("access_token"), refresh_token: found.get("refresh_token") });
  assert.equal(error, null);
  assert.equal(data.user.id, who.id);
  const spent = fragment(await follow(mail.action_link));
  assert.deepEqual([spent.get("error"), spent.get("error_code")], ["access_denied", "otp_expired"]);
});

test("both mailboxes agree to a change of address", async () => {
  const who = await person();
  const newEmail = address();
  const make = (type) => link(type, who.email, { newEmail });
  const [next, current] = [await make("email_change_new"), await make("email_change_current")];
  const half = await client().auth.verifyOtp({ type: "email_change", email: newEmail, token: next.email_otp });
  assert.deepEqual([half.error, half.data.user, half.data.session], [null, null, null]);
  const whole = await client().auth.verifyOtp({ type: "email_change", email: who.email, token: current.email_otp });
  assert.equal(whole.error, null);
  assertSession(whole.data.session, newEmail);
});

test("asking for a mail tells nobody whether there is an account, and not too often", async () => {
  const who = await person();
  const tab = client();
  assert.equal((await tab.auth.resetPasswordForEmail(who.email)).error, null);
  assert.deepEqual((await tab.auth.resetPasswordForEmail(address())).data, {});
  assertError((await tab.auth.resetPasswordForEmail(who.email)).error, 429, "over_email_send_rate_limit");
  assert.equal((await tab.auth.resend({ type: "signup", email: address() })).error, null);
  assert.equal((await tab.auth.resend({ type: "email_change", email: who.email })).error, null);
  assert.equal((await tab.auth.signInWithOtp({ email: (await person()).email })).error, null);
});

test("updateUser({email}) waits for the mailboxes; reauthenticate sends digits", async () => {
  const who = await person();
  const tab = await signedIn(who);
  const other = await person();
  assertError((await tab.auth.updateUser({ email: other.email })).error, 422, "email_exists");
  const email = address();
  const { data, error } = await tab.auth.updateUser({ email });
  assert.equal(error, null);
  assert.deepEqual([data.user.email, data.user.new_email], [who.email, email]);
  assert.ok(data.user.email_change_sent_at);
  assert.equal((await tab.auth.reauthenticate()).error, null);
  assertError((await tab.auth.reauthenticate()).error, 429, "over_email_send_rate_limit");
});

test("PKCE: the code of a link is worth a session with the verifier only", { skip: !process.env.SUITE_OUTBOX && "needs a server whose mails can be read (SUITE_OUTBOX)" }, async () => {
  const who = await person();
  const storage = memory();
  const tab = client({ flowType: "pkce", storage });
  assert.equal((await tab.auth.signInWithOtp({ email: who.email })).error, null);
  const { items } = await (await fetch(process.env.SUITE_OUTBOX)).json();
  const mail = items.find(({ recipient }) => recipient === who.email);
  const place = await follow(mail.body.match(/https?:\S+/)[0]);
  assert.equal(place.hash, "");
  const code = place.searchParams.get("code");
  const thief = client({ flowType: "pkce" });
  assert.ok((await thief.auth.exchangeCodeForSession(code)).error, "a code without its verifier is worth nothing");
  const { data, error } = await tab.auth.exchangeCodeForSession(code);
  assert.equal(error, null);
  assertSession(data.session, who.email);
  assertError((await raw("pkce", { auth_code: code, code_verifier: "v".repeat(50) })).error, 404, "flow_state_not_found");
});

async function raw(grant, body) {
  const response = await fetch(`${auth}/token?grant_type=${grant}`, {
    method: "POST",
    headers: { "content-type": "application/json", "x-supabase-api-version": "2024-01-01", apikey: process.env.SUPABASE_PUBLISHABLE_KEY },
    body: JSON.stringify(body),
  });
  const answer = await response.json();
  return { error: response.ok ? null : { status: response.status, code: answer.code, message: answer.message } };
}

test("PKCE: what is no code is refused", async () => {
  assertError((await raw("pkce", { auth_code: randomUUID(), code_verifier: "v".repeat(50) })).error, 404, "flow_state_not_found");
  assertError((await raw("pkce", { auth_code: "", code_verifier: "" })).error, 400, "validation_failed");
});

test("a sign-up in the PKCE flow", { skip: settings.mailer_autoconfirm }, async () => {
  const { data, error } = await client({ flowType: "pkce" }).auth.signUp({ email: address(), password: `correct horse ${randomUUID()}` });
  assert.equal(error, null);
  assert.equal(data.session, null);
  remember(data.user);
});
